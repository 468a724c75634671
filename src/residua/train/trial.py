"""Steps of a shortened net on its device, to see what its units keep and how long they take."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.optim import Optimizer

from residua import runtime
from residua.train.recompute import chains, instead
from residua.train.shorten import Shortened, Unit
from residua.train.trace import Trace, key_of

# Bytes are counted at these batches.
BATCHES = (2, 3)
# A timed step has the batch that was asked for, unless it took longer than so many seconds.
SECONDS = 2.0

Place = tuple[str, int]
Times = dict[Place, tuple[float, float]]


class Trial:
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

    def conduct(self) -> tuple[set[Place], set[Place]]:
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

    def counted(self, batch: int) -> list[Unit]:
        """Make a step; return the units with the bytes that they keep."""
        own = {key_of(tensor) for tensor in [*self.net.parameters(), *self.net.buffers()]}
        trace = Trace(own=own)

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

    def timed_batch(
        self, batch: int, tables: Sequence[Sequence[Unit]], bytes_at_most: float
    ) -> int:
        """Choose how many pictures a timed step has, from tables at the batches of `BATCHES`."""
        small = min(batch, 8)
        _, seconds, _ = self.timed(small)
        two, three = (sum(u.inside + u.input * u.keeps_input for u in table) for table in tables)
        most = min(SECONDS * small / max(seconds, 1e-6), bytes_at_most / max(1, three - two))
        chosen = max(2, min(batch, int(most)))
        if chosen > small:
            self.timed(chosen)
        return chosen

    def timed(self, batch: int) -> tuple[Times, float, float]:
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
        return runtime.now(self.device)

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
