"""Precision against recall: all classes and their mean, then each class for itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from residua.plots.svg import INK, LINE, MUTED, SERIES, drawing, for_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS, NARROW_COLUMNS = 4, 2
MOST_PANELS = 24
SHORT_NAME = 18


@dataclass(frozen=True)
class PrecisionRecall:
    """The curve of one class.

    Args:
        name: of the class.
        precision: interpolated, at equally spaced recalls from 0 to 1, in [0, 1].
        ap: in percent.
        objects: that there are to find.
    """

    name: str
    precision: Sequence[float]
    ap: float
    objects: int


def precision_recall(
    classes: Sequence[PrecisionRecall], *, note: str = "", narrow: bool = False
) -> str:
    """Draw the mean over the classes, bold, and a panel of each class with the mean behind it.

    Of more classes than fit, those with the smallest average precision have panels.

    Args:
        classes: those that have objects, at least one; their curves are of the same recalls.
        note: stands below.
        narrow: for a screen as wide as a hand.
    """
    mean = [
        sum(values) / len(classes) for values in zip(*(c.precision for c in classes), strict=True)
    ]
    panels = list(classes) if len(classes) > 1 else []
    if len(panels) > MOST_PANELS - 1:
        panels = sorted(classes, key=lambda it: it.ap)[: MOST_PANELS - 1]
    count = 1 + len(panels)
    columns = min(NARROW_COLUMNS if narrow else COLUMNS, count)
    rows = math.ceil(count / columns)
    with drawing(2.9 * columns + 0.3, 2.5 * rows + 0.5) as figure:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        cells = grid.flatten().tolist()
        _all(cells[0], classes, mean)
        for axes, one in zip(cells[1:], panels, strict=False):
            _line(axes, mean, MUTED, 1.1, (0, (2, 2)))
            _line(axes, one.precision, SERIES[0], 2.2)
            _title(axes, _short(one.name), one.ap, _objects(one.objects))
        for axes in cells[count:]:
            axes.set_axis_off()
        for axes in cells[:count]:
            axes.set(xlim=(0, 100), ylim=(0, 100), xticks=(0, 50, 100), yticks=(0, 50, 100))
            axes.tick_params(labelbottom=axes in cells[max(0, count - columns) : count])
        for row in grid:
            row[0].set_ylabel("precision (%)")
        figure.supxlabel(f"recall (%){f'.  {note}' if note else ''}", fontsize=11, color=MUTED)
        return for_page(figure, f"precision-recall{'-narrow' if narrow else ''}")


def _all(axes: "Axes", classes: Sequence[PrecisionRecall], mean: Sequence[float]) -> None:
    for one in classes if len(classes) > 1 else ():
        _line(axes, one.precision, MUTED if len(classes) < MOST_PANELS else LINE, 0.8)
    _line(axes, mean, INK, 2.6)
    several = len(classes) > 1
    name = f"mean of {len(classes)} classes" if several else _short(classes[0].name)
    ap = sum(one.ap for one in classes) / len(classes)
    _title(axes, name, ap, _objects(sum(one.objects for one in classes)))


def _line(
    axes: "Axes",
    precision: Sequence[float],
    color: str,
    width: float,
    dash: str | tuple[int, tuple[int, int]] = "-",
) -> None:
    steps = len(precision) - 1
    recalls = [100 * i / steps for i in range(steps + 1)]
    values = [100 * value for value in precision]
    axes.plot(recalls, values, color=color, linewidth=width, linestyle=dash, clip_on=False)


def _title(axes: "Axes", name: str, ap: float, objects: str) -> None:
    axes.set_title(name, fontsize=12, parse_math=False)
    axes.text(
        3,
        5,
        f"AP {ap:.1f} %\n{objects}",
        fontsize=10,
        color=MUTED,
        va="bottom",
        linespacing=1.4,
    )


def _objects(count: int) -> str:
    return f"{count:,} object{'' if count == 1 else 's'}"


def _short(name: str) -> str:
    return name if len(name) <= SHORT_NAME else f"{name[: SHORT_NAME - 1]}…"
