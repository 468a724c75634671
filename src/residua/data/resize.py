"""Pictures of any size brought to the size that a detector sees.

Sources:
    [F] Ren et al., Faster R-CNN, arXiv:1506.01497, section 3.3, and its Python release
        (py-faster-rcnn, lib/utils/blob.py): the shorter side 600, the longer at most 1000.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from residua.config import settings
from residua.errors import ConfigError


@settings
class ResizeConfig:
    """How large a picture becomes: its shorter side as asked for, unless the longer is too long.

    Attributes:
        short: of the shorter side, in pixels ([F]).
        long: the most of the longer side.
    """

    short: int = 600
    long: int = 1000

    def scale(self, size: tuple[int, int]) -> float:
        """Return by what a picture of a height and width is enlarged.

        Raises:
            ConfigError: a side is below 1 pixel, or the longer is to be shorter than the shorter.
        """
        if not 1 <= self.short <= self.long:
            raise ConfigError(
                "resize.short must be at least 1 pixel and at most resize.long, got "
                f"{self.short} and {self.long}"
            )
        return min(self.short / min(size), self.long / max(size))

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the height and width that a picture of a height and width gets; at least 1."""
        scale = self.scale(size)
        height, width = (max(1, round(side * scale)) for side in size)
        return height, width


class Resized(NamedTuple):
    """A picture resized, and by what.

    Args:
        picture: 3, H, W of uint8.
        ratios: the new height and width divided by the old: not quite equal, since both are whole.
    """

    picture: Tensor
    ratios: tuple[float, float]


def resized(picture: Tensor, config: ResizeConfig) -> Resized:
    """Resize a picture, linearly, every pixel averaging all that it covers.

    Training and testing both do it here, so that an object looks the same in both.

    Args:
        picture: 3, H, W of uint8.
        config: how.
    """
    old = (picture.shape[1], picture.shape[2])
    new = config.size(old)
    ratios = (new[0] / old[0], new[1] / old[1])
    if new == old:
        return Resized(picture, ratios)
    # Channels last is the order in which PyTorch resizes bytes fast.
    stacked = picture[None].contiguous(memory_format=torch.channels_last)
    found = F.interpolate(stacked, new, mode="bilinear", antialias=True, align_corners=False)
    return Resized(found[0].contiguous(), ratios)
