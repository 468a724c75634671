"""What a network is counted for: multiply-adds and parameters, at once and without data."""

from functools import cache

import torch
from torch import nn

from residua.nets.describe import layers, total_multiply_adds
from residua.reproduce.cell import Counted
from residua.reproduce.verdict import Measured


def counted(how: Counted) -> Measured:
    """Count a network.

    Args:
        how: which, and what of it.
    """
    return Measured(values=(float(_count(how)),))


@cache
def _count(how: Counted) -> int:
    with torch.device("meta"):
        net = how.net.build()
    if how.what == "multiply_adds":
        return total_multiply_adds(layers(net, how.net.input_shape))
    total = sum(parameter.numel() for parameter in net.parameters())
    if how.what == "parameters":
        return total
    norms = (module for module in net.modules() if isinstance(module, nn.BatchNorm2d))
    return total - sum(parameter.numel() for norm in norms for parameter in norm.parameters())
