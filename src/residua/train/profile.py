"""What the units of a net keep for the backward pass, and how long they take on this device.

Nets repeat themselves: of equal units in a row a few are run, and stand for the others. Bytes are
counted, in the precision asked for, at two small batches, and are linear in the batch. Times are
measured in whole steps of the shortened net, where activations are as cold as in a real one.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.optim import Optimizer

from residua import runtime
from residua.errors import ConfigError, ResiduaError
from residua.train.recompute import chains, instead
from residua.train.shorten import Shortened, Unit, shorten

BATCHES = (2, 3)
# A timed step has the batch that was asked for, unless it took longer or held more than this.
SECONDS = 2.0
BYTES = 2e9
TIMED = 3

Place = tuple[str, int]
Times = dict[Place, tuple[float, float]]
NONE = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A net as the planner sees it.

    Attributes:
        tables: units at the batches of `BATCHES`, with the seconds of `timed_batch`.
        parameters: bytes of the parameters that are trained, and so of their gradients.
        state: bytes of the optimizer's state.
        picture: bytes of one picture in float32.
        device: "cpu", "cuda" or "mps".
        timed_batch: pictures of the timed steps.
        rest: seconds of a timed step outside of all units.
        update: seconds of the optimizer, for all parameters.
    """

    tables: tuple[tuple[Unit, ...], tuple[Unit, ...]]
    parameters: int
    state: int
    picture: int
    device: str
    timed_batch: int
    rest: float
    update: float

    def units(self, batch: int) -> list[Unit]:
        """Return the units at a batch: bytes are linear in it, seconds proportional to it."""
        scale = batch / self.timed_batch
        return [
            replace(
                two,
                inside=_linear(one.inside, two.inside, batch),
                input=_linear(one.input, two.input, batch),
                output=_linear(one.output, two.output, batch),
                forward=two.forward * scale,
                backward=two.backward * scale,
            )
            for one, two in zip(*self.tables, strict=True)
        ]

    def seconds(self, batch: int) -> float:
        """Predict the time of a plain training step."""
        inside = sum(unit.forward + unit.backward for unit in self.tables[1])
        return (inside + self.rest) * batch / self.timed_batch + self.update


def profile(
    net: nn.Module,
    shape: Sequence[int],
    *,
    batch: int,
    device: torch.device,
    dtype: torch.dtype,
    make_optimizer: Callable[[nn.Module], Optimizer],
    most: int | None = None,
) -> Profile:
    """Measure a net, which stays as it is; it may be on the meta device.

    Args:
        net: any module from N, C, H, W to N, K.
        shape: C, H, W.
        batch: the largest at which time is measured.
        device: where to measure.
        dtype: the precision of convolutions.
        make_optimizer: from the net to its optimizer.
        most: bytes that the measurement may take; it takes less if a smaller batch tells enough.

    Raises:
        ConfigError: the net cannot be trained on such pictures.
    """
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            short = shorten(net, device)
            run = _Run(short, shape, device, dtype, make_optimizer)
            return run.profile(net, batch, BYTES if most is None else most / 2)
    except ResiduaError:
        raise
    except (RuntimeError, TypeError, ValueError) as error:
        size = "x".join(map(str, shape))
        raise ConfigError(
            f"a training step on pictures of {size} could not be tried: {error}"
        ) from error
    finally:
        runtime.release_freed_memory(device)


@dataclass
class _Trace:
    """What is seen of one pass of a net through its units."""

    own: set[int] = field(default_factory=set)
    units: list[Unit] = field(default_factory=list)
    ends: list[tuple[Tensor | None, Tensor | None]] = field(default_factory=list)
    owner: dict[int, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    current: int = -1

    def save(self, tensor: Tensor) -> Tensor:
        """Note a tensor that autograd keeps; storages are counted once, for the first to ask."""
        key = _key(tensor)
        if key and key not in self.own and key not in self.sizes:
            if self.current < 0 and (not self.units or self.units[-1].index >= 0):
                self.add(Unit(fixed=True), None, None)
            self.owner[key] = self.current if self.current >= 0 else len(self.units) - 1
            self.sizes[key] = tensor.untyped_storage().nbytes()
        return tensor

    def add(self, unit: Unit, x: Tensor | None, y: Tensor | None) -> int:
        """Note a unit; return its number."""
        self.units.append(unit)
        self.ends.append((x, y))
        return len(self.units) - 1

    def table(self) -> list[Unit]:
        """Return the units with the bytes that they keep."""
        inside = [0] * len(self.units)
        for key, owner in self.owner.items():
            inside[owner] += self.sizes[key]
        return [self._counted(number, inside[number]) for number in range(len(self.units))]

    def _counted(self, number: int, inside: int) -> Unit:
        unit, (x, y) = self.units[number], self.ends[number]
        follows = number + 1 < len(self.units) and self.units[number + 1].index > 0
        output = keeps = 0
        if unit.index > 0 and x is not None:
            keeps = self.owner.get(_key(x), -1) in (number, number - 1)
            inside -= self.sizes[_key(x)] if self.owner.get(_key(x)) == number else 0
        if follows and y is not None and self.owner.get(_key(y)) == number and _key(y) != _key(x):
            output = self.sizes[_key(y)]
        return replace(unit, inside=inside - output, keeps_input=bool(keeps), output=output)


class _Run:
    """A shortened net on its device, ready to make steps."""

    def __init__(
        self,
        short: Shortened,
        shape: Sequence[int],
        device: torch.device,
        dtype: torch.dtype,
        make_optimizer: Callable[[nn.Module], Optimizer],
    ) -> None:
        self.short = short
        self.net = short.net.train()
        self.shape = tuple(shape)
        self.device = device
        self.dtype = dtype
        self.optimizer = make_optimizer(self.net)

    def profile(self, net: nn.Module, batch: int, most: float) -> Profile:
        """Count at two batches, time at one, and let the units stand for those of the whole net."""
        attached, fixed = self._conduct()
        tables = [self._counted(count) for count in BATCHES]
        timed_batch = self._timed_batch(batch, tables, most)
        traces = [self._timed(timed_batch) for _ in range(TIMED)]
        # The fastest of a few: whatever else the machine does can only add to them.
        total = min(seconds for _, seconds, _ in traces)
        update = min(seconds for *_, seconds in traces)
        times = {place: _fastest([trace[0][place] for trace in traces]) for place in traces[0][0]}
        rest = total - update - sum(map(sum, times.values()))
        full = []
        for table in tables:
            marked = [
                replace(
                    unit,
                    attached=(unit.chain, unit.index) in attached,
                    fixed=unit.fixed or (unit.chain, unit.index) in fixed,
                    forward=times.get((unit.chain, unit.index), NONE)[0],
                    backward=times.get((unit.chain, unit.index), NONE)[1],
                )
                for unit in table
            ]
            full.append(tuple(self.short.expand(marked)))
        trained = _trained_bytes(net)
        share = trained / max(1, _trained_bytes(self.net))
        return Profile(
            tables=(full[0], full[1]),
            parameters=trained,
            state=round(_state_bytes(self.optimizer) * share),
            picture=4 * torch.Size(self.shape).numel(),
            device=self.device.type,
            timed_batch=timed_batch,
            rest=max(rest, 0.0),
            update=update * share,
        )

    def _conduct(self) -> tuple[set[Place], set[Place]]:
        """Find the units that write over their input, and those that cannot be run twice."""
        attached: set[Place] = set()
        fixed = self.short.sharing()
        seen: set[Place] = set()

        def run(chain: str, index: int, unit: nn.Module, x: Tensor) -> Tensor:
            if (chain, index) in seen:
                raise TypeError(f"it applies its sequence {chain!r} more than once")
            seen.add((chain, index))
            others = [m for m in unit.modules() if not isinstance(m, _NormBase)]
            state = [b for m in others for b in m.buffers(recurse=False)]
            before, versions = x._version, [b._version for b in state]
            y = unit(x)
            if x._version != before:
                attached.add((chain, index))
            if [b._version for b in state] != versions:
                fixed.add((chain, index))
            return y

        with torch.no_grad(), self._autocast(), self._watched(run):
            self.net(self._images(BATCHES[0]))
        return attached, fixed

    def _counted(self, batch: int) -> list[Unit]:
        own = {_key(tensor) for tensor in [*self.net.parameters(), *self.net.buffers()]}
        trace = _Trace(own=own)

        def run(chain: str, index: int, unit: nn.Module, x: Tensor) -> Tensor:
            size = x.untyped_storage().nbytes()
            number = trace.add(Unit(chain=chain, index=index, input=size), x, None)
            trace.current = number
            y = unit(x)
            trace.current = -1
            trace.ends[number] = (x, y)
            return y

        images = self._images(batch)
        hooks = torch.autograd.graph.saved_tensors_hooks(trace.save, lambda tensor: tensor)
        with hooks, self._autocast(), self._watched(run):
            loss = self._loss(images)
        table = trace.table()
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return table

    def _timed_batch(
        self, batch: int, tables: Sequence[Sequence[Unit]], bytes_at_most: float
    ) -> int:
        small = min(batch, 8)
        _, seconds, _ = self._timed(small)
        two, three = (sum(u.inside + u.input * u.keeps_input for u in table) for table in tables)
        most = min(SECONDS * small / max(seconds, 1e-6), bytes_at_most / max(1, three - two))
        chosen = max(2, min(batch, int(most)))
        if chosen > small:
            self._timed(chosen)
        return chosen

    def _timed(self, batch: int) -> tuple[Times, float, float]:
        """Make a step; return the seconds of each unit, of the whole step and of the optimizer."""
        forward: dict[Place, float] = {}
        grown: dict[Place, float] = {}

        def note(tensor: Tensor, place: Place) -> None:
            if tensor.requires_grad:

                def whole(gradient: Tensor) -> None:
                    grown[place] = self._now()

                tensor.register_hook(whole)

        def run(chain: str, index: int, unit: nn.Module, x: Tensor) -> Tensor:
            if index == 0:
                note(x, (chain, -1))
            began = self._now()
            y = unit(x)
            forward[chain, index] = self._now() - began
            note(y, (chain, index))
            return y

        images = self._images(batch)
        began = self._now()
        with self._autocast(), self._watched(run):
            loss = self._loss(images)
        self.optimizer.zero_grad()
        loss.backward()
        before_update = self._now()
        self.optimizer.step()
        ended = self._now()
        times = {}
        for (chain, index), seconds in forward.items():
            until = grown.get((chain, index - 1), before_update)
            times[chain, index] = (seconds, until - grown.get((chain, index), until))
        return times, ended - began, ended - before_update

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def _loss(self, images: Tensor) -> Tensor:
        logits = self.net(images)
        if not isinstance(logits, Tensor):
            raise TypeError(f"the net gives {type(logits).__name__}, not a tensor")
        return logits.float().logsumexp(dim=-1).mean()

    def _images(self, batch: int) -> Tensor:
        images = torch.randn(batch, *self.shape).to(self.device)
        return images.to(memory_format=torch.channels_last) if images.ndim == 4 else images

    def _autocast(self) -> AbstractContextManager[object]:
        enabled = self.dtype is not torch.float32
        return torch.autocast(self.device.type, self.dtype, enabled=enabled)

    def _watched(self, run: Callable[..., Tensor]) -> AbstractContextManager[nn.Module]:
        def forward(name: str, units: Sequence[nn.Module]) -> Callable[[Tensor], Tensor]:
            def apply(x: Tensor) -> Tensor:
                for index, unit in enumerate(units):
                    x = run(name, index, unit, x)
                return x

            return apply

        known = chains(self.net)
        return instead(self.net, {name: forward(name, units) for name, units in known.items()})


def _key(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.untyped_storage().data_ptr()


def _linear(two: int, three: int, batch: int) -> int:
    return two + (three - two) * (batch - BATCHES[0])


def _fastest(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def _trained_bytes(net: nn.Module) -> int:
    return sum(p.numel() * p.element_size() for p in net.parameters() if p.requires_grad)


def _state_bytes(optimizer: Optimizer) -> int:
    values: list[Any] = [value for state in optimizer.state.values() for value in state.values()]
    return sum(v.numel() * v.element_size() for v in values if isinstance(v, Tensor))
