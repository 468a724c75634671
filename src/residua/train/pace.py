"""The rate of every update of one run: a schedule together with what it has seen."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from residua.config import tagged
from residua.train.feedback import EasedStepsConfig, Past, PlateauConfig
from residua.train.schedule import CosineConfig, InverseConfig, StepsConfig
from residua.train.sequence import SequenceConfig

Schedule = Annotated[
    StepsConfig | CosineConfig | InverseConfig | EasedStepsConfig | PlateauConfig, tagged
]


@dataclass
class Pace:
    """A schedule and its past; `rate(i)` is what the optimizer must use in iteration i.

    A schedule that is a pure function of the iteration has no past, and nothing changes it.

    Args:
        schedule: of the run.
        past: what it has seen so far.
    """

    schedule: Schedule | SequenceConfig
    past: Past = dataclasses.field(default_factory=Past)

    @property
    def until(self) -> int:
        """Iterations in all."""
        return self.schedule.until

    def rate(self, iteration: int) -> float:
        """Return the learning rate of one update."""
        if isinstance(self.schedule, EasedStepsConfig | PlateauConfig):
            return self.schedule.rate(iteration, self.past)
        return self.schedule.rate(iteration)

    def after_update(self, iteration: int, terms: Mapping[str, float]) -> None:
        """Take note of an update.

        Args:
            iteration: updates done.
            terms: of the loss; "error" is that of the batch, in percent, the same in every process.
        """
        if isinstance(self.schedule, EasedStepsConfig | PlateauConfig):
            self.past = self.schedule.after_update(self.past, iteration, terms["error"])

    def after_epoch(self, iteration: int, errors: Mapping[str, float]) -> None:
        """Take note of an epoch.

        Args:
            iteration: updates done.
            errors: "train_error" and, where there are pictures for it, "validation_error", in
                percent; the same in every process.

        Raises:
            ConfigError: the schedule needs one that is not there.
        """
        if isinstance(self.schedule, EasedStepsConfig | PlateauConfig):
            self.past = self.schedule.after_epoch(self.past, iteration, errors)

    def state(self) -> dict[str, Any]:
        """Return the past as a checkpoint keeps it."""
        return {**dataclasses.asdict(self.past), "changes": list(self.past.changes)}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned."""
        past: dict[str, Any] = {**state, "changes": tuple(state["changes"])}
        self.past = Past(**past)
