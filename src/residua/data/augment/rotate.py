"""Turning and moving pictures by random amounts.

What comes in from outside the frame is zero.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from residua.config import settings
from residua.errors import ConfigError


def rotate_shift(images: Tensor, generator: Generator, *, degrees: float, pixels: float) -> Tensor:
    """Turn and move each picture by random amounts, interpolating linearly.

    Shape:
        images: N, C, H, W of any type. Returns float32 N, C, H, W.

    Args:
        images: the batch.
        generator: on the processor; the only source of randomness.
        degrees: the angle is uniform in [-degrees, degrees].
        pixels: both shifts are uniform in [-pixels, pixels].

    Raises:
        ConfigError: an angle or shift is negative or not finite.
    """
    if not (0 <= degrees < math.inf and 0 <= pixels < math.inf):
        raise ConfigError(
            f"augment.degrees and augment.pixels must be at least 0, got {degrees} and {pixels}"
        )
    n, _, height, width = images.shape
    uniform_N3 = torch.rand(n, 3, generator=generator) * 2 - 1
    angle_N = uniform_N3[:, 0] * math.radians(degrees)
    shift_N2 = uniform_N3[:, 1:] * pixels * 2 / torch.tensor([width, height])
    cos_N, sin_N = angle_N.cos(), angle_N.sin()
    rotation_N22 = torch.stack([cos_N, -sin_N, sin_N, cos_N], dim=1).view(n, 2, 2)
    affine_N23 = torch.cat([rotation_N22, shift_N2[:, :, None]], dim=2).to(images.device)
    grid = F.affine_grid(affine_N23, list(images.shape), align_corners=False)
    return F.grid_sample(images.float(), grid, align_corners=False)


@settings
class RotateShift:
    """Settings of `rotate_shift`.

    Attributes:
        degrees: largest angle.
        pixels: largest shift, in each direction.
    """

    kind: Literal["rotate_shift"] = "rotate_shift"
    degrees: float = 12.0
    pixels: float = 0.6

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        """Turn and move a batch of shape N, C, H, W."""
        return rotate_shift(images, generator, degrees=self.degrees, pixels=self.pixels)
