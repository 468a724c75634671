"""Pictures as a detector is given them in a test: resized, normalized, padded.

Dimension key:
    N pictures   C channels   H, W height and width
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from residua.data.resize import ResizeConfig, resized

# Height and width of what a net is given are multiples of it, in pixels.
MULTIPLE = 32

# From pictures N, 3, H, W in [0, 255] to what a net takes.
Normalize = Callable[[Tensor], Tensor]


class Pictures(Protocol):
    """Pictures of any sizes.

    Attributes:
        sizes: height and width of each.
    """

    @property
    def sizes(self) -> Sequence[tuple[int, int]]: ...

    def picture(self, index: int) -> Tensor:
        """Return one picture: 3, H, W of uint8, RGB."""
        ...


@dataclass(frozen=True)
class AtHand:
    """Pictures in memory.

    Args:
        pictures: 3, H, W of uint8, RGB, each.
    """

    pictures: Sequence[Tensor]

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of each."""
        return [(picture.shape[1], picture.shape[2]) for picture in self.pictures]

    def picture(self, index: int) -> Tensor:
        """Return one of them."""
        return self.pictures[index]


class Given(NamedTuple):
    """Pictures of one size as a net is given them.

    Shape:
        images_NCHW: normalized, with zeros right of and below each picture.
        sizes_N2: height and width inside these, int64.
        ratios: these divided by height and width of the pictures themselves.
        scale: by what they were enlarged before their sides were rounded.
    """

    images_NCHW: Tensor
    sizes_N2: Tensor
    ratios: tuple[float, float]
    scale: float


def at_scale(resize: ResizeConfig, short: int) -> ResizeConfig:
    """Resize to another shorter side, with a limit on the longer one that grows with it."""
    return replace(resize, short=short, long=round(resize.long * short / resize.short))


def given(pictures: Sequence[Tensor], resize: ResizeConfig, normalize: Normalize) -> Given:
    """Resize pictures of one size, normalize and pad them.

    Args:
        pictures: 3, H, W of uint8, each.
        resize: to which size.
        normalize: from pictures in [0, 255] to what the net takes.
    """
    parts = [resized(picture, resize) for picture in pictures]
    images_NCHW = torch.stack([part.picture for part in parts])
    sizes_N2 = torch.tensor(images_NCHW.shape[2:], device=images_NCHW.device).expand(len(parts), 2)
    scale = resize.scale((pictures[0].shape[1], pictures[0].shape[2]))
    return Given(_padded(normalize(images_NCHW)), sizes_N2, parts[0].ratios, scale)


def _padded(images_NCHW: Tensor) -> Tensor:
    """Add zeros right and below, as batches to learn from have them."""
    height, width = images_NCHW.shape[2:]
    return F.pad(images_NCHW, (0, -width % MULTIPLE, 0, -height % MULTIPLE))
