"""Batch normalization that learns nothing more: a fixed affine map in whatever mode."""

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


def freeze(module: nn.Module) -> None:
    """Keep a module as it is: no gradients, and no batch normalization by the batch.

    Every `BatchNorm2d` inside becomes a `FrozenNorm` of the same name.
    """
    module.requires_grad_(requires_grad=False)
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, FrozenNorm(child))
