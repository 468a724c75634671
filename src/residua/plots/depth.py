"""The degradation figure of [R] redrawn: plain networks beside residual ones, at several depths.

Sources:
    [R] He et al., Deep Residual Learning for Image Recognition, arXiv:1512.03385, figures 1 and 6.
"""

import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from residua.plots.axes import TRAINING, VALIDATION, Label, finish, mark, top_of, write_labels
from residua.plots.svg import INK, MUTED, SERIES, drawing, for_page, for_slides

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Panels beside one another.
ACROSS = 2
DASHES: dict[str, Any] = {
    "plain": ":",
    "pre-activation": (0, (6, 2)),
    "highway": (0, (6, 1.5, 1, 1.5)),
}


@dataclass(frozen=True)
class Band:
    """Errors in percent over several trainings: mean, smallest and largest at each iteration."""

    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class Network:
    """What became of one network.

    Args:
        name: what its line is called.
        depth: weighted layers.
        iterations: at which its errors are known.
        training: errors on the pictures it learned from.
        validation: errors on pictures it never learned from; None if none are held out.
        looks: iterations of these; those of the training errors if not given.
    """

    name: str
    depth: int
    iterations: Sequence[int]
    training: Band
    validation: Band | None
    looks: Sequence[int] | None = None

    @property
    def bands(self) -> list[Band]:
        """All that is drawn of it."""
        return [self.training, *([] if self.validation is None else [self.validation])]


def depths(families: Mapping[str, Mapping[int, tuple[float, float]]], order: Sequence[int]) -> str:
    """Draw the final training error (open) and test error (filled) of each family against depth.

    Args:
        families: by name, and by depth, training and test error in percent.
        order: all depths, in the order that gives them their colours.
    """
    with drawing(5.6, 3.7) as figure:
        axes = figure.add_subplot()
        labels = [_family(axes, name, found, order) for name, found in families.items()]
        values = [value for found in families.values() for pair in found.values() for value in pair]
        axes.set_xticks(order)
        axes.set_ylim(0, top_of(values))
        axes.spines["bottom"].set_position(("outward", 8))
        axes.set(xlabel="depth (weighted layers)", ylabel="error (%)")
        write_labels(axes, labels)
        return for_page(figure, "depths")


def degradation(
    panels: Mapping[str, Sequence[Network]], *, note: str, until: int, stacked: bool = False
) -> str:
    """Draw training and validation errors of networks of several depths, one panel per family.

    Args:
        panels: the networks of "plain", "residual" and others, in the order they are drawn.
        note: what stands below, such as how many trainings the lines are means of.
        until: iterations in all.
        stacked: one panel above the other, for narrow windows.
    """
    rows = len(panels) if stacked else math.ceil(len(panels) / ACROSS)
    with drawing(*((4.6, 0.6 + 3.3 * rows) if stacked else (12.4, 0.8 + 4.4 * rows))) as figure:
        _degradation(figure, panels, note, until, stacked)
        return for_page(figure, "degradation-stacked" if stacked else "degradation")


def degradation_for_slides(
    panels: Mapping[str, Sequence[Network]], *, note: str, until: int
) -> tuple[str, bytes]:
    """Draw the same on white, as SVG that needs no fonts, and as PNG of twice the size."""
    rows = math.ceil(len(panels) / ACROSS)
    with drawing(10.0, 0.7 + 3.8 * rows) as figure:
        _degradation(figure, panels, note, until, stacked=False)
        picture = io.BytesIO()
        figure.savefig(
            picture, format="png", dpi=192, facecolor="white", metadata={"Software": None}
        )
        return for_slides(figure), picture.getvalue()


def _degradation(
    figure: "Figure", panels: Mapping[str, Sequence[Network]], note: str, until: int, stacked: bool
) -> None:
    across = 1 if stacked else min(ACROSS, len(panels))
    shape = math.ceil(len(panels) / across), across
    grid = figure.subplots(*shape, sharey=True, squeeze=False).flatten().tolist()
    networks = [network for panel in panels.values() for network in panel]
    order = sorted({network.depth for network in networks})
    highest = [value for network in networks for band in network.bands for value in band.high]
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    for number, (axes, (title, panel)) in enumerate(zip(grid, panels.items(), strict=False)):
        labels = [_network(axes, network, order.index(network.depth)) for network in panel]
        axes.set_title(f"{title} networks")
        axes.set_ylim(0, top_of(highest))
        finish(axes, until, "error (%)" if number % across == 0 else "")
        write_labels(axes, labels)
        if not panel:
            axes.text(0.5, 0.5, "no run", transform=axes.transAxes, ha="center", color=MUTED)
    _line_key(grid[-1] if stacked else grid[across - 1])
    width = int(figure.get_figwidth() * 13)
    note = textwrap.fill(note, width)
    figure.supxlabel(note, x=0.01, ha="left", fontsize=10, color=MUTED, linespacing=1.5)


def _family(
    axes: "Axes", name: str, found: Mapping[int, tuple[float, float]], order: Sequence[int]
) -> Label:
    row = sorted(found)
    for filled, width in ((False, 1.0), (True, 1.8)):
        values = [found[depth][filled] for depth in row]
        dash = DASHES.get(name, "-")
        axes.plot(row, values, linestyle=dash, color=INK, linewidth=width, clip_on=False)
        for depth, value in zip(row, values, strict=True):
            mark(axes, (depth, value), order.index(depth), filled=filled)
    return Label(name, row[-1], found[row[-1]][1], INK)


def _network(axes: "Axes", network: Network, index: int) -> Label:
    color = SERIES[index % len(SERIES)]
    lines = [(network.iterations, network.training, TRAINING)]
    if network.validation is not None:
        looks = network.iterations if network.looks is None else network.looks
        lines.append((looks, network.validation, VALIDATION))
    for iterations, band, line in lines:
        marker = "o" if len(iterations) == 1 else ""
        axes.fill_between(iterations, band.low, band.high, color=color, alpha=0.16, lw=0)
        axes.plot(iterations, band.mean, color=color, marker=marker, markersize=4, **line)
    iterations, band, _ = lines[-1]
    end = (iterations[-1], band.mean[-1])
    mark(axes, end, index, filled=network.validation is not None)
    return Label(f"{network.name}  {end[1]:.1f} %", *end, color)


def _line_key(axes: "Axes") -> None:
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color=INK, label="validation error", **VALIDATION),
        Line2D([], [], color=INK, label="training error", **TRAINING),
    ]
    axes.legend(handles=lines, loc="upper right", frameon=False, fontsize=11)
