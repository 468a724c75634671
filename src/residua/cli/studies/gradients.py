"""`residua lab gradients`: gradients by depth, and by the length of paths."""

import dataclasses
import statistics
from collections.abc import Sequence
from typing import Annotated, Literal

from tyro.conf import arg

from residua import report
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.cli.studies.source import Source, about
from residua.lab.inside import gradients_of, paths_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Draw the norm of the gradient by depth, and by the length of paths (Veit et al., figure 6).

    residua lab gradients RUN [RUN ...] [--weights drawn]

    Attributes:
        source: runs and pictures.
        weights: best, last, or drawn: those that the training began with; by default those that the
            run was tested with.
        paths: drawn of each length.
        seed: of the paths that are drawn.
    """

    source: Annotated[Source, arg(name="")] = dataclasses.field(default_factory=Source)
    weights: Literal["best", "last", "drawn"] | None = None
    paths: int = 20
    seed: int = 0


def main(words: Sequence[str]) -> None:
    """Look, and print a table and where the page is."""
    options = parse("lab gradients", Options, words)
    opened = options.source.open(options.weights)
    found = gradients_of(opened)
    samples = min(options.paths, 1) if options.source.smoke else options.paths
    through = paths_of(opened, samples=samples, seed=options.seed)
    rows = []
    for name, some in found.items():
        first, last = ([each.layers[i].output for each in some] for i in (0, -1))
        blocks = "no blocks"
        if name in through:
            low, high = through[name][0].bulk()
            blocks = f"{low} to {high} of {through[name][0].blocks}"
        rows.append(
            [
                name,
                str(len(some)),
                f"{statistics.mean(each.loss for each in some):.3g}",
                f"{statistics.mean(first):.3g}",
                f"{statistics.mean(last):.3g}",
                blocks,
            ]
        )
    columns = [("network", False), ("n", True), ("loss", True), ("at first layer", True)]
    columns += [("at last layer", True), ("95 % through paths of", False)]
    table("gradients by outputs, L2 norm", columns, rows)
    folder = options.source.folder("gradients")
    page = report.write_gradients(folder, found, through, about(opened, options.weights))
    say(str(page))
