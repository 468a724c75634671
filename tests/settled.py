"""Nets as if they were trained: batch normalization with statistics and weights of its own."""

import torch
from torch import nn

from residua.runtime import generator


def settled(net):
    """Give batch norm numbers of its own, so that no layer passes values as they are."""
    draw = generator(0, "statistics")
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5, generator=draw)
            module.bias.data.normal_(0, 0.2, generator=draw)
            module.running_mean.normal_(0, 0.2, generator=draw)
            module.running_var.uniform_(0.5, 1.5, generator=draw)
    return net.eval()


def built(config):
    """Build a settled net of settings."""
    torch.manual_seed(1)
    return settled(config.build())


def pictures(shape, count=2):
    """Draw pictures of C, H, W."""
    return torch.randn(count, *shape, generator=generator(0, "pictures"))
