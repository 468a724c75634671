"""How much a net misses each of its residual functions, along its depth.

Sources:
    [V] Veit et al., arXiv:1605.06431, figure 3, which this draws.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from residua.plots.axes import mark, scale_errors
from residua.plots.svg import INK, MARKERS, MUTED, SERIES, drawing, for_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def missed(
    names: Sequence[str],
    errors: Sequence[float],
    gone: Sequence[bool],
    whole: float,
    *,
    narrow: bool = False,
) -> str:
    """Draw the error without each residual function, in the order of depth.

    Args:
        names: of the blocks, short.
        errors: without the function of that block alone, in percent.
        gone: which of them were left out in the end.
        whole: error with all of them, in percent.
        narrow: for narrow windows.
    """
    with drawing(4.8 if narrow else 9.6, 3.8) as figure:
        axes = figure.add_subplot()
        axes.axhline(whole, color=INK, linewidth=1.2, linestyle=(0, (4, 2)), label="all blocks")
        for place, (error, out) in enumerate(zip(errors, gone, strict=True)):
            mark(axes, (place, error), int(out), filled=not out)
        for index, label in enumerate(("kept", "left out")):
            if index in set(map(int, gone)):
                _entry(axes, index, label)
        every = max(1, -(-len(names) // (9 if narrow else 28)))
        axes.set_xticks(
            range(0, len(names), every), names[::every], rotation=90, fontsize=9, color=MUTED
        )
        axes.set(xlabel="residual function left out, by depth", ylabel="error without it, %")
        scale_errors(axes, [*errors, whole])
        axes.margins(x=0.03)
        figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=11)
        return for_page(figure, "missed-narrow" if narrow else "missed")


def _entry(axes: "Axes", index: int, label: str) -> None:
    """Put a mark into the legend without drawing it."""
    color, marker = SERIES[index], MARKERS[index]
    face = "none" if index else color
    axes.plot([], [], marker, color=color, markerfacecolor=face, markersize=7, label=label)
