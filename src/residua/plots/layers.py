"""What happens inside networks, layer by layer: one panel per quantity, on a logarithmic scale.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, figure 7 and section 4.1.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from residua.plots.axes import Label, mark, write_labels
from residua.plots.depth import DASHES
from residua.plots.svg import SERIES, drawing, for_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Locator


@dataclass(frozen=True)
class Layers:
    """Quantities of one network by layer.

    Args:
        name: of the network.
        family: "plain", "residual" and so on, which has a dash of its own.
        depth: weighted layers, which has a colour of its own.
        quantities: of each, a positive number per layer, in the order of the layers.
    """

    name: str
    family: str
    depth: int
    quantities: Mapping[str, Sequence[float]]


def layers(networks: Sequence[Layers], *, stacked: bool = False) -> str:
    """Draw every quantity against the layer, all networks in one panel.

    Args:
        networks: with the same quantities.
        stacked: one panel above the other, for narrow windows.
    """
    names = list(networks[0].quantities)
    size = (4.6, 3.4 * len(names)) if stacked else (4.5 * len(names), 4.4)
    order = sorted({network.depth for network in networks})
    with drawing(*size) as figure:
        shape = (len(names), 1) if stacked else (1, len(names))
        grid = figure.subplots(*shape, squeeze=False).flatten().tolist()
        for axes, name in zip(grid, names, strict=True):
            labels = [_line(axes, network, name, order) for network in networks]
            axes.set_yscale("log", subs=[])
            axes.yaxis.set_major_locator(_ticks())
            axes.yaxis.set_major_formatter("{x:g}")
            axes.set_title(name)
            axes.set(xlabel="layer, from the input")
            axes.spines["bottom"].set_position(("outward", 5))
            known = [label for label in labels if label is not None]
            for end in {label.x for label in known}:
                write_labels(axes, [label for label in known if label.x == end])
        return for_page(figure, "layers-stacked" if stacked else "layers")


def _ticks() -> "Locator":
    from matplotlib.ticker import LogLocator

    return LogLocator(subs=(1.0, 3.0))


def _line(axes: "Axes", network: Layers, name: str, order: Sequence[int]) -> Label | None:
    values = network.quantities[name]
    places = range(1, len(values) + 1)
    points = [(x, y) for x, y in zip(places, values, strict=True) if math.isfinite(y) and y > 0]
    if not points:
        return None
    index = order.index(network.depth)
    color = SERIES[index % len(SERIES)]
    dash = DASHES.get(network.family, "-")
    axes.plot(*zip(*points, strict=True), color=color, linewidth=1.5, linestyle=dash, clip_on=False)
    mark(axes, points[-1], index, filled=network.family != "plain")
    return Label(network.name, *points[-1], color)
