"""`residua show`: the layer table of a network."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated

import torch
from torch import nn
from tyro.conf import Positional

from residua import recipes
from residua.cli.options import parse
from residua.cli.screen import layers_table, say
from residua.nets import catalogue
from residua.nets.describe import layers


@dataclasses.dataclass(frozen=True)
class Options:
    """Print the layer table of a network: output sizes, parameters, multiply-adds.

    Attributes:
        net: the name of a network or of a recipe, such as cifar.resnet56 or digits.resnet20.
    """

    net: Annotated[str, Positional]


def main(words: Sequence[str]) -> None:
    """Print layers and totals."""
    options = parse("show", Options, words)
    net, shape = _find(options.net)
    rows = layers(net, shape)
    layers_table([dataclasses.asdict(row) for row in rows])
    say(
        f"{options.net}: {sum(row.parameters for row in rows):,} parameters, "
        f"{sum(row.multiply_adds for row in rows):,} multiply-adds for one image of "
        f"{'x'.join(map(str, shape))}"
    )


def _find(name: str) -> tuple[nn.Module, tuple[int, int, int]]:
    """Build the network of that name, or the one of the recipe of that name, without weights."""
    if name in recipes.names():
        experiment = recipes.find(name)
        build, shape = experiment.build_net, experiment.load_data().train.shape
    else:
        config = catalogue.find(name)
        build, shape = config.build, config.input_shape
    with torch.device("meta"):
        return build(), shape
