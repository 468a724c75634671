"""Augmentation: batches of pictures to batches of pictures, all of a batch at once.

A picture that leaves its frame is filled with zeros, as in the papers. Values stay in [0, 255].

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2.
"""

import math
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from residua.config import settings, tagged
from residua.errors import ConfigError


def pad_crop_flip(images: Tensor, generator: Generator, *, pad: int, flip: bool) -> Tensor:
    """Pad each side, crop the old size at random, and mirror every second picture ([R]).

    Shape:
        images: N, C, H, W of any type. Returns the same.

    Args:
        images: the batch.
        generator: on the processor; the only source of randomness.
        pad: zeros added to each side, in pixels.
        flip: whether to mirror left and right with probability one half.

    Raises:
        ConfigError: the padding is negative.
    """
    if pad < 0:
        raise ConfigError(f"augment.pad must be at least 0 pixels, got {pad}")
    n, _, height, width = images.shape
    top_N, left_N = torch.randint(0, 2 * pad + 1, (2, n), generator=generator)
    rows_NH = top_N[:, None] + torch.arange(height)
    columns_NW = left_N[:, None] + torch.arange(width)
    if flip:
        mirrored_N = torch.rand(n, generator=generator) < 0.5
        columns_NW = torch.where(mirrored_N[:, None], columns_NW.flip(1), columns_NW)
    index = (torch.arange(n)[:, None, None], rows_NH[:, :, None], columns_NW[:, None, :])
    padded_NHWC = F.pad(images, (pad, pad, pad, pad)).permute(0, 2, 3, 1)
    picked_NHWC = padded_NHWC[tuple(i.to(images.device) for i in index)]
    return picked_NHWC.permute(0, 3, 1, 2)


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
class AsIs:
    """No augmentation."""

    kind: Literal["as_is"] = "as_is"

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        """Return the pictures as they are."""
        return images


@settings
class PadCropFlip:
    """Settings of `pad_crop_flip`.

    Attributes:
        pad: zeros added to each side before cropping, in pixels.
        flip: mirror every second picture.
    """

    kind: Literal["pad_crop_flip"] = "pad_crop_flip"
    pad: int = 4
    flip: bool = True

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        """Pad, crop and mirror a batch of shape N, C, H, W."""
        return pad_crop_flip(images, generator, pad=self.pad, flip=self.flip)


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


Augment = Annotated[AsIs | PadCropFlip | RotateShift, tagged]
