"""The cells of the papers' tables in `tables/`, found by their labels."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent / "tables"
TABLES = sorted(path.name.removesuffix(".json") for path in FOLDER.glob("*.json"))


def read(table):
    """Return the cells of a table in the order of its file."""
    return json.loads((FOLDER / f"{table}.json").read_text(encoding="utf-8"))


def normalised(label):
    """Return a label as it is compared: case and spaces do not matter."""
    return "".join(label.lower().split())


def by_label(table):
    """Return the cells of a table, each under its normalised row and column."""
    return {(normalised(cell["row"]), normalised(cell["column"])): cell for cell in read(table)}


def value(table, row, column):
    """Return the number in one cell."""
    return by_label(table)[normalised(row), normalised(column)]["value"]
