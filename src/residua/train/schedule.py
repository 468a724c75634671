"""Learning rates as pure functions of the iteration; iteration 0 is the first update.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, sections 3.4 and 4.2.
    [P] He et al., Identity Mappings, arXiv:1603.05027, section 3 and appendix.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from residua.config import settings
from residua.errors import ConfigError


def iterations(epochs: float, pictures: int, batch_size: int) -> int:
    """Count the updates of `epochs` looks at all pictures: `epochs * pictures / batch_size`.

    To the nearest; halves up. Epochs are joined without short batches, so this is exact but for
    the last batch.
    """
    return math.floor(epochs * pictures / batch_size + 0.5)


@dataclass(frozen=True)
class Phase:
    """A stretch of iterations `start <= i < stop` and the rates at its two ends.

    Attributes:
        start: its first iteration.
        stop: the first one after it.
        first_rate: of its first iteration.
        last_rate: of its last one; if `open`, the furthest that the rate can come.
        what: the rate does between them.
        open: when the rate changes depends on how the run goes.
    """

    start: int
    stop: int
    first_rate: float
    last_rate: float
    what: str
    open: bool = False


@settings
class StepsConfig:
    """The rate starts at `lr` and is multiplied by `factor` at each of the given iterations ([R]).

    Attributes:
        lr: the rate of the first phase.
        at: iterations at which the rate falls, increasing.
        factor: what the rate is multiplied by, in (0, 1].
        until: iterations in all.
        warmup: iterations over which the rate first rises linearly to `lr`.
        warmup_lr: keep this rate during the warm-up instead; 0.01 in [P], for 400 iterations.
    """

    kind: Literal["steps"] = "steps"
    lr: float = 0.1
    at: tuple[int, ...] = (32_000, 48_000)
    factor: float = 0.1
    until: int = 64_000
    warmup: int = 0
    warmup_lr: float | None = None

    def rate(self, iteration: int) -> float:
        """Return the learning rate of one update."""
        if iteration < self.warmup:
            rising = self.lr * ((iteration + 1) / self.warmup)
            return rising if self.warmup_lr is None else self.warmup_lr
        return self.lr * self.factor ** sum(iteration >= step for step in self.at)

    def phases(self) -> list[Phase]:
        """List the stretches of constant (or rising) rate."""
        _check(self.lr, self.until, self.warmup)
        if list(self.at) != sorted(set(self.at)) or any(step < 0 for step in self.at):
            raise ConfigError(f"schedule.at must be increasing iterations, got {self.at}")
        if self.warmup_lr is not None and not 0 < self.warmup_lr < math.inf:
            raise ConfigError(f"schedule.warmup_lr must be above 0, got {self.warmup_lr}")
        inner = [step for step in self.at if self.warmup < step < self.until]
        bounds = [*([0] if self.warmup else []), self.warmup, *inner, self.until]
        return [
            _phase(self, start, stop, "warm-up" if start < self.warmup else "constant")
            for start, stop in pairwise(bounds)
        ]

    def scaled(self, until: int) -> "StepsConfig":
        """Return the same schedule, shrunk or stretched to another number of iterations."""
        share = until / self.until
        return StepsConfig(
            lr=self.lr,
            at=tuple(sorted({round(step * share) for step in self.at})),
            factor=self.factor,
            until=until,
            warmup=round(self.warmup * share),
            warmup_lr=self.warmup_lr,
        )


@settings
class CosineConfig:
    """The rate falls from `lr` to zero along half a cosine, after a linear warm-up.

    Source: Loshchilov and Hutter, SGDR, arXiv:1608.03983, equation 5 (without restarts).

    Attributes:
        lr: the highest rate.
        until: iterations in all.
        warmup: iterations over which the rate first rises linearly to `lr`.
    """

    kind: Literal["cosine"] = "cosine"
    lr: float = 0.1
    until: int = 64_000
    warmup: int = 0

    def rate(self, iteration: int) -> float:
        """Return the learning rate of one update."""
        if iteration < self.warmup:
            return self.lr * ((iteration + 1) / self.warmup)
        done = (iteration - self.warmup) / (self.until - self.warmup)
        return self.lr * (1 + math.cos(math.pi * done)) / 2

    def phases(self) -> list[Phase]:
        """List the warm-up, if there is one, and the descent."""
        _check(self.lr, self.until, self.warmup)
        bounds = [*([0] if self.warmup else []), self.warmup, self.until]
        return [
            _phase(self, start, stop, "warm-up" if start < self.warmup else "cosine")
            for start, stop in pairwise(bounds)
        ]

    def scaled(self, until: int) -> "CosineConfig":
        """Return the same schedule, shrunk or stretched to another number of iterations."""
        return CosineConfig(lr=self.lr, until=until, warmup=round(self.warmup * until / self.until))


@settings
class InverseConfig:
    """The rate falls as `lr / (1 + decay * i)`, as `learningRateDecay` of Torch's optim.sgd has it.

    Attributes:
        lr: the rate of the first update.
        decay: per update.
        until: iterations in all.
    """

    kind: Literal["inverse"] = "inverse"
    lr: float = 0.1
    decay: float = 0.0
    until: int = 64_000

    def rate(self, iteration: int) -> float:
        """Return the learning rate of one update."""
        return self.lr / (1 + self.decay * iteration)

    def phases(self) -> list[Phase]:
        """List the one descent."""
        _check(self.lr, self.until, 0)
        if not 0 <= self.decay < math.inf:
            raise ConfigError(f"schedule.decay must be at least 0, got {self.decay}")
        return [_phase(self, 0, self.until, "inverse" if self.decay else "constant")]

    def scaled(self, until: int) -> "InverseConfig":
        """Return the same schedule, shrunk or stretched to another number of iterations."""
        return InverseConfig(lr=self.lr, decay=self.decay * self.until / until, until=until)


Known = StepsConfig | CosineConfig | InverseConfig


def _phase(schedule: Known, start: int, stop: int, what: str) -> Phase:
    return Phase(start, stop, schedule.rate(start), schedule.rate(stop - 1), what)


def _check(lr: float, until: int, warmup: int) -> None:
    if not (math.isfinite(lr) and lr > 0):
        raise ConfigError(f"schedule.lr must be above 0, got {lr}")
    if until < 1:
        raise ConfigError(f"schedule.until must be at least 1 iteration, got {until}")
    if not 0 <= warmup < until:
        raise ConfigError(f"schedule.warmup must be in [0, {until}), got {warmup}")
