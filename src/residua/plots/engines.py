"""How many times as fast as PyTorch each engine is, one below the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from residua.plots.axes import mark
from residua.plots.svg import INK, MARKERS, SERIES, drawing, for_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.46


@dataclass(frozen=True)
class Speed:
    """One engine.

    Args:
        name: of the engine.
        ratios: times as fast as the net as it is, for each number of pictures.
        usable: whether it is accurate enough.
    """

    name: str
    ratios: Sequence[float]
    usable: bool


def engines(rows: Sequence[Speed], batch_sizes: Sequence[int], *, narrow: bool = False) -> str:
    """Draw each engine's speed at each number of pictures; hollow where it is not accurate enough.

    Args:
        rows: the first one on top.
        batch_sizes: pictures at a time.
        narrow: for narrow windows.
    """
    with drawing(4.8 if narrow else 9.6, 1.5 + ROW * len(rows)) as figure:
        axes = figure.add_subplot()
        axes.axvline(1, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
        for place, row in enumerate(rows):
            for index, ratio in enumerate(row.ratios):
                mark(axes, (ratio, place), index, filled=row.usable)
            _write(axes, row, place)
        for index, size in enumerate(batch_sizes):
            _entry(axes, index, f"{size} picture{'' if size == 1 else 's'} at a time")
        axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=10 if narrow else 12)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, max([1.0, *(ratio for row in rows for ratio in row.ratios)]) * 1.2)
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.set_xlabel("times as fast as the net in PyTorch, as it is")
        figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=11)
        return for_page(figure, "engines-narrow" if narrow else "engines")


def _write(axes: "Axes", row: Speed, place: int) -> None:
    """Write the numbers right of the last mark."""
    axes.annotate(
        ", ".join(f"{ratio:.1f}" for ratio in row.ratios),
        (max(row.ratios), place),
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        color=INK,
        fontsize=11,
        annotation_clip=False,
    )


def _entry(axes: "Axes", index: int, label: str) -> None:
    """Put a mark into the legend without drawing it."""
    color = SERIES[index % len(SERIES)]
    shape = MARKERS[index % len(MARKERS)]
    axes.plot([], [], shape, color=color, markersize=7, label=label)
