"""`residua lab activations`: the five orders of activation on one network."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated

from tyro.conf import arg

from residua import runtime
from residua.cli.options import parse
from residua.cli.studies.lasting import Trainings, compare, is_whole
from residua.lab.activations import activations
from residua.lab.ground import ground


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train one residual network with each order of BN, ReLU and addition: residua lab activations.

    Attributes:
        trainings: on what, how long, how often, and where.
        depth: weighted layers, 6n+2, of bottlenecks 9n+2; 110 in the paper.
        bottleneck: units of three convolutions, as the paper's 164 layers have.
    """

    trainings: Annotated[Trainings, arg(name="")] = dataclasses.field(default_factory=Trainings)
    depth: int = 56
    bottleneck: bool = False


def main(words: Sequence[str]) -> None:
    """Train, and print the table and where the page is."""
    options = parse("lab activations", Options, words)
    runtime.set_threads(options.trainings.threads)
    block = "bottleneck" if options.bottleneck else "basic"
    on = ground(options.trainings.data, "2016", whole=is_whole("activations", options.trainings))
    compare(activations(on, options.depth, block=block), options.trainings, on)
