"""How surely two means over seeds differ.

Two groups of the same seeds are compared pair by pair: `t = mean(d) / (std(d) / sqrt(n))` for the
differences d of each seed, with n - 1 degrees of freedom. Others are compared by Welch's test,
which lets the groups have different spreads: `t = (mean(y) - mean(x)) / sqrt(a + b)` for
`a = var(x) / n` and `b = var(y) / m`, with `(a + b)^2 / (a^2 / (n - 1) + b^2 / (m - 1))` degrees of
freedom (Welch 1947; Satterthwaite 1946). A single training has no spread, so nothing is claimed of
it.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["paired by seed", "Welch"]
# An outcome rarer than this under equal means is called a difference.
LEVEL = 0.05


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The difference of two means, and what may be said of it.

    Attributes:
        n: trainings of the first group and of the other.
        difference: the other's mean minus the first's.
        kind: the test; None if there is none.
        low: lower end of the 95 % interval of the difference.
        high: upper end of it.
        p: of so large a difference, either way, if the means were equal.
        freedom: degrees of freedom.
        why: there is no test, as a phrase; empty if there is one.
    """

    n: tuple[int, int]
    difference: float
    kind: Kind | None = None
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    freedom: float = math.nan
    why: str = ""


def contrast(first: Mapping[int, float], other: Mapping[int, float]) -> Contrast:
    """Compare two groups of numbers that are known by their seeds, one or more of each.

    They are compared pair by pair if their seeds are the same, and by Welch's test otherwise.
    """
    n = len(first), len(other)
    difference = statistics.fmean(other.values()) - statistics.fmean(first.values())
    if min(n) < 2:
        why = f"n = {n[0]} and {n[1]}: no test with fewer than two seeds of each"
        return Contrast(n=n, difference=difference, why=why)
    kind: Kind = "paired by seed" if first.keys() == other.keys() else "Welch"
    if kind == "Welch":
        error, freedom = _welch(list(first.values()), list(other.values()))
    else:
        pairs = [other[seed] - value for seed, value in first.items()]
        error, freedom = _standard_error(pairs), n[0] - 1.0
    # Sums of the same numbers in another order may leave a rest.
    if error <= 1e-12 * max(1.0, abs(difference)):
        return Contrast(n=n, difference=difference, why="the seeds do not spread: no test")
    return _tested(n, difference, kind, error, freedom)


def holm(chances: Sequence[float]) -> list[float]:
    """Correct the p of several tests for their number (Holm 1979); NaN is no test.

    The smallest of m is multiplied by m, the next by m - 1, and none falls below one before it.
    """
    ranked = sorted((p, place) for place, p in enumerate(chances) if not math.isnan(p))
    corrected, least = [math.nan] * len(chances), 0.0
    for rank, (p, place) in enumerate(ranked):
        least = max(least, min(1.0, p * (len(ranked) - rank)))
        corrected[place] = least
    return corrected


def _tested(
    n: tuple[int, int], difference: float, kind: Kind, error: float, freedom: float
) -> Contrast:
    from scipy.special import stdtr, stdtrit

    half = float(stdtrit(freedom, 0.975)) * error
    return Contrast(
        n=n,
        difference=difference,
        kind=kind,
        low=difference - half,
        high=difference + half,
        p=2 * float(stdtr(freedom, -abs(difference) / error)),
        freedom=freedom,
    )


def _standard_error(values: Sequence[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values))


def _welch(first: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Return the standard error of a difference of means, and the degrees of freedom."""
    a, b = _standard_error(first) ** 2, _standard_error(other) ** 2
    if a + b == 0:
        return 0.0, math.nan
    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(other) - 1))
    return math.sqrt(a + b), freedom
