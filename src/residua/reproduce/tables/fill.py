"""Cells in one line each."""

from collections.abc import Sequence
from typing import Any

from residua.data.views import Views, Whole
from residua.reproduce.cell import Cell, Counted, OutOfScope, Quoted, Setting, Trained


def trained(
    row: str,
    column: str,
    recipe: str,
    statistic: str = "single run",
    *,
    metric: str = "test_error",
    views: Views | None = None,
    **more: Any,
) -> Cell:
    """Make a cell that a recipe measures; `more` are fields of the cell."""
    how = Trained(recipe=recipe, statistic=statistic, metric=metric, views=views or Whole())
    return Cell(row=row, column=column, how=how, **more)


def accuracy(
    row: str, column: str, recipe: str, statistic: str, *, source: str = "", **more: Any
) -> Cell:
    """Make a cell that prints an accuracy, whose error a recipe claims."""
    how = Trained(recipe=recipe, statistic=statistic, source=source, accuracy=True)
    return Cell(row=row, column=column, how=how, **more)


def quoted(row: str, column: str, value: float, **more: Any) -> Cell:
    """Make a cell with other people's number."""
    fields: dict[str, Any] = {"said": "not stated", **more}
    return Cell(row=row, column=column, how=Quoted(), stated=value, **fields)


def outside(row: str, column: str, value: float, why: str, **more: Any) -> Cell:
    """Make a cell whose number is not measured here."""
    return Cell(row=row, column=column, how=OutOfScope(why=why), stated=value, **more)


def counted(row: str, column: str, value: float, how: Counted, **more: Any) -> Cell:
    """Make a cell that is counted of a net."""
    unit = "multiply-adds" if how.what == "multiply_adds" else "parameters"
    return Cell(row=row, column=column, how=how, stated=value, unit=unit, said="count", **more)


def pairs(
    rows: Sequence[tuple[str, float | None, float | None]], columns: tuple[str, str], **more: Any
) -> list[Cell]:
    """Make quoted cells of two columns; None is an empty one."""
    return [
        quoted(row, column, value, **more)
        for row, *values in rows
        for column, value in zip(columns, values, strict=True)
        if value is not None
    ]


def layers(*rows: tuple[str, float]) -> tuple[Setting, ...]:
    """Make settings of the number of layers of some rows."""
    return tuple(
        Setting(row=row, column="layers", value=value, unit="layers") for row, value in rows
    )
