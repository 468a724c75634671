"""What every engine is made from."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from residua.deploy.convert.bound import Bound
from residua.deploy.engines.candidate import Number


@dataclass(frozen=True, kw_only=True)
class Job:
    """A net to be made into files.

    Args:
        bound: the net with its preprocessing, batch normalization folded, on the processor.
        pixels: what the files take: uint8, or float32 in [0, 255].
        batch_sizes: numbers of pictures that it will mostly be given.
        device: where it will compute.
        calibration: N, C, H, W pictures that were learned from, for the ranges of int8.
    """

    bound: Bound
    pixels: torch.dtype
    batch_sizes: tuple[int, ...]
    device: torch.device
    calibration: Tensor

    def example(self, count: int) -> Tensor:
        """Return black pictures."""
        return torch.zeros(count, *self.bound.shape, dtype=self.pixels, device=self.device)

    def net(self, precision: Number) -> Bound:
        """Return the bound net on the device; in bfloat16 it still normalizes in float32."""
        made = copy.deepcopy(self.bound)
        if precision == "bfloat16":
            made.net = Lowered(made.net)
        return made.to(self.device).to(memory_format=torch.channels_last).eval()


class Lowered(nn.Module):
    """`y = net(x)` with weights and values in bfloat16.

    Args:
        net: is converted.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net.to(torch.bfloat16)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.to(torch.bfloat16))
