"""What may be said of a cell, by rule, and never more than the evidence.

The tolerance is a rule and not a choice. Where the paper prints a standard deviation s of n runs,
it is `2 sqrt(s^2 / n + ours^2 / m)` for m runs of ours; of a single run of ours no deviation is
known, and s stands in its place. Where it prints none, it is twice the deviation of our runs, and
0.5 points for a single one. A count must round to what is printed.

Only runs that are the recipe's in all that changes a number are held to it. Whatever differs makes
a run a scaled one, whose number is shown and never called reproduced, however close it is.
"""

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from residua.reproduce.cell import (
    RESPONSE,
    Cell,
    Counted,
    Difference,
    Exceeds,
    OutOfScope,
    Quoted,
    Trained,
)

Verdict = Literal[
    "reproduced",
    "outside tolerance",
    "scaled down",
    "not run",
    "unverified",
    "quoted",
    "out of scope",
]
SINGLE = 0.5
# Rounding of sums of floating-point numbers, far below any printed digit.
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured for a cell, by runs of one configuration.

    Attributes:
        values: one for each seed, in the order of the seeds.
        subtracted: of the other recipe, where the cell is a difference; each has its own seeds.
        differences: in what the runs are not as the recipe says; empty if they are.
        remarks: what else belongs beside the number, such as the precision.
        folders: where the records are.
    """

    values: tuple[float, ...]
    subtracted: tuple[float, ...] = ()
    differences: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A cell beside what was measured for it.

    Attributes:
        cell: of the paper.
        verdict: what may be said.
        ours: the number, by the paper's statistic; None if there is none.
        statistic: by which it was summed up, and of how many runs.
        difference: ours minus the paper's.
        tolerance: how large that may be; None where nothing is to be compared.
        why: reasons and remarks.
        measured: what it rests on.
    """

    cell: Cell
    verdict: Verdict
    ours: float | None = None
    statistic: str = ""
    difference: float | None = None
    tolerance: float | None = None
    why: tuple[str, ...] = ()
    measured: Measured | None = None


def judge(cell: Cell, measured: Measured | None = None) -> Judgement:
    """Say what may be said of a cell.

    Args:
        cell: of the paper.
        measured: for it; None if nothing was.
    """
    unverified = cell.code == "M"
    match cell.how:
        case OutOfScope(why=why):
            verdict = "unverified" if unverified else "out of scope"
            return Judgement(cell=cell, verdict=verdict, why=(why,))
        case Quoted():
            return Judgement(cell=cell, verdict="unverified" if unverified else "quoted")
    if measured is None or not measured.values:
        return Judgement(cell=cell, verdict="unverified" if unverified else "not run")
    ours, statistic = summed_up(cell, measured)
    difference = None if cell.value is None else ours - cell.value
    allowed = _allowed(cell, measured)
    faults = (*measured.differences, *_short_of(cell, measured))
    agrees = _agrees(cell, ours, difference, allowed)
    earned: Verdict = "reproduced" if agrees else "outside tolerance"
    return Judgement(
        cell=cell,
        verdict="unverified" if unverified else "scaled down" if faults else earned,
        ours=ours,
        statistic=statistic,
        difference=difference,
        tolerance=allowed,
        why=(*faults, *measured.remarks),
        measured=measured,
    )


def tolerance(ours: Sequence[float], *, std: float | None = None, n: int | None = None) -> float:
    """Return by how much a number may differ from the printed one, in its unit.

    Args:
        ours: the numbers of our runs, one or more.
        std: standard deviation that the paper prints.
        n: of how many runs that is; without it the deviation says nothing of a mean.
    """
    several = len(ours) > 1
    if std is not None and n:
        spread = statistics.stdev(ours) if several else std
        return 2 * math.sqrt(std**2 / n + spread**2 / len(ours))
    return 2 * statistics.stdev(ours) if several else SINGLE


def summed_up(cell: Cell, measured: Measured) -> tuple[float, str]:
    """Sum up our runs as the paper does its own; what it calls single is the mean of ours."""
    if isinstance(cell.how, Counted):
        return measured.values[0], "count"
    kind = cell.statistic.partition(" of ")[0]
    values = _considered(cell, measured)
    if isinstance(cell.how, Difference):
        ours = statistics.mean(values) - statistics.mean(measured.subtracted)
        counts = f"{len(values)} and {len(measured.subtracted)}"
        return ours, f"difference of means, n = {counts}"
    match kind:
        case "median":
            return statistics.median(values), f"median, n = {len(values)}"
        case "best":
            best = max(values) if _is_good(cell) else min(values)
            return best, f"best, n = {len(values)}"
    name = "mean" if len(values) > 1 else "single run"
    return statistics.mean(values), f"{name}, n = {len(values)}"


def _considered(cell: Cell, measured: Measured) -> tuple[float, ...]:
    """Leave out, of a best, the runs that the paper had no counterpart of."""
    is_best = cell.statistic.startswith("best of ") and cell.n is not None
    return measured.values[: cell.n] if is_best else measured.values


def _short_of(cell: Cell, measured: Measured) -> list[str]:
    """Say why a best of ours is no counterpart of the paper's."""
    if not cell.statistic.startswith("best of "):
        return []
    if cell.n is None:
        return ["of how many runs the paper's is the best is not known"]
    if len(measured.values) < cell.n:
        return [f"the best of {len(measured.values)}, the paper's is of {cell.n}"]
    return []


def _is_good(cell: Cell) -> bool:
    """Tell whether more of it is better."""
    how = cell.how
    return isinstance(how, Trained) and (
        how.accuracy or re.match(r"map|coco_ap", how.metric) is not None
    )


def _allowed(cell: Cell, measured: Measured) -> float | None:
    match cell.how:
        case Counted(step=step):
            return step / 2
        case Exceeds():
            return None
        case Difference(metric=metric):
            parts = (measured.values, measured.subtracted)
            if any(len(part) < 2 for part in parts):
                # Points are no unit of responses: of single ones the paper says which is larger.
                return 0.0 if metric == RESPONSE else SINGLE
            return 2 * math.sqrt(sum(statistics.variance(part) for part in parts))
    return tolerance(_considered(cell, measured), std=cell.std, n=cell.n)


def _agrees(cell: Cell, ours: float, difference: float | None, allowed: float | None) -> bool:
    if isinstance(cell.how, Exceeds):
        return difference is not None and difference > 0
    assert allowed is not None
    if difference is None:
        return ours > allowed
    return abs(difference) <= allowed + ROUNDING * max(1.0, abs(ours))
