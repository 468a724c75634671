"""Pictures of any size laid into one of a fixed size, as an exported detector takes them.

Dimension key:
    N pictures   H, W height and width of the canvas
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from residua.data.resize import ResizeConfig, resized
from residua.deploy.convert.bound_detector import Canvas
from residua.detect.given import MULTIPLE
from residua.errors import ConfigError


def canvas_for(sizes: Sequence[tuple[int, int]], resize: ResizeConfig) -> tuple[int, int]:
    """Return height and width into which all pictures fit once they are resized.

    Args:
        sizes: height and width of each picture.
        resize: as the detector was trained.
    """
    after = [resize.size(size) for size in sizes]
    height, width = (max(sides) for sides in zip(*after, strict=True))
    return height + -height % MULTIPLE, width + -width % MULTIPLE


def check_size(size: tuple[int, int]) -> None:
    """See that a canvas has sides that the strides divide.

    Raises:
        ConfigError: it has not.
    """
    if min(size) < MULTIPLE or any(side % MULTIPLE for side in size):
        raise ConfigError(
            f"size must be height and width in multiples of {MULTIPLE} pixels, got "
            f"{size[0]} and {size[1]}"
        )


def laid(pictures: Sequence[Tensor], size: tuple[int, int], resize: ResizeConfig) -> Canvas:
    """Resize pictures and lay each into the upper left corner of a canvas.

    A picture that does not fit at the size at which the detector was trained becomes smaller.

    Args:
        pictures: 3, h, w of uint8, each.
        size: height and width of the canvas.
        resize: as the detector was trained.
    """
    pixels_N3HW = torch.zeros(len(pictures), 3, *size, dtype=torch.uint8)
    sizes: list[tuple[int, int]] = []
    for row, picture in zip(pixels_N3HW, pictures, strict=True):
        small = resized(picture, _fitting(resize, (picture.shape[1], picture.shape[2]), size))
        _, height, width = small.picture.shape
        row[:, :height, :width] = small.picture
        sizes.append((height, width))
    original = [(picture.shape[1], picture.shape[2]) for picture in pictures]
    return Canvas(pixels_N3HW, torch.tensor(sizes), torch.tensor(original))


def _fitting(resize: ResizeConfig, picture: tuple[int, int], size: tuple[int, int]) -> ResizeConfig:
    """Return the rule of the detector, or one whose result fits into the canvas."""
    after = resize.size(picture)
    if all(side <= most for side, most in zip(after, size, strict=True)):
        return resize
    share = min(most / side for side, most in zip(picture, size, strict=True))
    short, long = (max(1, int(side * share)) for side in (min(picture), max(picture)))
    return ResizeConfig(short=short, long=max(short, long))
