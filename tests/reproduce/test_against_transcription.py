"""Two transcriptions that were made apart agree cell by cell.

The one is `tests/golden/tables`, typed from the facts alone; the other are the tables of the
package with the claims of its recipes. Labels are compared without case and spaces, counts in their
full size, and of codes the strongest. What one of them has and the other has not is named here.
"""

import json
from pathlib import Path

import pytest

from residua.reproduce.cell import Counted, Difference, Exceeds, Setting
from residua.reproduce.tables import tables

FOLDER = Path(__file__).parents[1] / "golden" / "tables"
THEIRS = {
    path.name.removesuffix(".json"): json.loads(path.read_text())
    for path in FOLDER.iterdir()
    if path.suffix == ".json"
}
# Not transcribed: evaluations of released weights, and the best single runs.
OURS_ALONE = {"he2015.release", "wide.best"}
SIZES = {"thousand": 1e3, "million": 1e6, "giga": 1e9}
UNITS = {"seconds per epoch": "seconds"}


def normalised(label):
    return "".join(label.casefold().split())


def place(cell):
    row, column = (
        (cell["row"], cell["column"]) if isinstance(cell, dict) else (cell.row, cell.column)
    )
    return normalised(row), normalised(column)


def their(cell):
    """A transcribed cell as ours are: its number in full size, other words by our names."""
    size, _, unit = cell["unit"].partition(" ")
    factor = SIZES.get(size, 1.0)
    value = None if cell["value"] is None else round(cell["value"] * factor, 6)
    named = UNITS.get(cell["unit"], unit if size in SIZES else cell["unit"])
    return value, named, statistic(cell["statistic"]), cell["std"], cell["n"]


def our(cell):
    value, unit = cell.value, cell.unit
    if isinstance(cell, Setting):
        return round(value, 6), unit, "said", None, None
    if isinstance(cell.how, Exceeds) and "fail" in cell.note:
        value = None
    value = None if value is None else round(value, 6)
    return value, unit, statistic(cell.statistic, cell), cell.std, cell.n


def statistic(name, cell=None):
    """Bring statistics to one set of names.

    A number that stands alone in a table is called "single run" by recipes and "not stated" by the
    facts, which do not say how many runs there were; so are lower bounds. Best and mean of nobody
    knows how many are called "of several" by recipes.
    """
    if name in {"setting", "count"}:
        return "said"
    if cell is not None and cell.unit in {"parameters", "multiplications", "multiply-adds"}:
        return "said"
    if name in {"single run", "not stated", "lower bound"}:
        return "alone"
    return name.removesuffix(" of several")


def code_of(cell):
    """The strongest code; the post on MNIST has none in the facts, and is here in full."""
    return (cell["code"] or "P")[0]


CASES = [(table, cell) for table, cells in THEIRS.items() for cell in cells]


@pytest.mark.parametrize("table", THEIRS)
def test_every_transcribed_cell_is_there_and_equal(table):
    ours = {place(c): c for c in (*tables()[table].cells, *tables()[table].settings)}
    differences = {}
    for cell in THEIRS[table]:
        found = ours.get(place(cell))
        if found is None:
            differences[place(cell)] = "is not there"
            continue
        value, unit, named, std, n = their(cell)
        expected = (value, unit, named, std, 1 if cell["statistic"] == "single run" else n)
        told = our(found)
        told = (*told[:4], 1 if cell["statistic"] == "single run" else told[4])
        if told != expected:
            differences[place(cell)] = (told, expected)
        elif not isinstance(found, Setting) and found.code != code_of(cell):
            differences[place(cell)] = (found.code, code_of(cell))
    assert differences == {}


def test_we_have_no_table_and_no_cell_that_was_not_transcribed_but_those_named_here():
    assert tables().keys() - THEIRS.keys() == OURS_ALONE
    more = []
    for table, cells in THEIRS.items():
        known = {place(cell) for cell in cells}
        for cell in (*tables()[table].cells, *tables()[table].settings):
            if place(cell) in known or isinstance(cell, Setting):
                more += [(table, cell)] if place(cell) not in known else []
            elif cell.value is not None and not isinstance(cell.how, Difference):
                more.append((table, cell))
    # The text of two papers says how many parameters wide nets have.
    wide = {"wide.convs_per_block", "wide.width_depth"}
    assert [cell for table, cell in more if table not in wide] == []
    assert all(isinstance(cell.how, Counted) for _, cell in more)


@pytest.mark.parametrize("change", [0.01, -1.0])
def test_a_slip_in_a_number_would_be_found(change):
    cell = next(c for c in THEIRS["he2015.table6"] if c["row"] == "ResNet-20")
    assert their(cell) != their(cell | {"value": cell["value"] + change})
    assert len(CASES) > 450
