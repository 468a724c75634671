"""The figures of one run: errors, losses, learning rate, confusions."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from residua.plots.axes import TRAINING, VALIDATION, Label, finish, scale_errors, write_labels
from residua.plots.svg import INK, SERIES, drawing, for_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = Sequence[tuple[float, float]]

SHORT_NAME = 14
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def errors(
    training: Points, validation: Points, *, until: int, test: tuple[float, float] | None = None
) -> str:
    """Draw errors in percent against iterations, logarithmically above 1 % where that shows more.

    Args:
        training: iteration and error on the pictures as they were learned from.
        validation: iteration and error on the validation pictures.
        until: iterations in all.
        test: iteration of the tested weights, and their error.
    """
    with drawing(5.6, 3.7) as figure:
        axes = figure.add_subplot()
        labels = _pair(axes, training, validation, "{:.1f} %")
        if test is not None:
            axes.plot(*test, "D", color=INK, markersize=6, clip_on=False, zorder=5)
            labels.append(Label(f"test {test[1]:.1f} %", *test, INK))
        shown = [*training, *validation, *([test] if test else [])]
        scale_errors(axes, [y for _, y in shown if math.isfinite(y)])
        finish(axes, until, "error (%)")
        write_labels(axes, labels)
        return for_page(figure, "errors")


def losses(training: Points, validation: Points, *, until: int) -> str:
    """Draw losses in nats against iterations, logarithmically if they span a factor of 20."""
    with drawing(5.6, 3.7) as figure:
        axes = figure.add_subplot()
        labels = _pair(axes, training, validation, "{:.2g}")
        values = [y for _, y in [*training, *validation] if math.isfinite(y)]
        if values and 0 < 20 * min(values) < max(values):
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(_power)
            axes.minorticks_off()
        else:
            axes.set_ylim(bottom=0)
        finish(axes, until, "cross-entropy (nats)")
        write_labels(axes, labels)
        return for_page(figure, "losses")


def rates(planned: Points, used: Points, *, until: int) -> str:
    """Draw the learning rate that was planned, and at dots the one that was used.

    A planned rate of NaN is a gap: what comes there is not known beforehand.
    """
    with drawing(5.6, 3.0) as figure:
        axes = figure.add_subplot()
        axes.plot(*zip(*planned, strict=True), color=SERIES[0], linewidth=2)
        if used:
            axes.plot(*zip(*used, strict=True), "o", color=INK, markersize=2.5, zorder=3)
        axes.set_ylim(bottom=0)
        finish(axes, until, "learning rate")
        return for_page(figure, "rates")


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """Draw how many pictures of each class (row) were taken for which (column)."""
    size = len(counts)
    with drawing(5.6, 5.4) as figure:
        axes = figure.add_subplot(aspect="equal")
        for row, line in enumerate(counts):
            for column, count in enumerate(line):
                if count:
                    _cell(axes, row, column, count, count / sum(line))
        names = [_short(name) for name in classes]
        turned = 90 if max(map(len, names)) > 2 else 0
        small = {"fontsize": 11 if size <= 10 else 8, "parse_math": False}
        axes.set_xticks(range(size), names, rotation=turned, **small)
        axes.set_yticks(range(size), names, **small)
        axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
        axes.set(xlabel="predicted", ylabel="label")
        axes.set_xticks([i + 0.5 for i in range(size - 1)], minor=True)
        axes.set_yticks([i + 0.5 for i in range(size - 1)], minor=True)
        axes.grid(visible=False)
        axes.grid(visible=True, which="minor", axis="both", linewidth=0.6)
        axes.tick_params(which="both", length=0)
        return for_page(figure, "confusion")


def _pair(axes: "Axes", training: Points, validation: Points, form: str) -> list[Label]:
    """Draw training (thin, dashed) and validation (bold) lines, without what is not finite."""
    labels = []
    for name, points, color, line in (
        ("training", training, SERIES[1], TRAINING),
        ("validation", validation, SERIES[0], VALIDATION),
    ):
        finite = [(x, y) for x, y in points if math.isfinite(y)]
        if finite:
            marker = "o" if len(finite) == 1 else ""
            axes.plot(*zip(*finite, strict=True), color=color, marker=marker, **line)
            labels.append(Label(f"{name} {form.format(finite[-1][1])}", *finite[-1], color))
    return labels


def _power(value: float, _position: float) -> str:
    """Write a power of ten: plainly near 1, else as "10⁷"."""
    if 1e-3 <= value <= 1e3:
        return f"{value:g}"
    return f"10{str(round(math.log10(value))).translate(RAISED)}"


def _cell(axes: "Axes", row: int, column: int, count: int, share: float) -> None:
    from matplotlib.patches import Rectangle

    color = SERIES[0] if row == column else SERIES[1]
    face = {"facecolor": color, "alpha": 0.18 + 0.32 * share, "linewidth": 0}
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **face))
    axes.text(column, row, f"{count}", ha="center", va="center", fontsize="small")


def _short(name: str) -> str:
    return name if len(name) <= SHORT_NAME else f"{name[: SHORT_NAME - 1]}…"
