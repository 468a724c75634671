"""Networks of pictures in BGR or in [0, 255], made to take pictures in RGB and [0, 1]."""

import dataclasses

import torch
from torch import nn

from residua.errors import ConfigError
from residua.nets.preprocessing import Preprocessing


def in_rgb(net: nn.Module, told: Preprocessing) -> Preprocessing:
    """Turn the first convolution of a network round, so that it takes RGB where it took BGR.

    `(255 x - mean) / std = (x - mean / 255) / (std / 255)`, so that of the range nothing is left
    but other numbers, and the network computes what it computed before.

    Args:
        net: changed in place, if its channels have to be turned.
        told: what the network takes.

    Returns:
        What it takes now.

    Raises:
        ConfigError: no convolution of it takes three channels, or the mean is one of each pixel.
    """
    means = [value for value in told.mean if isinstance(value, float | int)]
    if len(means) != len(told.mean):
        raise ConfigError(
            "weights with a mean of each pixel are for pictures of one size: start from weights "
            "with a mean of each channel"
        )
    turned = told.channels == "BGR"
    if turned:
        _turn(net)
    step = -1 if turned else 1
    return dataclasses.replace(
        told,
        channels="RGB",
        range=1.0,
        mean=tuple(value / told.range for value in means[::step]),
        std=tuple(value / told.range for value in told.std[::step]),
    )


def _turn(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            if module.in_channels == 3:
                with torch.no_grad():
                    module.weight.copy_(module.weight.flip(1))
                return
            break
    raise ConfigError("weights for BGR need a net whose first convolution takes three channels")
