"""A wide and a deep network: errors of all trainings on the left, times on the right."""

import io
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from residua.plots.axes import mark
from residua.plots.svg import MUTED, SERIES, drawing, for_page, for_slides

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# By net, the error of each training in percent.
ErrorsOfNets = Mapping[str, Sequence[float]]
# By what was timed and by net, milliseconds.
TimesOfNets = Mapping[str, Mapping[str, float]]


def width(errors: ErrorsOfNets, times: TimesOfNets, *, note: str, narrow: bool = False) -> str:
    """Draw errors and times.

    Args:
        errors: of each net, the wide one first.
        times: of each net in the same order.
        note: what stands below.
        narrow: for narrow windows: one panel above the other.
    """
    with drawing(*((4.8, 6.4) if narrow else (12.4, 3.9))) as figure:
        _width(figure, errors, times, note, narrow=narrow)
        return for_page(figure, "width-narrow" if narrow else "width")


def width_for_slides(errors: ErrorsOfNets, times: TimesOfNets, *, note: str) -> tuple[str, bytes]:
    """Draw the same on white, as SVG that needs no fonts, and as PNG of twice the size."""
    with drawing(12.4, 3.9) as figure:
        _width(figure, errors, times, note, narrow=False)
        picture = io.BytesIO()
        figure.savefig(
            picture, format="png", dpi=144, facecolor="white", metadata={"Software": None}
        )
        return for_slides(figure), picture.getvalue()


def _width(
    figure: "Figure", errors: ErrorsOfNets, times: TimesOfNets, note: str, *, narrow: bool
) -> None:
    shape = (2, 1) if narrow else (1, 2)
    left, right = figure.subplots(*shape).flatten().tolist()
    _errors(left, errors)
    _times(right, times, narrow=narrow)
    wide = int(figure.get_figwidth() * 13)
    figure.supxlabel(
        textwrap.fill(note, wide), x=0.01, ha="left", fontsize=10, color=MUTED, linespacing=1.5
    )


def _errors(axes: "Axes", errors: ErrorsOfNets) -> None:
    for place, (_, values) in enumerate(errors.items()):
        color = SERIES[place]
        for value in values:
            axes.plot(value, place, "o", color=color, markerfacecolor="none", markersize=6)
        mean = statistics.mean(values)
        mark(axes, (mean, place), place, filled=True)
        axes.annotate(
            f"{mean:.2f}",
            (max(values), place),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontsize=11,
        )
    axes.set_yticks(range(len(errors)), list(errors), fontsize=12)
    axes.set_ylim(len(errors) - 0.5, -0.5)
    axes.set_xlim(0, max(1.0, 1.25 * max(value for row in errors.values() for value in row)))
    axes.grid(visible=True, axis="x")
    axes.set_xlabel("test error (%)")
    axes.set_title("error")


def _times(axes: "Axes", times: TimesOfNets, *, narrow: bool) -> None:
    names = list(next(iter(times.values())))
    thick = 0.8 / len(names)
    top = max(value for row in times.values() for value in row.values())
    for index, name in enumerate(names):
        places = [row + (index - (len(names) - 1) / 2) * thick for row in range(len(times))]
        values = [row[name] for row in times.values()]
        axes.barh(places, values, height=0.85 * thick, color=SERIES[index], linewidth=0)
        for place, value in zip(places, values, strict=True):
            axes.text(
                value + 0.015 * top, place, f"{name}  {value:.3g} ms", va="center", fontsize=10
            )
    labels = [textwrap.fill(what, 14 if narrow else 20) for what in times]
    axes.set_yticks(range(len(times)), labels, fontsize=11)
    axes.set_ylim(len(times) - 0.5, -0.5)
    axes.set_xlim(0, top * (1.9 if narrow else 1.45))
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.set_xlabel("milliseconds")
    axes.set_title("time")
