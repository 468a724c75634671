"""From pixels to the numbers that a network takes.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, sections 3.4 and 4.2.
    [F] fb.resnet.torch, datasets/cifar10.lua and imagenet.lua.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import torch
from torch import Tensor

from residua.config import settings, tagged

# Deviations below this are taken for it: a channel may be constant.
SMALLEST_STD = 1e-6

# A number per channel, or one per pixel: C tuples of H tuples of W.
Numbers = tuple[float, ...] | tuple[tuple[tuple[float, ...], ...], ...]


@dataclass(frozen=True, eq=False)
class Normalize:
    """`(x / 255 - mean) / std`.

    Shape:
        mean: C, 1, 1, or C, H, W for a mean of each pixel.  std: C, 1, 1.

    Args:
        mean: for pictures in [0, 1].
        std: likewise.
    """

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, mean: Numbers, std: Numbers) -> Self:
        """Make one from a number per channel, or C lists of H lists of W numbers."""
        return cls(*(_as_tensor(numbers) for numbers in (mean, std)))

    def numbers(self) -> tuple[Numbers, tuple[float, ...]]:
        """Return mean and deviation as `of` takes them."""
        mean = self.mean.tolist() if self.mean[0].numel() > 1 else self.mean.flatten().tolist()
        return _as_tuples(mean), self.channel_std

    @property
    def channel_mean(self) -> tuple[float, ...]:
        """One mean per channel; of all pixels, if there is one of each pixel."""
        return tuple(self.mean.mean(dim=(1, 2)).tolist())

    @property
    def channel_std(self) -> tuple[float, ...]:
        """One deviation per channel."""
        return tuple(self.std.flatten().tolist())

    def to(self, device: torch.device) -> Self:
        """Return the same on a device."""
        return type(self)(self.mean.to(device), self.std.to(device))

    def __call__(self, images: Tensor) -> Tensor:
        """Normalize N, C, H, W pictures in [0, 255]; the result is float32, channels last."""
        normal = images.to(torch.float32).sub(self.mean * 255).div_(self.std * 255)
        return normal.contiguous(memory_format=torch.channels_last)


def _as_tensor(numbers: Numbers) -> Tensor:
    found = torch.tensor(numbers)
    return found.view(-1, 1, 1) if found.ndim == 1 else found


def _as_tuples(values: Any) -> Any:
    return tuple(map(_as_tuples, values)) if isinstance(values, list) else values


@settings
class ChannelStats:
    """Subtract the mean of each channel and divide by its deviation, over the training pictures.

    As [F] does.
    """

    kind: Literal["channel_stats"] = "channel_stats"

    def fit(self, images: Tensor) -> Normalize:
        """Take mean and standard deviation over all pixels of N, C, H, W pictures."""
        mean, std = _moments(images)
        return Normalize(mean.float().view(-1, 1, 1), std.float().view(-1, 1, 1))


@settings
class PixelMean:
    """Subtract the mean of each pixel over the training pictures; nothing is divided ([R])."""

    kind: Literal["pixel_mean"] = "pixel_mean"

    def fit(self, images: Tensor) -> Normalize:
        """Take the mean picture of N, C, H, W pictures."""
        total = torch.zeros(images.shape[1:], dtype=torch.int64)
        for part in images.split(1000):
            total += part.sum(dim=0, dtype=torch.int64)
        mean = total.double() / (255 * len(images))
        return Normalize(mean.float(), torch.ones(len(mean), 1, 1))


Normalization = Annotated[ChannelStats | PixelMean, tagged]


def _moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of each channel of N, C, H, W pictures, exactly, in [0, 1]."""
    pixels = images.transpose(0, 1).flatten(1)
    counts_C256 = torch.stack([torch.bincount(channel, minlength=256) for channel in pixels])
    values_256 = torch.arange(256, dtype=torch.float64) / 255
    share_C256 = counts_C256.double() / pixels.shape[1]
    mean_C = share_C256 @ values_256
    variance_C = (share_C256 * (values_256 - mean_C[:, None]) ** 2).sum(dim=1)
    return mean_C, variance_C.sqrt().clamp_min(SMALLEST_STD)
