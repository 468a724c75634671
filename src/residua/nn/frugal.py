"""ReLU and addition that write over their input where no gradient is wanted.

In inference on a CPU, new memory for every activation costs a tenth of the time of ResNet-50. With
gradients enabled nothing is overwritten, so that hooks and attribution tools see every value; with
them disabled, a forward hook that keeps an output has to clone it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FrugalReLU(nn.ReLU):
    """`y = max(x, 0)`, over x itself where no gradient is wanted.

    For inputs that nobody else needs: those that come fresh from a convolution, a batch
    normalization or an addition. It is an `nn.ReLU` to the tools that look for one.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, inplace=not torch.is_grad_enabled())


def add(x: Tensor, y: Tensor, *, over_y: bool) -> Tensor:
    """`x + y`, over y itself where that is allowed and no gradient is wanted."""
    return y.add_(x) if over_y and not torch.is_grad_enabled() else x + y


def makes_new(module: nn.Module) -> bool:
    """Tell whether the output of a module is surely a tensor of its own: batch norm comes last."""
    return isinstance([*module.modules()][-1], nn.BatchNorm2d)
