"""What the units of a net keep for the backward pass, and how long they take on this device.

Nets repeat themselves: of equal units in a row a few are run, and stand for the others. Bytes are
counted, in the precision asked for, at two small batches, and are linear in the batch. Times are
measured in whole steps of the shortened net, where activations are as cold as in a real one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from residua import runtime
from residua.errors import ConfigError, ResiduaError
from residua.train.shorten import Unit, shorten
from residua.train.trial import BATCHES, Trial

# Bytes that a timed step may keep where nothing else is said.
BYTES = 2e9
TIMED = 3

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
            trial = Trial(short, shape, device, dtype, make_optimizer)
            return _profiled(trial, net, batch, BYTES if most is None else most / 2)
    except ResiduaError:
        raise
    except (RuntimeError, TypeError, ValueError) as error:
        size = "x".join(map(str, shape))
        raise ConfigError(
            f"a training step on pictures of {size} could not be tried: {error}"
        ) from error
    finally:
        runtime.release_freed_memory(device)


def _profiled(trial: Trial, net: nn.Module, batch: int, most: float) -> Profile:
    """Count at two batches, time at one, and let the units stand for those of the whole net."""
    attached, fixed = trial.conduct()
    tables = [trial.counted(count) for count in BATCHES]
    timed_batch = trial.timed_batch(batch, tables, most)
    traces = [trial.timed(timed_batch) for _ in range(TIMED)]
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
        full.append(tuple(trial.short.expand(marked)))
    trained = _trained_bytes(net)
    share = trained / max(1, _trained_bytes(trial.net))
    return Profile(
        tables=(full[0], full[1]),
        parameters=trained,
        state=round(_state_bytes(trial.optimizer) * share),
        picture=4 * torch.Size(trial.shape).numel(),
        device=trial.device.type,
        timed_batch=timed_batch,
        rest=max(rest, 0.0),
        update=update * share,
    )


def _linear(two: int, three: int, batch: int) -> int:
    return two + (three - two) * (batch - BATCHES[0])


def _fastest(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def _trained_bytes(net: nn.Module) -> int:
    return sum(p.numel() * p.element_size() for p in net.parameters() if p.requires_grad)


def _state_bytes(optimizer: Optimizer) -> int:
    values: list[Any] = [value for state in optimizer.state.values() for value in state.values()]
    return sum(v.numel() * v.element_size() for v in values if isinstance(v, Tensor))
