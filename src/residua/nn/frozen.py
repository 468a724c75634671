"""Batch normalization that learns nothing more: a fixed affine map in whatever mode."""

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor, nn


class FrozenNorm(nn.Module):
    """`y = (x - running mean) / sqrt(running variance + eps) * weight + bias`, also in train mode.

    It has the names of batch normalization, so weights fit either.

    Shape:
        x: N, C, H, W.  y: N, C, H, W.

    Args:
        norm: whose parameters and statistics are taken over, not copied.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.eps = norm.eps
        self.weight = norm.weight
        self.bias = norm.bias
        for name, value in norm.named_buffers():
            self.register_buffer(name, value)

    def forward(self, x: Tensor) -> Tensor:
        mean, variance = self.running_mean, self.running_var
        return F.batch_norm(x, mean, variance, self.weight, self.bias, eps=self.eps)


def freeze(net: nn.Module, modules: Iterable[nn.Module]) -> None:
    """Keep modules of a net as they are: no gradients, and no batch normalization by the batch.

    Every `BatchNorm2d` of theirs becomes a `FrozenNorm` of the same name.

    Args:
        net: holds the modules, which may be such normalizations themselves.
        modules: what is frozen, with all that is inside.
    """
    frozen = {id(inner) for module in modules for inner in module.modules()}
    for module in net.modules():
        if id(module) in frozen:
            module.requires_grad_(requires_grad=False)
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d) and id(child) in frozen:
                setattr(parent, name, FrozenNorm(child))
