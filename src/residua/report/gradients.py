"""The page of gradients by depth, and by the length of paths.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 4.1.
    [V] Veit et al., Residual Networks Behave Like Ensembles of Relatively Shallow Networks,
        arXiv:1605.06431, figure 6.
"""

import dataclasses
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from residua.plots import Panel
from residua.report.inside import About, Section, Table, write_inside
from residua.report.inside_parts import (
    HE,
    HE_URL,
    VEIT,
    VEIT_URL,
    figure,
    listed,
    panel,
    plain_values,
    profile,
    short,
    spread,
)

if TYPE_CHECKING:
    from residua.analyze.gradients import Gradients, LayerGradient
    from residua.analyze.paths import PathLength, Paths


def write_gradients(
    folder: Path,
    gradients: Mapping[str, Sequence["Gradients"]],
    paths: Mapping[str, Sequence["Paths"]],
    about: About,
) -> Path:
    """Draw gradients by depth and by the length of paths ([V] figure 6), and write the page.

    Args:
        folder: of the page.
        gradients: of every run of each network.
        paths: of every run of each network that has residual blocks.
        about: what was looked at.
    """
    grown = [
        f"{statistics.mean(_growth(each) for each in found):.2g} times in {name}"
        for name, found in gradients.items()
    ]
    finding = f"The gradient at the first layer's output beside that at the last's: {listed(grown)}"
    sections = [_gradients(gradients, about)]
    if paths:
        sections.append(_paths(paths, about))
    record = {"gradients": plain_values(gradients), "paths": plain_values(paths)}
    return write_inside(folder, "gradients", finding, sections, about=about, record=record)


def _gradients(found: Mapping[str, Sequence["Gradients"]], about: About) -> Section:
    def of(what: Callable[["LayerGradient"], float]) -> Callable[["Gradients"], list[float]]:
        return lambda each: [what(layer) for layer in each.layers]

    xlabel = "layer with weights"
    panels = [
        panel("By a layer's output", xlabel, "L2 norm", found, of(lambda it: it.output), log=True),
        panel("By its weights", xlabel, "L2 norm", found, of(lambda it: it.weights), log=True),
    ]
    losses = [
        f"{spread([each.loss for each in some], short)} in {name}" for name, some in found.items()
    ]
    rows = [
        [
            layer.name,
            name,
            *(
                spread([getattr(each.layers[i], what) for each in some], short)
                for what in ("output", "weights", "relative")
            ),
        ]
        for name, some in found.items()
        for i, layer in enumerate(some[0].layers)
    ]
    columns = [("layer", False), ("network", False), ("by its output", True)]
    columns += [("by its weights", True), ("by its weights, relative to them", True)]
    return Section(
        heading="Gradient by depth",
        figure=figure(
            "gradients",
            panels,
            about=about,
            caption=(
                "L2 norm of the gradient of the cross-entropy at each layer: of one picture's loss "
                "by the layer's output (root mean square over pictures), and of the mean loss by "
                "its weights."
            ),
            source=(f"{HE}, section 4.1", HE_URL),
        ),
        sentences=[
            "Batch normalization takes its statistics from each batch, as in training. The layers "
            "are those of the main path, the first on the left. In a residual network the last "
            "layer of a block, whose output is what it adds, gets more than those before it.",
            f"The loss is {listed(losses)} nats; where it is small, so are all gradients, so "
            "compare shapes rather than heights.",
        ],
        table=Table(caption=f"L2 norms; {about.n}", columns=columns, rows=rows),
    )


def _paths(found: Mapping[str, Sequence["Paths"]], about: About) -> Section:
    xlabel = "blocks that the path goes through"

    def lengths(title: str, ylabel: str, of: Callable[["Paths"], Sequence[float]]) -> Panel:
        lines = [
            profile(name, [p.length for p in some[0].lengths], [of(each) for each in some])
            for name, some in found.items()
        ]
        return Panel(title=title, xlabel=xlabel, ylabel=ylabel, profiles=lines)

    middle = lengths("Gradient of one path", "L2 norm at the input", _norms)
    panels = [
        lengths("How many paths", "share of all paths (%)", lambda it: _percents(it.lengths)),
        dataclasses.replace(middle, log=all(min(p.mean) > 0 for p in middle.profiles)),
        lengths("Both multiplied", "share of the total (%)", _contributions),
    ]
    told = [_bulk(name, some) for name, some in found.items()]
    drawn = max(len(p.norms) for some in found.values() for each in some for p in each.lengths)
    rows = [
        [
            f"{path.length} of {some[0].blocks}",
            name,
            f"{100 * path.share:.3g}",
            spread([each.lengths[i].mean for each in some], short),
            spread([100 * each.contributions[i] for each in some], short),
        ]
        for name, some in found.items()
        for i, path in enumerate(some[0].lengths)
    ]
    columns = [("length", False), ("network", False), ("of all paths %", True)]
    columns += [("mean gradient of one", True), ("of the total %", True)]
    return Section(
        heading="Gradient by the length of paths",
        figure=figure(
            "paths",
            panels,
            about=about,
            note=f"up to {drawn} paths drawn of each length, in one batch",
            caption=(
                "Paths from the loss to the input by the number of residual functions on them: how "
                "many there are, the norm of the gradient that comes through one, and the product."
            ),
            source=(f"{VEIT}, figure 6", VEIT_URL),
        ),
        sentences=[
            "A path goes through the residual function in some blocks and through the shortcut in "
            "all others; the gradients of all paths add up to that of the network. The product "
            "multiplies norms, as in the paper, and so leaves out that paths can cancel.",
            *told,
        ],
        table=Table(caption=f"Means over the paths drawn; {about.n}", columns=columns, rows=rows),
    )


def _bulk(name: str, some: Sequence["Paths"]) -> str:
    low, high = some[0].bulk()
    blocks = some[0].blocks
    share = sum(math.comb(blocks, length) for length in range(low, high + 1)) / 2**blocks
    looked = len(some[0].lengths)
    of = "" if looked == blocks + 1 else f", over the {looked} lengths looked at"
    which = f"{name}, the first run" if len(some) > 1 else name
    return (
        f"In {which}, paths of {low} to {high} of {blocks} blocks make up 95 % of that "
        f"product{of}; they are {100 * share:.3g} % of all paths."
    )


def _norms(paths: "Paths") -> list[float]:
    return [path.mean for path in paths.lengths]


def _percents(lengths: Sequence["PathLength"]) -> list[float]:
    return [100 * path.share for path in lengths]


def _contributions(paths: "Paths") -> list[float]:
    return [100 * share for share in paths.contributions]


def _growth(found: "Gradients") -> float:
    """By how much the gradient by outputs is larger at the first layer than at the last."""
    last = found.layers[-1].output
    return found.layers[0].output / last if last else float("nan")
