"""The ladder of a detector: a number of each rung below the other, joined by a line.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, table 9, which this draws.
"""

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from residua.plots.axes import mark
from residua.plots.svg import MUTED, SERIES, drawing, for_page, for_slides

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Of a metric, its value at every rung; None where a rung was not measured.
Values = Mapping[str, Sequence[float]]

ROW = 0.5


def ladder(rungs: Sequence[str], values: Values, *, note: str, narrow: bool = False) -> str:
    """Draw each metric in percent at every rung, the first rung on top.

    Args:
        rungs: what each rung adds.
        values: of each metric, one per rung.
        note: what stands below, such as which pictures.
        narrow: for narrow windows.
    """
    with drawing(*_size(rungs, 4.8 if narrow else 9.6)) as figure:
        _ladder(figure, rungs, values, note)
        return for_page(figure, "ladder-narrow" if narrow else "ladder")


def ladder_for_slides(rungs: Sequence[str], values: Values, *, note: str) -> tuple[str, bytes]:
    """Draw the same on white, as SVG that needs no fonts, and as PNG of twice the size."""
    with drawing(*_size(rungs, 9.6)) as figure:
        _ladder(figure, rungs, values, note)
        picture = io.BytesIO()
        figure.savefig(
            picture, format="png", dpi=192, facecolor="white", metadata={"Software": None}
        )
        return for_slides(figure), picture.getvalue()


def suppression(thresholds: Sequence[float], values: Values) -> str:
    """Draw each metric in percent against the IoU from which on boxes are suppressed."""
    with drawing(5.6, 3.4) as figure:
        axes = figure.add_subplot()
        for index, (name, row) in enumerate(values.items()):
            color = SERIES[index % len(SERIES)]
            axes.plot(thresholds, row, color=color, linewidth=1.6, label=name, clip_on=False)
            for point in zip(thresholds, row, strict=True):
                mark(axes, point, index, filled=True)
        axes.set_xticks(thresholds)
        axes.set(xlabel="IoU of non-maximum suppression", ylabel="%")
        axes.margins(y=0.15)
        axes.spines["bottom"].set_position(("outward", 8))
        axes.legend(frameon=False, fontsize=11)
        return for_page(figure, "suppression")


def _size(rungs: Sequence[str], width: float) -> tuple[float, float]:
    return width, 1.7 + ROW * len(rungs)


def _ladder(figure: "Figure", rungs: Sequence[str], values: Values, note: str) -> None:
    axes = figure.add_subplot()
    for index, (name, row) in enumerate(values.items()):
        _metric(axes, index, name, row)
    axes.set_yticks(range(len(rungs)), rungs, fontsize=12)
    axes.set_ylim(len(rungs) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.margins(x=0.14)
    axes.set_xlabel("%")
    figure.legend(loc="outside upper right", ncols=len(values), frameon=False, fontsize=11)
    width = int(figure.get_figwidth() * 13)
    figure.supxlabel(
        textwrap.fill(note, width), x=0.01, ha="left", fontsize=10, color=MUTED, linespacing=1.5
    )


def _metric(axes: "Axes", index: int, name: str, row: Sequence[float]) -> None:
    color, places = SERIES[index % len(SERIES)], range(len(row))
    axes.plot(row, places, color=color, linewidth=1.6, label=name, clip_on=False)
    for place, value in zip(places, row, strict=True):
        mark(axes, (value, place), index, filled=True)
        axes.annotate(
            f"{value:.1f}",
            (value, place),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontsize=11,
            annotation_clip=False,
        )
