"""The loss of several networks over a plane through their weights, as contour lines."""

import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from residua.plots.svg import INK, MUTED, SERIES, drawing, for_page, for_slides

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Values at each place: one row for each step along the second direction.
Heights = Sequence[Sequence[float]]


def levels(planes: Sequence[Heights]) -> list[float]:
    """Choose heights that all planes are cut at: 1, 2 and 5 in every power of ten between them."""
    values = [value for plane in planes for row in plane for value in row if math.isfinite(value)]
    low, high = max(min(values), 1e-6), max(values)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(max(high, low))) + 1)
    found = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    return [level for level in found if low < level < high][-12:]


def contours(
    planes: Mapping[str, Heights],
    at: Sequence[float],
    *,
    name: str,
    note: str,
    narrow: bool = False,
) -> str:
    """Draw one panel for each network, all cut at the same heights, which their lines say.

    Args:
        planes: the loss of each network.
        at: the steps along both directions.
        name: of the figure in the page.
        note: what stands below.
        narrow: for narrow windows.
    """
    with drawing(*_size(len(planes), narrow=narrow)) as figure:
        _contours(figure, planes, at, note, stacked=narrow)
        return for_page(figure, f"{name}-narrow" if narrow else name)


def contours_for_slides(
    planes: Mapping[str, Heights], at: Sequence[float], *, note: str
) -> tuple[str, bytes]:
    """Draw the same on white, as SVG that needs no fonts, and as PNG of twice the size."""
    with drawing(*_size(len(planes), narrow=False)) as figure:
        _contours(figure, planes, at, note, stacked=False)
        picture = io.BytesIO()
        figure.savefig(
            picture, format="png", dpi=192, facecolor="white", metadata={"Software": None}
        )
        return for_slides(figure), picture.getvalue()


def _size(count: int, *, narrow: bool) -> tuple[float, float]:
    if narrow:
        return 4.6, 4.3 * count + 0.7
    return (12.4, 12.4 / count + 0.9) if count > 2 else (5.4 * count + 0.6, 5.9)


def _contours(
    figure: "Figure",
    planes: Mapping[str, Heights],
    at: Sequence[float],
    note: str,
    *,
    stacked: bool,
) -> None:
    shape = (len(planes), 1) if stacked else (1, len(planes))
    grid = figure.subplots(*shape, squeeze=False).flatten().tolist()
    cuts = levels(list(planes.values()))
    for axes, (title, heights) in zip(grid, planes.items(), strict=True):
        _plane(axes, heights, at, cuts)
        axes.set_title(title)
        axes.set_xlabel("first direction (filter norms)")
        axes.set_ylabel("second direction (filter norms)" if axes is grid[0] or stacked else "")
    figure.supxlabel(
        textwrap.fill(note, int(figure.get_figwidth() * 13)),
        x=0.01,
        ha="left",
        fontsize=10,
        color=MUTED,
        linespacing=1.5,
    )


def _plane(axes: "Axes", heights: Heights, at: Sequence[float], cuts: Sequence[float]) -> None:
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.plot(0, 0, "+", color=SERIES[1], markersize=11, markeredgewidth=2, zorder=4)
    drawn = [cut for cut in cuts if min(map(min, heights)) < cut < max(map(max, heights))]
    if not drawn:
        axes.set_xlim(at[0], at[-1])
        axes.set_ylim(at[0], at[-1])
        axes.text(0, 0.5, "flat between all heights", ha="center", color=MUTED)
        return
    widths = [1.7 if f"{cut:.0e}".startswith("1") else 0.9 for cut in drawn]
    lines = axes.contour(at, at, heights, levels=drawn, colors=INK, linewidths=widths)
    axes.clabel(lines, fmt="%g", fontsize=9, inline=True)
