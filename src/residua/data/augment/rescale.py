"""Random sizes: the scale jitter of He et al., and the crops of random size of Inception.

For pictures in memory, all of one size. Both bring a window of each picture to `size` pixels in one
resampling, antialiased where the window shrinks (see `residua.data.augment.resample`).

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 3.4.
    [F] fb.resnet.torch, datasets/transforms.lua: RandomSizedCrop.
"""

import math
from typing import Literal

import torch
from torch import Generator, Tensor

from residua.config import settings
from residua.data.augment.resample import axis_weights, resample
from residua.errors import ConfigError

ATTEMPTS = 10


def rescale_crop(
    images: Tensor,
    generator: Generator,
    *,
    size: int,
    short_side: tuple[int, int],
    flip: bool,
) -> Tensor:
    """Scale the shorter side to a random length, and crop a square at random ([R]).

    Shape:
        images: N, C, H, W of any type. Returns float32 N, C, size, size.

    Args:
        images: the batch.
        generator: on the processor; the only source of randomness.
        size: of the crop, in pixels.
        short_side: bounds of the length of the shorter side, both included, in pixels; [R] has 256
            and 480 for crops of 224.
        flip: whether to mirror left and right with probability one half.

    Raises:
        ConfigError: the bounds are out of order, or too small for the crop.
    """
    low, high = short_side
    if not 1 <= size <= low <= high:
        raise ConfigError(
            f"augment.short_side must be two lengths of at least size = {size} in order, got "
            f"{short_side}"
        )
    n, _, *sides = images.shape
    short_N = torch.randint(low, high + 1, (n,), generator=generator)
    place_2N = torch.rand(2, n, generator=generator, dtype=torch.float64)
    weights = []
    for length, place_N in zip(sides, place_2N, strict=True):
        scaled_N = (short_N * length / min(sides)).round()
        step_N = length / scaled_N.double()
        offset_N = (place_N * (scaled_N - size + 1)).floor()
        edges = torch.zeros(n), torch.full((n,), float(length))
        weights.append(axis_weights(offset_N * step_N, step_N, size, *edges, length))
    rows, columns = weights
    return resample(images, rows, _mirrored(columns, generator) if flip else columns)


def random_resized_crop(
    images: Tensor,
    generator: Generator,
    *,
    size: int,
    area: tuple[float, float],
    aspect: tuple[float, float],
    flip: bool,
) -> Tensor:
    """Crop a window of random area and shape, and bring it to a square ([F], after Inception).

    Up to ten windows are drawn for each picture: area and width / height uniform in their bounds,
    width and height exchanged half the time; the first that fits is taken, at a uniform place. If
    none does, the largest square in the middle is.

    Shape:
        images: N, C, H, W of any type. Returns float32 N, C, size, size.

    Args:
        images: the batch.
        generator: on the processor; the only source of randomness.
        size: of the result, in pixels.
        area: bounds of the share of the picture that the window covers.
        aspect: bounds of width / height, before the exchange.
        flip: whether to mirror left and right with probability one half.

    Raises:
        ConfigError: bounds that no window can have.

    Differs:
        Interpolation is linear; [F] has cubic.
    """
    if not (0 < area[0] <= area[1] <= 1 and 0 < aspect[0] <= aspect[1] < math.inf and size >= 1):
        raise ConfigError(
            "augment needs size of at least 1, area in (0, 1] and aspect above 0, each with the "
            f"lower bound first, got {size}, {area} and {aspect}"
        )
    n, _, height, width = images.shape
    top_N, left_N, rows_N, columns_N = _windows(n, height, width, area, aspect, generator)
    rows = axis_weights(top_N, rows_N / size, size, top_N, top_N + rows_N, height)
    columns = axis_weights(left_N, columns_N / size, size, left_N, left_N + columns_N, width)
    return resample(images, rows, _mirrored(columns, generator) if flip else columns)


def _windows(
    n: int,
    height: int,
    width: int,
    area: tuple[float, float],
    aspect: tuple[float, float],
    generator: Generator,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw windows of whole pixels: top, left, height and width of each."""
    uniform = torch.rand(5, n, ATTEMPTS, generator=generator, dtype=torch.float64)
    area_NA = (area[0] + (area[1] - area[0]) * uniform[0]) * height * width
    aspect_NA = aspect[0] + (aspect[1] - aspect[0]) * uniform[1]
    aspect_NA = torch.where(uniform[2] < 0.5, 1 / aspect_NA, aspect_NA)
    columns_NA = (area_NA * aspect_NA).sqrt().round().clamp_min(1)
    rows_NA = (area_NA / aspect_NA).sqrt().round().clamp_min(1)
    top_NA = (uniform[3] * (height - rows_NA + 1)).floor()
    left_NA = (uniform[4] * (width - columns_NA + 1)).floor()
    fits_NA = (rows_NA <= height) & (columns_NA <= width)
    first_N1 = fits_NA.int().argmax(dim=1, keepdim=True)
    side = min(height, width)
    middle = ((height - side) // 2, (width - side) // 2, side, side)
    top, left, rows, columns = (
        torch.where(fits_NA.any(dim=1), drawn_NA.gather(1, first_N1).flatten(), float(otherwise))
        for drawn_NA, otherwise in zip((top_NA, left_NA, rows_NA, columns_NA), middle, strict=True)
    )
    return top, left, rows, columns


def _mirrored(columns_NTW: Tensor, generator: Generator) -> Tensor:
    """Mirror every second picture left and right."""
    chosen_N = torch.rand(len(columns_NTW), generator=generator) < 0.5
    return torch.where(chosen_N[:, None, None], columns_NTW.flip(1), columns_NTW)


@settings
class RescaleCrop:
    """Settings of `rescale_crop`.

    Attributes:
        size: of the crop, in pixels.
        short_side: bounds of the length to which the shorter side is scaled, both included.
        flip: mirror every second picture.
    """

    kind: Literal["rescale_crop"] = "rescale_crop"
    size: int = 224
    short_side: tuple[int, int] = (256, 480)
    flip: bool = True

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        """Scale, crop and mirror a batch of shape N, C, H, W."""
        return rescale_crop(
            images, generator, size=self.size, short_side=self.short_side, flip=self.flip
        )


@settings
class RandomResizedCrop:
    """Settings of `random_resized_crop`.

    Attributes:
        size: of the result, in pixels.
        area: bounds of the share of the picture that is kept.
        aspect: bounds of the window's width / height, or of its inverse.
        flip: mirror every second picture.
    """

    kind: Literal["random_resized_crop"] = "random_resized_crop"
    size: int = 224
    area: tuple[float, float] = (0.08, 1.0)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    flip: bool = True

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        """Crop, resize and mirror a batch of shape N, C, H, W."""
        return random_resized_crop(
            images,
            generator,
            size=self.size,
            area=self.area,
            aspect=self.aspect,
            flip=self.flip,
        )
