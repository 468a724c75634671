"""How many iterations the networks of a study need to come down to a training error.

The levels are the same for every study; of each network all trainings must come down to one, or
their mean would be that of the fast ones. A training has come down to a level at the first look
that finds its training error, the mean since the look before, no higher.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from residua.report.record import Record
from residua.report.twins import Twin

# In percent.
LEVELS = (80.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5)


@dataclass(frozen=True)
class Descent:
    """The iterations of one network.

    Args:
        name: of the network.
        iterations: of each level, those of each training that comes down to it.
        trainings: how many there are.
    """

    name: str
    iterations: dict[float, list[int]]
    trainings: int

    def all_reach(self, level: float) -> bool:
        """Tell whether every training comes down to a level."""
        return 0 < self.trainings == len(self.iterations[level])

    def cell(self, level: float) -> str:
        """Write the iterations to a level: their mean and standard deviation, or how many came."""
        found = self.iterations[level]
        if not found:
            return "not reached"
        if not self.all_reach(level):
            return f"{len(found)} of {self.trainings} reach it"
        mean = f"{statistics.mean(found):,.0f}"
        return mean if len(found) == 1 else f"{mean} ± {statistics.stdev(found):,.0f}"


@dataclass(frozen=True)
class Convergence:
    """The iterations of all networks.

    Args:
        levels: those that some training comes down to, in percent.
        descents: of each network.
        sentences: how each network compares with the residual one of its depth.
        step: iterations from one look at the training error to the next.
    """

    levels: list[float]
    descents: list[Descent]
    sentences: list[str]
    step: int


def convergence(twins: Sequence[Twin]) -> Convergence | None:
    """Count the iterations to every level; None if no training has come to its end."""
    ended = [twin for twin in twins if twin.finished and twin.finished[0].learning]
    if not ended:
        return None
    descents = {id(twin): descent(twin.name, twin.finished) for twin in ended}
    levels = [
        level for level in LEVELS if any(each.iterations[level] for each in descents.values())
    ]
    sentences = [
        _sentence(descents[id(twin)], descents[id(residual)])
        for residual in ended
        for twin in ended
        if twin.depth == residual.depth
        if residual.family == "residual" != twin.family
    ]
    return Convergence(levels, list(descents.values()), sentences, _step(ended[0].finished[0]))


def descent(name: str, runs: Sequence[Record]) -> Descent:
    """Find the first look at which each training is no higher than each level."""
    found = {level: [_first(run, level) for run in runs] for level in LEVELS}
    reached = {level: [at for at in each if at is not None] for level, each in found.items()}
    return Descent(name, reached, len(runs))


def _first(run: Record, level: float) -> int | None:
    looks = (row["iteration"] for row in run.learning if row["train_error"] <= level)
    return next(looks, None)


def _step(run: Record) -> int:
    first, *others = [row["iteration"] for row in run.learning]
    return others[0] - first if others else first


def _sentence(other: Descent, residual: Descent) -> str:
    """Compare two networks at the lowest level that every training of both comes down to."""
    both = f"{other.name} and {residual.name}"
    shared = [level for level in LEVELS if other.all_reach(level) and residual.all_reach(level)]
    if not shared:
        return f"No level is reached by every training of {both}, so their speeds do not compare."
    level = min(shared)
    return (
        f"The lowest level that every training of {both} reaches is {level:g} %: "
        f"{other.name} after {other.cell(level)} iterations, {residual.name} after "
        f"{residual.cell(level)}."
    )
