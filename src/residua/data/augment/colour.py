"""Colours changed at random, one way for each picture.

Sources:
    [A] Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks, 2012,
        section 4.1; named by He et al., arXiv:1512.03385, section 3.4.
    [F] fb.resnet.torch, datasets/transforms.lua and imagenet.lua.
"""

import math
from typing import Literal

import torch
from torch import Generator, Tensor

from residua.config import settings
from residua.errors import ConfigError, ShapeError

# Of red, green and blue in a grey picture.
LUMA = (0.299, 0.587, 0.114)
# The covariance of ImageNet's colours in [0, 1]: eigenvalues, and eigenvectors as columns ([F]).
EIGENVALUES = (0.2175, 0.0188, 0.0045)
EIGENVECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)


def colour_jitter(
    images: Tensor,
    generator: Generator,
    *,
    brightness: float,
    contrast: float,
    saturation: float,
) -> Tensor:
    """Blend each picture with black, its mean grey and its grey self ([F]).

    Every blend is `a x + (1 - a) y` with a uniform in [1 - strength, 1 + strength]; y is black for
    brightness, the mean of the grey picture for contrast, the grey picture for saturation. [F] does
    them in random order; since nothing is clamped they commute, and the order makes no difference.

    Shape:
        images: N, 3, H, W of any type. Returns float32 N, 3, H, W, which as in [F] may leave
        [0, 255].

    Args:
        images: RGB.
        generator: on the processor; the only source of randomness.
        brightness: strength.
        contrast: strength.
        saturation: strength.

    Raises:
        ConfigError: a strength is negative or not finite.
        ShapeError: the pictures have not three channels.
    """
    strengths = (brightness, contrast, saturation)
    if not all(0 <= strength < math.inf for strength in strengths):
        raise ConfigError(
            "augment.brightness, contrast and saturation must be at least 0, got "
            f"{', '.join(map(str, strengths))}"
        )
    _three_channels(images)
    uniform_3N = torch.rand(3, len(images), generator=generator) * 2 - 1
    alpha_3N = 1 + uniform_3N * torch.tensor(strengths)[:, None]
    bright, contrasted, saturated = alpha_3N.to(images.device).view(3, -1, 1, 1, 1)
    luma = torch.tensor(LUMA, device=images.device).view(3, 1, 1)
    x = bright * images.float()
    grey_N1HW = (x * luma).sum(dim=1, keepdim=True)
    x = saturated * x + (1 - saturated) * grey_N1HW
    return contrasted * x + (1 - contrasted) * grey_N1HW.mean(dim=(2, 3), keepdim=True)


def pca_colour(images: Tensor, generator: Generator, *, std: float) -> Tensor:
    """Add to each picture one colour, drawn along the main axes of ImageNet's colours ([A]).

    `x + 255 E (a * v)` with eigenvectors E, eigenvalues v and three a from N(0, std^2).

    Shape:
        images: N, 3, H, W of any type. Returns float32 N, 3, H, W, which may leave [0, 255].

    Args:
        images: RGB.
        generator: on the processor; the only source of randomness.
        std: 0.1 in [A] and [F].

    Raises:
        ConfigError: the deviation is negative or not finite.
        ShapeError: the pictures have not three channels.
    """
    if not 0 <= std < math.inf:
        raise ConfigError(f"augment.std must be at least 0, got {std}")
    _three_channels(images)
    alpha_N3 = std * torch.randn(len(images), 3, generator=generator)
    shift_N3 = 255 * (alpha_N3 * torch.tensor(EIGENVALUES)) @ torch.tensor(EIGENVECTORS).T
    return images.float() + shift_N3.to(images.device)[:, :, None, None]


def _three_channels(images: Tensor) -> None:
    if images.shape[1] != 3:
        raise ShapeError(f"colours are changed in RGB pictures, got {images.shape[1]} channels")


@settings
class ColourJitter:
    """Settings of `colour_jitter`.

    Attributes:
        brightness: largest change of the factor, 0.4 in fb.resnet.torch.
        contrast: likewise.
        saturation: likewise.
    """

    kind: Literal["colour_jitter"] = "colour_jitter"
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        """Change the colours of a batch of shape N, 3, H, W."""
        return colour_jitter(
            images,
            generator,
            brightness=self.brightness,
            contrast=self.contrast,
            saturation=self.saturation,
        )


@settings
class PcaColour:
    """Settings of `pca_colour`.

    Attributes:
        std: of the factor of each eigenvalue.
    """

    kind: Literal["pca_colour"] = "pca_colour"
    std: float = 0.1

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        """Add a random colour to each picture of a batch of shape N, 3, H, W."""
        return pca_colour(images, generator, std=self.std)
