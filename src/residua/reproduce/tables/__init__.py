"""The tables, by paper: `find("he2015.table6")`, or `find("he2015")` for all of one paper."""

import importlib
from functools import cache

from residua.errors import ConfigError, closest
from residua.reproduce.cell import Table

PAPERS = ("he2015", "he2015_detection", "he2016", "wide", "highway", "depth", "mnist")


@cache
def tables() -> dict[str, Table]:
    """List all tables by their names, paper by paper."""
    modules = [importlib.import_module(f"{__name__}.{paper}") for paper in PAPERS]
    return {table.name: table for module in modules for table in module.TABLES}


def find(name: str) -> list[Table]:
    """Return the table of a name, or all tables of a paper.

    Raises:
        ConfigError: there is none; the closest names are given.
    """
    known = tables()
    found = [table for table in known.values() if name in {table.name, _paper(table)}]
    if not found:
        papers = sorted({_paper(table) for table in known.values()})
        hint = closest(name, [*known, *papers]) or f" (there are those of {', '.join(papers)})"
        raise ConfigError(f"no table is called {name}{hint}; `residua reproduce --list` shows all")
    return found


def _paper(table: Table) -> str:
    return table.name.partition(".")[0]
