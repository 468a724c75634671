"""What our figures have in common: scales of errors, iterations, labels at the ends of lines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from residua.plots.svg import MARKERS, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# In points, which are the pixels of our figures, with what the layout takes from them.
LINE_HEIGHT = 16.5

TRAINING: dict[str, Any] = {"linewidth": 1.3, "linestyle": (0, (4, 2)), "clip_on": False}
VALIDATION: dict[str, Any] = {"linewidth": 2.2, "clip_on": False}


@dataclass(frozen=True)
class Label:
    """Words at the end of a line."""

    words: str
    x: float
    y: float
    color: str


def mark(axes: "Axes", at: tuple[float, float], index: int, *, filled: bool) -> None:
    """Mark a point with the colour and shape of the index-th depth."""
    color = SERIES[index % len(SERIES)]
    marker = MARKERS[index % len(MARKERS)]
    face = color if filled else "none"
    axes.plot(*at, marker, color=color, markerfacecolor=face, markersize=7, clip_on=False, zorder=4)


def scale_errors(axes: "Axes", values: Sequence[float]) -> None:
    """Scale an axis of percents from 0, logarithmically above 1 % if most would be near 0."""
    if not values or max(values) <= 20 or min(values) > max(values) / 10:
        axes.set_ylim(0, top_of(values))
        return
    ticks = (0, 1, 2, 5, 10, 20, 50, 100)
    axes.set_yscale("symlog", linthresh=1, linscale=0.6)
    axes.set_yticks(ticks, [f"{tick}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(0, 100)


def top_of(values: Sequence[float]) -> float:
    """Return the upper end of an axis of percents that starts at 0."""
    highest = max([1.0, *values])
    step = 10 ** math.floor(math.log10(highest))
    return min(100.0, step * math.ceil(highest * 1.02 / step)) if highest < 100 else 100.0


def finish(axes: "Axes", until: int, ylabel: str) -> None:
    """Name both axes and end the horizontal one at the last iteration."""
    axes.set_xlim(0, until)
    axes.spines["bottom"].set_position(("outward", 5))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.locator_params(axis="x", nbins=6, integer=True)
    axes.set(xlabel="iterations", ylabel=ylabel)


def write_labels(axes: "Axes", labels: Sequence[Label]) -> None:
    """Write each label right of its point, moved up or down as far as they would overlap."""
    scale, (low, high) = axes.yaxis.get_transform(), axes.get_ylim()
    bottom, top = (float(scale.transform([y])[0]) for y in (low, high))
    gap = LINE_HEIGHT / axes.bbox.height
    ranked = sorted(labels, key=lambda label: label.y)
    wanted = [(float(scale.transform([label.y])[0]) - bottom) / (top - bottom) for label in ranked]
    for label, place in zip(ranked, _apart(wanted, gap), strict=True):
        axes.annotate(
            label.words,
            (label.x, place),
            xytext=(8, 0),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            va="center",
            color=label.color,
            fontsize=11,
            annotation_clip=False,
        )


def _apart(heights: Sequence[float], gap: float) -> list[float]:
    """Move increasing heights apart to at least `gap`, no further above 1 than they must."""
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + gap) if moved else height)
    ceiling = 1.0
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], max(ceiling, i * gap))
        ceiling = moved[i] - gap
    return moved
