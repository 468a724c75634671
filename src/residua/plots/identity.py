"""Blocks that fit a function: loss against iterations, and the last loss against depth."""

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from residua.plots.axes import Label, mark, write_labels
from residua.plots.svg import MUTED, SERIES, drawing, for_page, for_slides

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (3, 1.5)), (0, (1, 1.2)))
# Losses below this are drawn at it: they are rounding.
FLOOR = 1e-12


@dataclass(frozen=True, kw_only=True)
class FitCourse:
    """Losses of a block along the way: median, smallest and largest over its trainings."""

    name: str
    iterations: Sequence[int]
    middle: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


# By target and kind of block.
FitPanels = Mapping[tuple[str, str], Sequence[FitCourse]]
# By target, kind and layers, the last loss of every training.
FitDepths = Mapping[str, Mapping[str, Mapping[int, Sequence[float]]]]


def fits(panels: FitPanels, *, note: str, narrow: bool = False) -> str:
    """Draw losses against iterations: targets below one another, kinds side by side.

    Args:
        panels: courses by target and kind.
        note: what stands below.
        narrow: for narrow windows: all panels below one another.
    """
    size = (4.8, 2.9 * len(panels) + 0.6) if narrow else (12.4, 1.7 * len(panels) + 1.2)
    with drawing(*size) as figure:
        _fits(figure, panels, note, columns=1 if narrow else 2)
        return for_page(figure, "fits-narrow" if narrow else "fits")


def fits_for_slides(panels: FitPanels, *, note: str) -> tuple[str, bytes]:
    """Draw the same on white, as SVG that needs no fonts, and as PNG of twice the size."""
    with drawing(12.4, 1.7 * len(panels) + 1.2) as figure:
        _fits(figure, panels, note, columns=2)
        picture = io.BytesIO()
        figure.savefig(
            picture, format="png", dpi=144, facecolor="white", metadata={"Software": None}
        )
        return for_slides(figure), picture.getvalue()


def fit_depths(targets: FitDepths, *, note: str) -> str:
    """Draw the last losses against the layers of a block, one panel for each target."""
    with drawing(6.0, 3.3 * len(targets) + 0.4) as figure:
        grid = figure.subplots(len(targets), 1, squeeze=False).flatten().tolist()
        for axes, (target, kinds) in zip(grid, targets.items(), strict=True):
            labels = [_depths(axes, *item, index) for index, item in enumerate(kinds.items())]
            axes.set_yscale("log")
            axes.set_title(target)
            axes.set(xlabel="layers of the block", ylabel="loss at the end")
            axes.set_xticks(sorted({layers for found in kinds.values() for layers in found}))
            axes.spines["bottom"].set_position(("outward", 6))
            write_labels(axes, labels)
        _write(figure, note)
        return for_page(figure, "fit-depths")


def _fits(figure: "Figure", panels: FitPanels, note: str, columns: int) -> None:
    rows = -(-len(panels) // columns)
    grid = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for number, (axes, ((target, kind), courses)) in enumerate(
        zip(grid, panels.items(), strict=True)
    ):
        labels = [_course(axes, course, index) for index, course in enumerate(courses)]
        axes.set_yscale("log")
        axes.set_ylim(
            _limits([c for (of, _), some in panels.items() if of == target for c in some])
        )
        axes.set_title(f"{kind} block, {target}")
        axes.set_xlim(0, courses[0].iterations[-1])
        axes.set(xlabel="iterations", ylabel="loss" if number % columns == 0 else "")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.locator_params(axis="x", nbins=5, integer=True)
        write_labels(axes, labels)
    _write(figure, note)


def _limits(courses: Sequence[FitCourse]) -> tuple[float, float]:
    """Give both kinds of block one axis for one target."""
    drawn = [loss for each in courses for loss in (*_seen(each.low), *_seen(each.high))]
    return min(drawn) / 2, max(drawn) * 2


def _course(axes: "Axes", course: FitCourse, index: int) -> Label:
    color, dash = SERIES[index % len(SERIES)], DASHES[index % len(DASHES)]
    low, middle, high = (_seen(values) for values in (course.low, course.middle, course.high))
    axes.fill_between(course.iterations, low, high, color=color, alpha=0.16, lw=0)
    axes.plot(course.iterations, middle, color=color, linewidth=1.7, linestyle=dash)
    end = (course.iterations[-1], middle[-1])
    mark(axes, end, index, filled=True)
    return Label(course.name, *end, color)


def _depths(axes: "Axes", kind: str, found: Mapping[int, Sequence[float]], index: int) -> Label:
    color = SERIES[index]
    layers = sorted(found)
    ends = [_seen(sorted(found[each])) for each in layers]
    middles = [values[len(values) // 2] for values in ends]
    axes.fill_between(
        layers, [v[0] for v in ends], [v[-1] for v in ends], color=color, alpha=0.16, lw=0
    )
    axes.plot(layers, middles, color=color, linewidth=1.7, linestyle=DASHES[2 * index])
    for point in zip(layers, middles, strict=True):
        mark(axes, point, index, filled=True)
    return Label(kind, layers[-1], middles[-1], color)


def _seen(values: Sequence[float]) -> list[float]:
    """Bring losses into what can be drawn: nothing below rounding, nothing infinite."""
    return [min(max(value, FLOOR), 1e3) for value in values]


def _write(figure: "Figure", note: str) -> None:
    width = int(figure.get_figwidth() * 13)
    figure.supxlabel(
        textwrap.fill(note, width), x=0.01, ha="left", fontsize=10, color=MUTED, linespacing=1.5
    )
