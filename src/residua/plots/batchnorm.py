"""Batch normalization examined: error against the size of a batch, and drift of every layer."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from residua.plots.axes import Label, mark, scale_errors, write_labels
from residua.plots.svg import INK, MUTED, SERIES, drawing, for_page, for_slides

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Layers whose names are written beside their marks.
NAMED = 3


@dataclass(frozen=True, kw_only=True)
class BatchErrors:
    """Errors in percent, by the statistics that a net normalizes with.

    Args:
        sizes: of batches, in pictures.
        found: with the statistics of batches of each size, one error for every order of pictures.
        kept: by name, with statistics that do not depend on the batch.
    """

    sizes: Sequence[int]
    found: Sequence[Sequence[float]]
    kept: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Drifts:
    """How far each layer's statistics are off, in standard deviations, in the order of the net.

    Args:
        names: of the layers.
        values: of each.
        bound: from which on a layer is said to have drifted.
    """

    names: Sequence[str]
    values: Sequence[float]
    bound: float


def batch_errors(shown: BatchErrors) -> str:
    """Draw errors with the statistics of batches, mean and range, and those that stay the same."""
    with drawing(5.8, 4.0) as figure:
        _batch_errors(figure.add_subplot(), shown)
        return for_page(figure, "batch-errors")


def drifts(shown: Drifts) -> str:
    """Draw how far every layer is off, and name those that are furthest."""
    with drawing(5.8, 4.0) as figure:
        _drifts(figure.add_subplot(), shown)
        return for_page(figure, "drifts")


def batchnorm_for_slides(errors: BatchErrors, layers: Drifts) -> tuple[str, bytes]:
    """Draw both on white, as SVG that needs no fonts, and as PNG of twice the size."""
    with drawing(12.4, 4.2) as figure:
        left, right = figure.subplots(1, 2).flatten().tolist()
        _batch_errors(left, errors)
        _drifts(right, layers)
        picture = io.BytesIO()
        figure.savefig(
            picture, format="png", dpi=144, facecolor="white", metadata={"Software": None}
        )
        return for_slides(figure), picture.getvalue()


def _batch_errors(axes: "Axes", shown: BatchErrors) -> None:
    color = SERIES[0]
    means = [sum(row) / len(row) for row in shown.found]
    low, high = [min(row) for row in shown.found], [max(row) for row in shown.found]
    axes.fill_between(shown.sizes, low, high, color=color, alpha=0.16, lw=0)
    axes.plot(shown.sizes, means, color=color, linewidth=1.8, clip_on=False)
    for point in zip(shown.sizes, means, strict=True):
        mark(axes, point, 0, filled=True)
    axes.set_xscale("log", base=2)
    ticks = [size for size in shown.sizes if size & (size - 1) == 0]
    axes.set_xticks(ticks, [str(size) for size in ticks])
    axes.minorticks_off()
    last = shown.sizes[-1]
    labels = [Label(f"of batches  {means[-1]:.1f} %", last, means[-1], color)]
    dashes = ("-", (0, (5, 2)), (0, (1, 1.5)))
    for index, (name, error) in enumerate(shown.kept.items(), start=1):
        axes.plot(
            [shown.sizes[0], last],
            [error, error],
            color=SERIES[index],
            linewidth=1.4,
            linestyle=dashes[(index - 1) % len(dashes)],
            clip_on=False,
        )
        labels.append(Label(f"{name}  {error:.1f} %", last, error, SERIES[index]))
    scale_errors(axes, [*high, *shown.kept.values()])
    axes.set(xlabel="pictures in a batch", ylabel="error (%)")
    axes.set_title("error by statistics")
    write_labels(axes, labels)


def _drifts(axes: "Axes", shown: Drifts) -> None:
    places = range(1, len(shown.names) + 1)
    finite = [value if value < float("inf") else 0.0 for value in shown.values]
    top = max([*finite, shown.bound]) * 1.15
    heights = [value if value < float("inf") else top for value in shown.values]
    axes.vlines(places, 0, heights, color=SERIES[0], linewidth=1.4)
    axes.plot(places, heights, "o", color=SERIES[0], markersize=5, clip_on=False)
    axes.axhline(shown.bound, color=MUTED, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.set_ylim(0, top)
    axes.set_xlim(0.4, len(shown.names) + 0.6)
    axes.locator_params(axis="x", nbins=8, integer=True)
    axes.set(xlabel="layer, in the order of the net", ylabel="drift (standard deviations)")
    axes.set_title("drift of each layer")
    ranked = sorted(range(len(heights)), key=lambda at: -heights[at])
    for at in [at for at in ranked[:NAMED] if heights[at] > shown.bound] or ranked[:1]:
        right = at < len(heights) / 2
        axes.annotate(
            shown.names[at],
            (at + 1, heights[at]),
            xytext=(6 if right else -6, 3),
            textcoords="offset points",
            ha="left" if right else "right",
            color=INK,
            fontsize=10,
        )
