"""Networks of equal parameters: what a gate costs is taken from the channels."""

import dataclasses
import itertools
from functools import lru_cache
from typing import Any

import torch

from residua.nets.cifar import CifarConfig
from residua.nets.wide import WideConfig

# Channels below those of the paper that are tried, in the first stage and in the others.
FEWER = (2, 4)


def parameters(config: CifarConfig | WideConfig) -> int:
    """Count weights and biases, batch normalization included."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in config.build().parameters())


def equal_widths(
    net: CifarConfig, twin: CifarConfig, choices: dict[str, Any]
) -> tuple[int, int, int]:
    """Choose the channels of three stages so that a net has the parameters of another.

    Args:
        net: with channels and classes of the pictures.
        twin: whose parameters are wanted.
        choices: settings of the net to be.

    Returns:
        The channels, the widest of those that come closest.
    """
    return _equal(dataclasses.replace(net, **choices), twin)


@lru_cache(maxsize=32)
def _equal(net: CifarConfig, twin: CifarConfig) -> tuple[int, int, int]:
    wanted = parameters(twin)
    first, second, third = twin.widths
    tried = itertools.product(
        range(first, first - FEWER[0], -1),
        range(second, second - FEWER[1], -1),
        range(third, third - FEWER[1], -1),
    )
    found = {widths: abs(_count(net, widths) - wanted) for widths in tried}
    return min(found, key=lambda widths: (found[widths], -sum(widths)))


def _count(net: CifarConfig, widths: tuple[int, int, int]) -> int:
    return parameters(dataclasses.replace(net, widths=widths))
