"""`residua lab lesion`: networks without some of their blocks, and with blocks in another order."""

import dataclasses
import statistics
from collections.abc import Sequence
from typing import Annotated, Literal

from tyro.conf import arg

from residua import report
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.cli.studies.source import Source, about
from residua.lab.inside import lesions_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Delete and reorder blocks of trained networks (Veit et al., figures 3 to 5).

    residua lab lesion RUN [RUN ...]

    Attributes:
        source: runs and pictures.
        weights: best or last; by default those that the run was tested with.
        most: blocks deleted, and pairs of blocks swapped, at the most.
        samples: random draws for each number of blocks or pairs.
        seed: of the draws.
    """

    source: Annotated[Source, arg(name="")] = dataclasses.field(default_factory=Source)
    weights: Literal["best", "last"] | None = None
    most: int = 20
    samples: int = 5
    seed: int = 0


def main(words: Sequence[str]) -> None:
    """Look, and print a table and where the page is."""
    options = parse("lab lesion", Options, words)
    opened = options.source.open(options.weights)
    short = options.source.smoke
    most, samples = (min(options.most, 2), 1) if short else (options.most, options.samples)
    found = lesions_of(opened, most=most, samples=samples, seed=options.seed)
    rows = [
        [
            name,
            str(len(some)),
            str(len(some[0].each)),
            f"{statistics.mean(each.whole for each in some):.1f}",
            f"{statistics.mean(each.middle for each in some):.1f}",
            f"{max(block.error for each in some for block in each.each):.1f}",
        ]
        for name, some in found.items()
    ]
    columns = [("network", False), ("n", True), ("blocks", True), ("error %", True)]
    columns += [("without one (median) %", True), ("without one (worst) %", True)]
    table("lesions", columns, rows)
    folder = options.source.folder("lesion")
    say(str(report.write_lesions(folder, found, about(opened, options.weights))))
