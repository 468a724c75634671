"""The figures of a sweep: results of all settings below one another, and the courses of errors."""

import io
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from residua.plots.axes import Label, finish, mark, scale_errors, write_labels
from residua.plots.svg import MARKERS, MUTED, SERIES, drawing, for_page, for_slides

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.42
# As many as colours and one less, so that twenty lines differ.
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.3)), (0, (6, 1.5, 1, 1.5)))


@dataclass(frozen=True)
class Dots:
    """The results of one setting.

    Args:
        name: of the setting.
        values: of each training, in percent.
        paper: in percent by column of the paper; None where it prints a word.
        words: what it prints.
    """

    name: str
    values: Sequence[float]
    paper: Mapping[str, float | None]
    words: Mapping[str, str]


@dataclass(frozen=True)
class Course:
    """Errors of one setting along the way: iteration and mean over its trainings, in percent."""

    name: str
    training: Sequence[tuple[int, float]]
    validation: Sequence[tuple[int, float]]


def dots(rows: Sequence[Dots], *, note: str, narrow: bool = False, metric: str = "error") -> str:
    """Draw a number of every training, the means, and beside them what the paper prints.

    Args:
        rows: the settings, the first one on top.
        note: what stands below, such as n.
        narrow: for narrow windows: without the paper's columns, which the table has.
        metric: what the number is, in percent.
    """
    with drawing(*_size(rows, 5.4 if narrow else 12.0)) as figure:
        _dots(figure, rows, note, columns=() if narrow else _columns(rows), metric=metric)
        return for_page(figure, "dots-narrow" if narrow else "dots")


def dots_for_slides(rows: Sequence[Dots], *, note: str, metric: str = "error") -> tuple[str, bytes]:
    """Draw the same on white, as SVG that needs no fonts, and as PNG of twice the size."""
    with drawing(*_size(rows, 12.0)) as figure:
        _dots(figure, rows, note, columns=_columns(rows), metric=metric)
        picture = io.BytesIO()
        figure.savefig(
            picture, format="png", dpi=144, facecolor="white", metadata={"Software": None}
        )
        return for_slides(figure), picture.getvalue()


def courses(rows: Sequence[Course], *, note: str, narrow: bool = False) -> str:
    """Draw the courses of all settings over one another, training and validation errors apart.

    Args:
        rows: the settings, in the order that gives them their looks.
        note: what stands below, such as n.
        narrow: for narrow windows: one panel above the other.
    """
    panels = [("training error (%)", [row.training for row in rows])]
    if any(row.validation for row in rows):
        panels.append(("validation error (%)", [row.validation for row in rows]))
    values = [y for _, lines in panels for points in lines for _, y in points]
    height = max(3.6, 0.9 + 0.3 * len(rows))
    size = (5.4, 0.5 + height * len(panels)) if narrow else (12.0, height + 0.5)
    with drawing(*size) as figure:
        shape = (len(panels), 1) if narrow else (1, len(panels))
        grid = figure.subplots(*shape, sharey=True, squeeze=False).flatten().tolist()
        for axes, (what, lines) in zip(grid, panels, strict=True):
            scale_errors(axes, values)
            _panel(axes, what, [row.name for row in rows], lines)
        _write_note(figure, note)
        return for_page(figure, "courses-narrow" if narrow else "courses")


def _panel(
    axes: "Axes", what: str, names: Sequence[str], lines: Sequence[Sequence[tuple[int, float]]]
) -> None:
    labels: list[Label] = []
    for index, (name, points) in enumerate(zip(names, lines, strict=True)):
        if points:
            labels.append(_course(axes, name, points, index))
    finish(axes, max(x for points in lines for x, _ in points), what)
    write_labels(axes, labels)


def _course(axes: "Axes", name: str, points: Sequence[tuple[int, float]], index: int) -> Label:
    """Draw a line in a look of its own: colour, dashes and the mark at its end."""
    color = SERIES[index % len(SERIES)]
    dash = DASHES[index % len(DASHES)]
    axes.plot(*zip(*points, strict=True), color=color, linewidth=1.6, linestyle=dash, clip_on=False)
    shape = MARKERS[(index + index // len(SERIES)) % len(MARKERS)]
    axes.plot(*points[-1], shape, color=color, markersize=6, clip_on=False, zorder=4)
    return Label(f"{name}  {points[-1][1]:.1f} %", *points[-1], color)


def _columns(rows: Sequence[Dots]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.paper))


def _size(rows: Sequence[Dots], width: float) -> tuple[float, float]:
    return width, 1.9 + ROW * len(rows)


def _dots(
    figure: "Figure", rows: Sequence[Dots], note: str, *, columns: Sequence[str], metric: str
) -> None:
    widths = [1.7, *(1.0 for _ in columns)]
    grid = figure.subplots(
        1, len(widths), sharey=True, squeeze=False, gridspec_kw={"width_ratios": widths}
    )
    own, *others = grid.flatten().tolist()
    _own(own, rows, metric)
    for axes, column in zip(others, columns, strict=True):
        _printed(axes, rows, column, metric)
    own.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=12)
    own.set_ylim(len(rows) - 0.5, -0.5)
    _write_note(figure, note)


def _own(axes: "Axes", rows: Sequence[Dots], metric: str) -> None:
    for place, row in enumerate(rows):
        for value in row.values:
            axes.plot(value, place, "o", color=SERIES[0], markerfacecolor="none", markersize=6)
        mean = statistics.mean(row.values)
        mark(axes, (mean, place), 0, filled=True)
        _write(axes, (max(row.values), place), f"{mean:.1f}", SERIES[0])
    _prepare(axes, f"test {metric} (%)", "here: means and trainings")


def _printed(axes: "Axes", rows: Sequence[Dots], column: str, metric: str) -> None:
    for place, row in enumerate(rows):
        value, words = row.paper.get(column), row.words.get(column, "")
        if value is not None:
            mark(axes, (value, place), 1, filled=True)
            _write(axes, (value, place), words, SERIES[1])
        elif words:
            axes.text(
                0.98, place, words, transform=axes.get_yaxis_transform(), ha="right",
                va="center", color=MUTED, fontsize=11,
            )  # fmt: skip
    _prepare(axes, f"{metric} in the paper (%)", column)


def _prepare(axes: "Axes", what: str, title: str) -> None:
    axes.grid(visible=True, axis="y")
    axes.grid(visible=True, axis="x")
    axes.margins(x=0.2)
    axes.set_xlabel(what)
    axes.set_title(textwrap.fill(title, 26))
    axes.locator_params(axis="x", nbins=5)


def _write(axes: "Axes", at: tuple[float, float], words: str, color: str) -> None:
    axes.annotate(
        words,
        at,
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        color=color,
        fontsize=11,
        annotation_clip=False,
    )


def _write_note(figure: "Figure", note: str) -> None:
    width = int(figure.get_figwidth() * 13)
    figure.supxlabel(
        textwrap.fill(note, width), x=0.01, ha="left", fontsize=10, color=MUTED, linespacing=1.5
    )
