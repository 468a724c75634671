"""The numbers of a judgement as people read them, on pages and in a terminal."""

from typing import NamedTuple

from residua.reproduce.cell import RESPONSE
from residua.reproduce.verdict import Judgement

# What has two digits behind the point; everything else is counted.
FRACTIONS = frozenset({"percent", "points", RESPONSE})


class Shown(NamedTuple):
    """Our number, how far it is from the paper's, and how far it may be; empty if there is none."""

    ours: str
    difference: str
    tolerance: str


def shown(judgement: Judgement) -> Shown:
    """Write the numbers of a judgement, in the unit of its cell."""
    form = ".2f" if judgement.cell.unit in FRACTIONS else ",.0f"
    numbers = (
        (judgement.ours, form),
        (judgement.difference, f"+{form}"),
        (judgement.tolerance, form),
    )
    return Shown(*("" if value is None else format(value, how) for value, how in numbers))
