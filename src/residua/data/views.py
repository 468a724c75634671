"""What of a picture a network looks at when it is tested: the protocols of the papers.

A view maps N, C, H, W pictures in bytes to N, V, C, h, w; what is done with the V
scores of a picture is part of the protocol. Pictures are resized as torchvision resizes tensors:
linearly, over the area that shrinks into a pixel.

Sources:
    [K] Krizhevsky et al., ImageNet Classification with Deep CNNs, 2012, section 4.1 (ten crops).
    [V] Simonyan and Zisserman, arXiv:1409.1556, section 3.2 (fully convolutional, with mirrors).
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 3.4.
    [N] The notes to the release of [R]: 1-crop is the center of 224 pixels of a picture whose
        shorter side is 256; 10-crop averages softmax scores at the same size.

Dimension key:
    N pictures   V views   C channels   H, W height and width   h, w of a view
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from residua.config import settings, tagged
from residua.data.loading import View, whole
from residua.errors import ConfigError

# What is averaged over the views of a picture: softmax scores, or what goes into the softmax.
Rule = Literal["probabilities", "logits"]

PAPER_CROP, PAPER_SIDE = 224, 256
PAPER_SCALES = (224, 256, 384, 480, 640)


@dataclass(frozen=True)
class Looks:
    """Everything that a protocol looks at.

    Args:
        passes: each a view; pictures are scored once with every one of them, and all have the same
            number of views.
        count: views of a picture in one pass.
        pixels: of the largest view, for a picture of the set's shape.
    """

    passes: tuple[View, ...]
    count: int
    pixels: int


def resize(images: Tensor, height: int, width: int) -> Tensor:
    """Resize linearly, with antialiasing: N, C, H, W of uint8 to N, C, height, width."""
    if tuple(images.shape[2:]) == (height, width):
        return images
    size, linear = (height, width), {"mode": "bilinear", "antialias": True}
    if images.device.type == "cpu":
        return F.interpolate(images, size, **linear)
    return F.interpolate(images.float(), size, **linear).round().clamp(0, 255).to(torch.uint8)


def resize_short_side(images: Tensor, short_side: int) -> Tensor:
    """Resize so that the shorter side has so many pixels; the longer one is rounded down."""
    height, width = images.shape[2:]
    if height <= width:
        return resize(images, short_side, int(short_side * width / height))
    return resize(images, int(short_side * height / width), short_side)


def center_crop(images: Tensor, *, short_side: int, size: int) -> Tensor:
    """One view, `size` pixels square in the center of the resized picture ([N])."""
    return _square(resize_short_side(images, short_side), size, 0.5, 0.5)[:, None]


def ten_crop(images: Tensor, *, short_side: int, size: int) -> Tensor:
    """Ten views: four corners and the center of the resized picture, then their mirrors ([K])."""
    resized = resize_short_side(images, short_side)
    places = ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5))
    crops = torch.stack([_square(resized, size, *place) for place in places], dim=1)
    return torch.cat([crops, crops.flip(-1)], dim=1)


def mirrored(images: Tensor) -> Tensor:
    """Two views of each picture, all of it and its mirror image."""
    return torch.stack([images, images.flip(-1)], dim=1)


def scaled(images: Tensor, *, short_side: int, mirror: bool) -> Tensor:
    """The whole picture at one scale, and its mirror image if asked."""
    resized = resize_short_side(images, short_side)
    return mirrored(resized) if mirror else whole(resized)


def _square(images: Tensor, size: int, down: float, right: float) -> Tensor:
    """Cut a square whose free space above and left of it are these shares of all there is."""
    height, width = images.shape[2:]
    top, left = round((height - size) * down), round((width - size) * right)
    return images[:, :, top : top + size, left : left + size]


@settings
class Whole:
    """One view, the whole picture as it is."""

    kind: Literal["whole"] = "whole"

    @property
    def protocol(self) -> str:
        """The words that stand beside a number."""
        return "one view of each picture"

    @property
    def rule(self) -> Rule:
        """There is nothing to average."""
        return "logits"

    def looks(self, shape: tuple[int, int, int]) -> Looks:
        """Return the view."""
        return Looks((whole,), 1, shape[1] * shape[2])


@settings
class CenterCrop:
    """1-crop: the center of the resized picture ([N]).

    Attributes:
        short_side: of the resized picture, in pixels.
        size: of the crop, in pixels.
    """

    kind: Literal["center_crop"] = "center_crop"
    short_side: int = PAPER_SIDE
    size: int = PAPER_CROP

    @property
    def protocol(self) -> str:
        """The words that stand beside a number."""
        return f"1-crop: center of {self.size} pixels, shorter side {self.short_side}"

    @property
    def rule(self) -> Rule:
        """There is nothing to average."""
        return "logits"

    def looks(self, shape: tuple[int, int, int]) -> Looks:
        """Return the view."""
        _check_crop(self.short_side, self.size)
        take = partial(center_crop, short_side=self.short_side, size=self.size)
        return Looks((View(take, self.short_side, one_size=True),), 1, self.size**2)


@settings
class TenCrop:
    """10-crop: corners, center, and their mirror images ([K], [N]).

    Attributes:
        short_side: of the resized picture, in pixels.
        size: of the crops, in pixels.
        rule: what is averaged; [N] averages softmax scores.
    """

    kind: Literal["ten_crop"] = "ten_crop"
    short_side: int = PAPER_SIDE
    size: int = PAPER_CROP
    rule: Rule = "probabilities"

    @property
    def protocol(self) -> str:
        """The words that stand beside a number."""
        return (
            f"10-crop: corners and center of {self.size} pixels and their mirror images, shorter "
            f"side {self.short_side}, mean of the {self.rule}"
        )

    def looks(self, shape: tuple[int, int, int]) -> Looks:
        """Return the view."""
        _check_crop(self.short_side, self.size)
        take = partial(ten_crop, short_side=self.short_side, size=self.size)
        return Looks((View(take, self.short_side, one_size=True),), 10, self.size**2)


@settings
class Flips:
    """The whole picture and its mirror image.

    Attributes:
        rule: what is averaged.
    """

    kind: Literal["flips"] = "flips"
    rule: Rule = "probabilities"

    @property
    def protocol(self) -> str:
        """The words that stand beside a number."""
        return f"2 views: the picture and its mirror image, mean of the {self.rule}"

    def looks(self, shape: tuple[int, int, int]) -> Looks:
        """Return the view."""
        return Looks((View(mirrored),), 2, shape[1] * shape[2])


@settings
class MultiScale:
    """Fully convolutional at several scales ([R]): the whole picture, however large, at each.

    A network that ends in global average pooling and a linear layer, applied to a larger picture,
    is the same as the linear layer at every position and the mean of those logits, since a linear
    layer and a mean can be exchanged; so it is applied as it is. The mean over scales is taken of
    the probabilities by default; [R] says "average the scores" and not of which kind, and nothing
    of mirror images, which [V] adds.

    Attributes:
        short_sides: the scales, each the shorter side in pixels.
        mirror: look at the mirror image at each scale too.
        rule: what is averaged over the scales.
    """

    kind: Literal["multi_scale"] = "multi_scale"
    short_sides: tuple[int, ...] = PAPER_SCALES
    mirror: bool = False
    rule: Rule = "probabilities"

    @property
    def protocol(self) -> str:
        """The words that stand beside a number."""
        mirror = " and their mirror images" if self.mirror else ""
        sides = ", ".join(map(str, self.short_sides))
        return (
            f"fully convolutional: whole pictures{mirror}, shorter side {sides}, "
            f"mean of the {self.rule}"
        )

    def looks(self, shape: tuple[int, int, int]) -> Looks:
        """Return one view of each scale."""
        if not self.short_sides or min(self.short_sides) < 1:
            raise ConfigError(
                f"views need at least one scale of at least 1 pixel, got {self.short_sides}"
            )
        views = tuple(
            View(partial(scaled, short_side=side, mirror=self.mirror), side)
            for side in self.short_sides
        )
        _, height, width = shape
        largest = max(self.short_sides) ** 2 * max(height, width) // min(height, width)
        return Looks(views, 2 if self.mirror else 1, largest)


Views = Annotated[Whole | CenterCrop | TenCrop | Flips | MultiScale, tagged]


def proportional(side: int, value: int) -> int:
    """Scale a size of the papers, whose crops have 224 pixels, to pictures of another size."""
    return round(value * side / PAPER_CROP)


def _check_crop(short_side: int, size: int) -> None:
    if not 1 <= size <= short_side:
        raise ConfigError(
            f"a crop must have at least 1 pixel and at most those of the shorter side: got {size} "
            f"of {short_side}"
        )
