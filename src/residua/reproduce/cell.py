"""The tables of the papers as data: a cell, what is printed in it, and what would measure it.

A cell that a recipe measures has no number of its own: it is the one that the recipe claims, so
that a number stands in one place. Others hold theirs.
"""

import re
from dataclasses import dataclass
from typing import Literal

from residua import recipes
from residua.config import settings
from residua.data.views import Views, Whole
from residua.errors import ConfigError
from residua.experiment import Claim
from residua.nets.catalogue import NetConfig

# How sure it is that a paper prints a value:
#     P  read in a transcription of the paper        R  read in the authors' repository
#     D  derived by computation                      S  read in a secondary source alone
#     M  from memory: no source was seen
Code = Literal["P", "R", "D", "S", "M"]
# A metric of trained nets that no training measures: the mean deviation of their layers' responses.
RESPONSE = "response"


@settings
class Trained:
    """What a recipe measures; the number is its claim of this metric, statistic and protocol.

    Attributes:
        recipe: its full name.
        statistic: that of the claim.
        metric: that of the claim.
        views: that of the claim.
        source: a part of the claim's source, where the recipe has several claims of a kind.
        accuracy: the paper prints 100 minus the error that is claimed.
        pictures: learned from and tested on, where the data set alone does not say.
    """

    recipe: str
    statistic: str = "single run"
    metric: str = "test_error"
    views: Views = Whole()
    source: str = ""
    accuracy: bool = False
    pictures: tuple[int, int] | None = None


@settings
class Exceeds:
    """What a recipe measures, of which a paper says only that it is above the value of the cell.

    Attributes:
        recipe: its full name.
        metric: that is above.
    """

    recipe: str
    metric: str = "test_error"


@settings
class Difference:
    """By how much one recipe's number is above another's; without a value, that it is at all.

    Attributes:
        larger: the recipe whose number is said to be the larger one.
        smaller: the other recipe.
        metric: of both.
        views: of both.
    """

    larger: str
    smaller: str
    metric: str = "test_error"
    views: Views = Whole()


@settings
class Evaluated:
    """What a network with given weights is tested for, without any training.

    Attributes:
        name: by which `--weights` speaks of it.
        net: the network that the paper's weights are of.
        origin: whose weights the paper's are, by the names of `residua.nets.names`.
        views: what is looked at.
        metric: "test_error" or "top5_error".
    """

    name: str
    net: NetConfig
    origin: str
    views: Views
    metric: str = "test_error"


@settings
class Counted:
    """What a network is counted for, without data.

    Attributes:
        net: the network.
        what: multiply-adds, parameters, or parameters without those of batch normalization.
        step: one of the last digit that is printed.
    """

    net: NetConfig
    what: Literal["multiply_adds", "parameters", "weights"]
    step: float


@settings
class Quoted:
    """Other people's number, which the paper repeats; no recipe here makes it."""


@settings
class OutOfScope:
    """A number that this package does not measure.

    Attributes:
        why: as a sentence's end, such as "its layout is not published".
    """

    why: str


@settings
class Setting:
    """A number of a table that says what was done; there is nothing in it to be measured.

    Attributes:
        row: its label.
        column: its label.
        value: as printed.
        unit: of the number.
    """

    row: str
    column: str
    value: float
    unit: str


How = Trained | Exceeds | Difference | Evaluated | Counted | Quoted | OutOfScope


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table.

    Attributes:
        row: its label.
        column: its label.
        how: what would measure it.
        stated: the printed number; None where a recipe claims it, or the paper prints none.
        unit: of the number.
        said: the statistic, where no recipe claims it.
        std: standard deviation that is printed with the number.
        digits: after the point, as printed.
        code: how sure it is that this is what the paper prints.
        note: what a reader of the number should know.
    """

    row: str
    column: str
    how: How
    stated: float | None = None
    unit: str = "percent"
    said: str = "single run"
    std: float | None = None
    digits: int = 2
    code: Code = "P"
    note: str = ""

    @property
    def value(self) -> float | None:
        """The number that the paper prints; None where it prints none."""
        if not isinstance(self.how, Trained):
            return self.stated
        claimed = claim_of(self.how).value
        return round(100 - claimed, 6) if self.how.accuracy else claimed

    @property
    def statistic(self) -> str:
        """Of how many runs, and how they are summed up."""
        return self.how.statistic if isinstance(self.how, Trained) else self.said

    @property
    def n(self) -> int | None:
        """The number of runs, where it is printed."""
        found = re.search(r" of (\d+)", self.statistic)
        return int(found[1]) if found else None

    @property
    def printed(self) -> str:
        """The number as it stands in the paper."""
        value = self.value
        if value is None:
            return "larger" if isinstance(self.how, Difference) else ""
        if self.unit not in {"percent", "points", "seconds"}:
            return in_units(value, self.digits)
        text = f"{'> ' if isinstance(self.how, Exceeds) else ''}{value:.{self.digits}f}"
        return text if self.std is None else f"{text} ± {self.std:.{self.digits}f}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table or figure of a paper.

    Attributes:
        name: such as "he2015.table6".
        title: what it shows.
        source: the paper, and which table.
        cells: row by row.
        settings: the numbers of the table that are no results.
        note: what a reader of all of them should know.
    """

    name: str
    title: str
    source: str
    cells: tuple[Cell, ...]
    settings: tuple[Setting, ...] = ()
    note: str = ""


def claim_of(how: Trained) -> Claim:
    """Find the claim of a recipe that a cell stands for.

    Raises:
        ConfigError: it has none such, or several.
    """
    found = [
        claim
        for claim in recipes.find(how.recipe).claims
        if (claim.metric, claim.statistic, claim.views) == (how.metric, how.statistic, how.views)
        and how.source in claim.source
    ]
    if len(found) != 1:
        raise ConfigError(
            f"{how.recipe} must have one claim of {how.metric}, {how.statistic}, "
            f"{how.views.protocol}, got {len(found)}: a cell takes its number from it"
        )
    return found[0]


def in_units(value: float, digits: int) -> str:
    """Write a count as papers do: 1.8 G, 0.27 M, 39 K."""
    if value < 1e6 and not digits:
        return f"{value / 1e3:.0f} K"
    scale, letter = (1e9, "G") if value >= 1e9 else (1e6, "M")
    return f"{value / scale:.{digits}f} {letter}"
