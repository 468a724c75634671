"""`residua lab responses`: what the layers and blocks of trained networks answer."""

import dataclasses
import statistics
from collections.abc import Sequence
from typing import Annotated, Literal

from tyro.conf import arg

from residua import report
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.cli.studies.source import Source, about
from residua.lab.inside import closeness_of, responses_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Draw the standard deviation of layer responses (He et al. 2015, figure 7).

    And how close residual blocks are to the identity. residua lab responses RUN [RUN ...]

    Attributes:
        source: runs and pictures.
        weights: best or last; by default those that the run was tested with.
    """

    source: Annotated[Source, arg(name="")] = dataclasses.field(default_factory=Source)
    weights: Literal["best", "last"] | None = None


def main(words: Sequence[str]) -> None:
    """Look, and print a table and where the page is."""
    options = parse("lab responses", Options, words)
    opened = options.source.open(options.weights)
    found, close = responses_of(opened), closeness_of(opened)
    rows = []
    for name, some in found.items():
        ratios = [block.ratio for each in close.get(name, []) for block in each]
        rows.append(
            [
                name,
                str(len(some)),
                str(len(some[0].layers)),
                f"{statistics.mean(each.mean for each in some):.3f}",
                f"{max(value for each in some for value in each.in_order):.3f}",
                f"{statistics.mean(ratios):.2f}" if ratios else "no blocks",
            ]
        )
    columns = [("network", False), ("n", True), ("3x3 layers", True), ("mean std", True)]
    table("responses", [*columns, ("largest std", True), ("mean |F|/|h|", True)], rows)
    folder = options.source.folder("responses")
    page = report.write_responses(folder, found, close, about(opened, options.weights))
    say(str(page))
