"""Several schedules one after another, each from its own beginning."""

import dataclasses
from itertools import accumulate
from typing import Annotated, Literal

from residua.config import settings, tagged
from residua.errors import ConfigError
from residua.train.schedule import CosineConfig, Phase, StepsConfig

Part = Annotated[StepsConfig | CosineConfig, tagged]


@settings
class SequenceConfig:
    """The steps of a training that is done in several: each has its own schedule.

    Attributes:
        parts: in their order.
    """

    kind: Literal["sequence"] = "sequence"
    parts: tuple[Part, ...]

    @property
    def lr(self) -> float:
        """The highest rate of all parts."""
        return max(part.lr for part in self.parts)

    @property
    def until(self) -> int:
        """Iterations in all."""
        return sum(part.until for part in self.parts)

    @property
    def starts(self) -> tuple[int, ...]:
        """The first iteration of each part."""
        return (0, *accumulate(part.until for part in self.parts[:-1]))

    def part(self, iteration: int) -> int:
        """Return the number of the part that an iteration is in, counted from 0."""
        return sum(iteration >= start for start in self.starts) - 1

    def rate(self, iteration: int) -> float:
        """Return the learning rate of one update."""
        number = self.part(iteration)
        return self.parts[number].rate(iteration - self.starts[number])

    def phases(self) -> list[Phase]:
        """List the stretches of all parts.

        Raises:
            ConfigError: there is no part, or one makes no sense.
        """
        if not self.parts:
            raise ConfigError("schedule.parts is empty: a training has one part at least")
        return [
            dataclasses.replace(phase, start=start + phase.start, stop=start + phase.stop)
            for start, part in zip(self.starts, self.parts, strict=True)
            for phase in part.phases()
        ]

    def scaled(self, until: int) -> "SequenceConfig":
        """Return the same schedule with another number of iterations, one at least in each part."""
        share = until / self.until
        lengths = [max(1, round(part.until * share)) for part in self.parts]
        parts = (part.scaled(n) for part, n in zip(self.parts, lengths, strict=True))
        return SequenceConfig(parts=tuple(parts))

    def times(self, *factors: float) -> "SequenceConfig":
        """Return the same schedule with rates that are so many times as high.

        Args:
            factors: one for each part, or one for all.
        """
        each = factors * len(self.parts) if len(factors) == 1 else factors
        pairs = zip(self.parts, each, strict=True)
        return SequenceConfig(
            parts=tuple(dataclasses.replace(part, lr=part.lr * by) for part, by in pairs)
        )
