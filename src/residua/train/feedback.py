"""Learning rates that depend on how the training goes.

Such a schedule is a pair of pure functions: one folds what was observed into a small `Past`, the
other gives the rate for an iteration and a past. The past is part of every checkpoint, so a resumed
run has the rates of an undisturbed one.

Iterations are counted in updates done: what is observed after update i - 1 is observed at i, and
can change the rates of update i and later ones.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, sections 3.4 and 4.2.
"""

import dataclasses
import math
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from residua.config import settings
from residua.errors import ConfigError
from residua.train.schedule import Phase, StepsConfig

ErrorName = Literal["train_error", "validation_error"]


@dataclass(frozen=True)
class Past:
    """What a schedule remembers of a run.

    Attributes:
        total: the sum of the training errors since the last look at them, in percent.
        count: how many these are.
        best: the smallest error that was seen at the end of an epoch, in percent.
        stale: epochs since.
        changes: iterations from which the rate was another.
    """

    total: float = 0.0
    count: int = 0
    best: float = math.inf
    stale: int = 0
    changes: tuple[int, ...] = ()


class Feedback(Protocol):
    """A schedule whose rates depend on the past of the run."""

    @property
    def until(self) -> int:
        """Iterations in all."""
        ...

    def rate(self, iteration: int, past: Past) -> float:
        """Return the learning rate of one update."""
        ...

    def after_update(self, past: Past, iteration: int, train_error: float) -> Past:
        """Return the past with one update more, of that training error in percent."""
        ...

    def after_epoch(self, past: Past, iteration: int, errors: Mapping[str, float]) -> Past:
        """Return the past with one epoch more; `errors` are in percent, by `ErrorName`."""
        ...


@settings
class EasedStepsConfig:
    """A low rate until the net has begun to learn, then steps ([R] section 4.2, 110 layers).

    Every `every` updates their mean training error is looked at; the first look that finds it below
    `below` ends the warm-up. [R] does not say over how many updates its error was taken.

    Attributes:
        lr: the rate after the warm-up.
        warmup_lr: the rate before.
        below: the error that ends the warm-up, in percent.
        every: updates from one look to the next.
        longest: the warm-up ends after as many iterations in any case; [R] has no such bound, and
            found about 400 to be enough.
        at: iterations, of the whole run, at which the rate falls, increasing.
        factor: what the rate is multiplied by there.
        until: iterations in all.
    """

    kind: Literal["eased_steps"] = "eased_steps"
    lr: float = 0.1
    warmup_lr: float = 0.01
    below: float = 80.0
    every: int = 100
    longest: int = 4_000
    at: tuple[int, ...] = (32_000, 48_000)
    factor: float = 0.1
    until: int = 64_000

    def rate(self, iteration: int, past: Past) -> float:
        """Return the learning rate of one update."""
        return self._steps(past.changes[0] if past.changes else self.longest).rate(iteration)

    def after_update(self, past: Past, iteration: int, train_error: float) -> Past:
        """Add an update; at every look, see whether the warm-up is over."""
        if past.changes or iteration >= self.longest:
            return past
        total, count = past.total + train_error, past.count + 1
        if count < self.every:
            return dataclasses.replace(past, total=total, count=count)
        ended = (iteration,) if total / count < self.below else ()
        return dataclasses.replace(past, total=0.0, count=0, changes=ended)

    def after_epoch(self, past: Past, iteration: int, errors: Mapping[str, float]) -> Past:
        """Return the past as it is."""
        return past

    def phases(self) -> list[Phase]:
        """List the stretches of constant rate if the warm-up lasts as long as it may."""
        if not 0 < self.below <= 100 or self.every < 1 or self.longest < 1:
            raise ConfigError(
                "schedule.below must be in (0, 100] percent, every and longest at least 1, got "
                f"{self.below}, {self.every} and {self.longest}"
            )
        first, *others = self._steps(self.longest).phases()
        told = f"warm-up, over sooner if the training error is below {self.below:g} %"
        return [dataclasses.replace(first, what=told, open=True), *others]

    def scaled(self, until: int) -> "EasedStepsConfig":
        """Return the same schedule, shrunk or stretched to another number of iterations."""
        steps = self._steps(self.longest).scaled(until)
        return dataclasses.replace(
            self,
            every=max(1, round(self.every * until / self.until)),
            longest=max(1, steps.warmup),
            at=steps.at,
            until=until,
        )

    def _steps(self, warmup: int) -> StepsConfig:
        return StepsConfig(
            lr=self.lr,
            at=self.at,
            factor=self.factor,
            until=self.until,
            warmup=warmup,
            warmup_lr=self.warmup_lr,
        )


@settings
class PlateauConfig:
    """The rate is multiplied by `factor` whenever the error has stopped to fall ([R] section 3.4).

    [R] states neither which error that was, nor what counts as a plateau: `watch`, `patience` and
    `threshold` are ours, and their effect is unmeasured.

    Attributes:
        lr: the first rate.
        factor: what the rate is multiplied by at a plateau, in (0, 1).
        drops: how often at most.
        watch: the error that is looked at, at the end of every epoch.
        patience: a plateau is as many epochs in a row without a new best error.
        threshold: by how many percentage points an error must be below the best to be a new best.
        until: iterations in all.
    """

    kind: Literal["plateau"] = "plateau"
    lr: float = 0.1
    factor: float = 0.1
    drops: int = 3
    watch: ErrorName = "validation_error"
    patience: int = 5
    threshold: float = 0.1
    until: int = 600_000

    def rate(self, iteration: int, past: Past) -> float:
        """Return the learning rate of one update."""
        return self.lr * self.factor ** sum(iteration >= change for change in past.changes)

    def after_update(self, past: Past, iteration: int, train_error: float) -> Past:
        """Return the past as it is."""
        return past

    def after_epoch(self, past: Past, iteration: int, errors: Mapping[str, float]) -> Past:
        """Add an epoch; after too many without a new best, the rate falls.

        Raises:
            ConfigError: the error that is watched is not known.
        """
        self.check_watch(errors)
        error = errors[self.watch]
        if error < past.best - self.threshold:
            return dataclasses.replace(past, best=error, stale=0)
        if past.stale + 1 < self.patience or len(past.changes) >= self.drops:
            return dataclasses.replace(past, stale=past.stale + 1)
        return dataclasses.replace(past, stale=0, changes=(*past.changes, iteration))

    def check_watch(self, known: Container[str]) -> None:
        """Refuse to watch an error that is not among those that are known.

        Raises:
            ConfigError: it is not.
        """
        if self.watch not in known:
            raise ConfigError(
                f"schedule.watch is {self.watch}, which this run does not have: hold pictures out, "
                "or watch train_error"
            )

    def phases(self) -> list[Phase]:
        """List what is known: the first rate and the last, but not when they change."""
        self._check()
        lowest = self.lr * self.factor**self.drops
        told = (
            f"multiplied by {self.factor:g} after {self.patience} epochs without a better "
            f"{self.watch.replace('_', ' ')}, at most {self.drops} times: when depends on the run"
        )
        return [Phase(0, self.until, self.lr, lowest, told, open=True)]

    def scaled(self, until: int) -> "PlateauConfig":
        """Return the same schedule with another end; plateaus are counted in epochs as before."""
        return dataclasses.replace(self, until=until)

    def _check(self) -> None:
        StepsConfig(lr=self.lr, at=(), until=self.until).phases()
        if not (0 < self.factor < 1 and self.drops >= 0 and self.patience >= 1):
            raise ConfigError(
                "schedule.factor must be in (0, 1), drops at least 0 and patience at least 1, got "
                f"{self.factor}, {self.drops} and {self.patience}"
            )
        if not 0 <= self.threshold < 100:
            raise ConfigError(f"schedule.threshold must be in [0, 100), got {self.threshold}")
