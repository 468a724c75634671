"""A random window of a padded picture, or of its mirror image.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2.
    [W] Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146, section 3: reflection.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from residua.config import settings
from residua.errors import ConfigError

Fill = Literal["zero", "reflect"]


def pad_crop_flip(
    images: Tensor, generator: Generator, *, pad: int, flip: bool, fill: Fill = "zero"
) -> Tensor:
    """Pad each side, crop the old size at random, and mirror every second picture ([R]).

    Shape:
        images: N, C, H, W of any type. Returns the same.

    Args:
        images: the batch.
        generator: on the processor; the only source of randomness.
        pad: added to each side, in pixels.
        flip: whether to mirror left and right with probability one half.
        fill: what is added: "zero" ([R]), or "reflect", the picture mirrored at its edge without
            repeating the outermost pixel ([W]).

    Raises:
        ConfigError: the padding is negative, or longer than the picture that is to be reflected.
    """
    n, _, height, width = images.shape
    if pad < 0:
        raise ConfigError(f"augment.pad must be at least 0 pixels, got {pad}")
    if fill == "reflect" and pad >= min(height, width):
        raise ConfigError(
            f"augment.pad must be below {min(height, width)} to reflect pictures of "
            f"{height}x{width} pixels, got {pad}"
        )
    top_N, left_N = torch.randint(0, 2 * pad + 1, (2, n), generator=generator)
    rows_NH = top_N[:, None] + torch.arange(height)
    columns_NW = left_N[:, None] + torch.arange(width)
    if flip:
        mirrored_N = torch.rand(n, generator=generator) < 0.5
        columns_NW = torch.where(mirrored_N[:, None], columns_NW.flip(1), columns_NW)
    if fill == "reflect":
        source_NHWC = images.permute(0, 2, 3, 1)
        rows_NH, columns_NW = _reflected(rows_NH - pad, height), _reflected(columns_NW - pad, width)
    else:
        source_NHWC = F.pad(images, (pad, pad, pad, pad)).permute(0, 2, 3, 1)
    index = (torch.arange(n)[:, None, None], rows_NH[:, :, None], columns_NW[:, None, :])
    picked_NHWC = source_NHWC[tuple(i.to(images.device) for i in index)]
    return picked_NHWC.permute(0, 3, 1, 2)


def _reflected(index: Tensor, length: int) -> Tensor:
    """Fold positions outside [0, length) back at the first and the last pixel."""
    return (length - 1) - (index.abs() - (length - 1)).abs()


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
        pad: added to each side before cropping, in pixels.
        flip: mirror every second picture.
        fill: what is added, zeros or the reflected picture.
    """

    kind: Literal["pad_crop_flip"] = "pad_crop_flip"
    pad: int = 4
    flip: bool = True
    fill: Fill = "zero"

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        """Pad, crop and mirror a batch of shape N, C, H, W."""
        return pad_crop_flip(images, generator, pad=self.pad, flip=self.flip, fill=self.fill)
