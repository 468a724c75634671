"""`residua lab shortcuts`: every shortcut of the two papers on one network."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated

from tyro.conf import arg

from residua import runtime
from residua.cli.options import parse
from residua.cli.studies.lasting import Trainings, compare, is_whole
from residua.lab.ground import ground
from residua.lab.shortcuts import shortcuts


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train one residual network with every shortcut of the papers: residua lab shortcuts.

    Attributes:
        trainings: on what, how long, how often, and where.
        depth: weighted layers, 6n+2; 110 in the paper.
    """

    trainings: Annotated[Trainings, arg(name="")] = dataclasses.field(default_factory=Trainings)
    depth: int = 56


def main(words: Sequence[str]) -> None:
    """Train, and print the table and where the page is."""
    options = parse("lab shortcuts", Options, words)
    runtime.set_threads(options.trainings.threads)
    on = ground(options.trainings.data, "2016", whole=is_whole("shortcuts", options.trainings))
    compare(shortcuts(on, options.depth), options.trainings, on)
