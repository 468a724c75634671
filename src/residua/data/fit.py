"""What part of a picture is looked at: the same rule when learning, testing and predicting.

Dimension key:
    W, H width and height of a picture   w, h of the part, in the pixels of the result

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 3.4.
    [F] fb.resnet.torch, datasets/transforms.lua (RandomSizedCrop), after Szegedy et al.,
        arXiv:1409.4842, section 6.
"""

import math
from random import Random
from typing import Annotated, Literal

from PIL import Image

from residua.config import settings, tagged
from residua.data.upright import Box
from residua.errors import ConfigError


@settings
class Whole:
    """All of a picture, whatever its proportions; it is stretched to the shape asked for."""

    kind: Literal["whole"] = "whole"

    def box(self, size: tuple[int, int], out: tuple[int, int]) -> Box:
        """Return the part of a picture of W, H that becomes w, h."""
        return Box(0, 0, *size)

    @property
    def resample(self) -> Image.Resampling:
        """How pixels are averaged; small drawings are enlarged pixel by pixel."""
        return Image.Resampling.BOX


@settings
class Center:
    """The largest part in the middle that has the proportions asked for, or a share of it.

    Attributes:
        share: of the sides of that part. The test of [R] shrinks the shorter side to 256 and looks
            at the 224x224 in the middle: a share of 0.875.
    """

    kind: Literal["center"] = "center"
    share: float = 1.0

    def box(self, size: tuple[int, int], out: tuple[int, int]) -> Box:
        """Return the part of a picture of W, H that becomes w, h.

        Raises:
            ConfigError: the share is not in (0, 1].
        """
        if not 0 < self.share <= 1:
            raise ConfigError(f"fit.share must be above 0 and at most 1, got {self.share}")
        pixel = min(size[0] / out[0], size[1] / out[1]) * self.share
        return _middle(size, (out[0] * pixel, out[1] * pixel))

    @property
    def resample(self) -> Image.Resampling:
        """How pixels are averaged."""
        return Image.Resampling.BILINEAR


Fit = Annotated[Whole | Center, tagged]


@settings
class ScaleJitterCrop:
    """A part at a random place and scale ([R]): the shorter side becomes a random number of pixels.

    Attributes:
        short_side: smallest and largest length of the shorter side, in pixels of the result. By
            default 256 and 480 for parts of 224 ([R]), and in that proportion for others.
        flip: mirror every second picture.
    """

    kind: Literal["scale_jitter_crop"] = "scale_jitter_crop"
    short_side: tuple[int, int] | None = None
    flip: bool = True

    def bounds(self, out: tuple[int, int]) -> tuple[int, int]:
        """Return the smallest and the largest shorter side for parts that become w, h.

        Raises:
            ConfigError: the part is larger than the picture can get.
        """
        largest = max(out)
        low, high = self.short_side or (round(largest * 256 / 224), round(largest * 480 / 224))
        if not largest <= low <= high:
            raise ConfigError(
                f"crop.short_side must be two increasing lengths of at least {largest} pixels, the "
                f"size of the part, got {low} and {high}"
            )
        return low, high

    def check(self, out: tuple[int, int]) -> None:
        """Refuse settings that give no part that could become w, h; `bounds` says which."""
        self.bounds(out)

    def draw(self, size: tuple[int, int], out: tuple[int, int], random: Random) -> Box:
        """Draw the part of a picture of W, H that becomes w, h: an offset of whole pixels.

        Raises:
            ConfigError: the part is larger than the picture can get.
        """
        low, high = self.bounds(out)
        short = low + int(random.random() * (high - low + 1))
        scale = short / min(size)
        resized = [max(round(length * scale), short) for length in size]
        corner = [
            int(random.random() * (length - part + 1))
            for length, part in zip(resized, out, strict=True)
        ]
        pixel = [old / new for old, new in zip(size, resized, strict=True)]
        return Box(
            corner[0] * pixel[0],
            corner[1] * pixel[1],
            (corner[0] + out[0]) * pixel[0],
            (corner[1] + out[1]) * pixel[1],
        )


@settings
class InceptionCrop:
    """A part with a random share of the area and random proportions, stretched to the shape ([F]).

    Ten attempts are made to place such a part; then it is the largest in the middle that has the
    proportions of the result.

    Attributes:
        area: smallest and largest share of the picture's area.
        aspect: smallest and largest width / height, drawn uniformly ([F]; torchvision draws its
            logarithm uniformly).
        flip: mirror every second picture.
    """

    kind: Literal["inception_crop"] = "inception_crop"
    area: tuple[float, float] = (0.08, 1.0)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    flip: bool = True

    def check(self, out: tuple[int, int]) -> None:
        """Refuse settings that give no part.

        Raises:
            ConfigError: areas or proportions are not increasing positive numbers.
        """
        if not 0 < self.area[0] <= self.area[1] <= 1 or not 0 < self.aspect[0] <= self.aspect[1]:
            raise ConfigError(
                f"crop.area must be two increasing shares in (0, 1] and crop.aspect two increasing "
                f"numbers above 0, got {self.area} and {self.aspect}"
            )

    def draw(self, size: tuple[int, int], out: tuple[int, int], random: Random) -> Box:
        """Draw the part of a picture of W, H that becomes w, h; `check` says what it raises."""
        self.check(out)
        for _ in range(10):
            area = _between(self.area, random) * size[0] * size[1]
            ratio = _between(self.aspect, random)
            # [F] swaps width and height of every second part.
            ratio = 1 / ratio if random.random() < 0.5 else ratio
            width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < width <= size[0] and 0 < height <= size[1]:
                left = int(random.random() * (size[0] - width + 1))
                top = int(random.random() * (size[1] - height + 1))
                return Box(left, top, left + width, top + height)
        return Center().box(size, out)


Crop = Annotated[ScaleJitterCrop | InceptionCrop, tagged]


def _between(bounds: tuple[float, float], random: Random) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * random.random()


def _middle(size: tuple[int, int], part: tuple[float, float]) -> Box:
    left, top = (size[0] - part[0]) / 2, (size[1] - part[1]) / 2
    return Box(left, top, left + part[0], top + part[1])
