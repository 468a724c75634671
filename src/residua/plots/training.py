"""The figures of a detector's training: the terms of its loss, and its mean average precision."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from residua.plots.axes import VALIDATION, Label, finish, top_of, write_labels
from residua.plots.svg import INK, SERIES, drawing, for_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Locator

Points = Sequence[tuple[float, float]]

# A term is told from its neighbours by its dashes, too.
DASHES: tuple[Any, ...] = ((0, (4, 2)), (0, (1, 1.5)), (0, (6, 1.5, 1, 1.5)), (0, (9, 2)))


def terms(total: Points, parts: Mapping[str, Points], *, until: int) -> str:
    """Draw a loss and the terms it is the sum of, logarithmically if they span a factor of 20.

    Args:
        total: iteration and loss.
        parts: the same of each term by its name; a term of exactly 0 was not computed.
        until: iterations in all.
    """
    known = {name: [(x, y if y else math.nan) for x, y in part] for name, part in parts.items()}
    values = [y for points in (total, *known.values()) for _, y in points if math.isfinite(y)]
    with drawing(5.6, 4.2) as figure:
        axes = figure.add_subplot()
        labels = _line(axes, "sum", total, INK, "{:.2g}", linewidth=2.2, clip_on=False)
        for (name, points), color, dash in zip(known.items(), SERIES, DASHES, strict=False):
            labels += _line(
                axes, name, points, color, "{:.2g}", linewidth=1.5, linestyle=dash, clip_on=False
            )
        if values and 0 < 20 * min(values) < max(values):
            axes.set_yscale("log", subs=[])
            axes.yaxis.set_major_locator(_ticks())
            axes.yaxis.set_major_formatter("{x:g}")
        else:
            axes.set_ylim(bottom=0)
        finish(axes, until, "loss")
        write_labels(axes, labels)
        return for_page(figure, "terms")


def precisions(
    lines: Mapping[str, Points], *, until: int, test: tuple[float, float] | None = None
) -> str:
    """Draw mean average precisions in percent against iterations.

    Args:
        lines: iteration and value of each by its name, the first one bold.
        until: iterations in all.
        test: iteration of the tested weights, and what the first one is for the test pictures.
    """
    shown = [*(point for points in lines.values() for point in points), *([test] if test else [])]
    with drawing(5.6, 4.2) as figure:
        axes = figure.add_subplot()
        looks = [VALIDATION, {"linewidth": 1.5, "linestyle": DASHES[0], "clip_on": False}]
        labels: list[Label] = []
        for (name, points), color, look in zip(lines.items(), SERIES, looks, strict=False):
            labels += _line(axes, name, points, color, "{:.1f} %", **look)
        if test is not None:
            axes.plot(*test, "D", color=INK, markersize=6, clip_on=False, zorder=5)
            labels.append(Label(f"test {test[1]:.1f} %", *test, INK))
        axes.set_ylim(0, top_of([y for _, y in shown if math.isfinite(y)]))
        finish(axes, until, "mean average precision (%)")
        write_labels(axes, labels)
        return for_page(figure, "precisions")


def _ticks() -> "Locator":
    from matplotlib.ticker import LogLocator

    return LogLocator(subs=(1.0, 2.0, 5.0))


def _line(
    axes: "Axes", name: str, points: Points, color: str, form: str, **look: Any
) -> list[Label]:
    """Draw a line with gaps where there is no number, and a dot where there is only one."""
    finite = [(x, y) for x, y in points if math.isfinite(y)]
    if not finite:
        return []
    marker = "o" if len(finite) == 1 else ""
    axes.plot(*zip(*points, strict=True), color=color, marker=marker, **look)
    return [Label(f"{name} {form.format(finite[-1][1])}", *finite[-1], color)]
