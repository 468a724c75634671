"""From pixels to the numbers that a network takes.

Most kinds are a mean and a deviation, applied after augmentation. Those that look at whole pictures
also have a preparation, which the pictures undergo once, before augmentation.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, sections 3.4 and 4.2.
    [F] fb.resnet.torch, datasets/cifar10.lua and imagenet.lua.
    [H] highway-networks, examples/highways: the authors' solver and network files.
    [W] Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146v1: ZCA.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from residua.config import settings, tagged
from residua.data.whiten import Preparation
from residua.errors import ConfigError

# Deviations below this are taken for it: a channel may be constant.
SMALLEST_STD = 1e-6


class Sampled(Protocol):
    """A set of pictures, of which enough to take statistics are read only if they are needed.

    Attributes:
        shape: C, H, W of a picture.
    """

    @property
    def shape(self) -> tuple[int, int, int]: ...

    def sample(self) -> Tensor:
        """Return n, C, H, W pictures of uint8."""
        ...


# A number per channel, or one per pixel: C tuples of H tuples of W.
Numbers = tuple[float, ...] | tuple[tuple[tuple[float, ...], ...], ...]


@dataclass(frozen=True, eq=False)
class Normalize:
    """`(p / 255 - mean) / std`, with p the picture itself or, where there is one, its preparation.

    Shape:
        mean: C, 1, 1, or C, H, W for a mean of each pixel.  std: C, 1, 1.

    Args:
        mean: for pictures in [0, 1].
        std: likewise.
        preparation: what whole pictures undergo before augmentation.
    """

    mean: Tensor
    std: Tensor
    preparation: Preparation | None = None

    @classmethod
    def of(cls, mean: Numbers, std: Numbers, preparation: Preparation | None = None) -> Self:
        """Make one from a number per channel, or C lists of H lists of W numbers."""
        return cls(_as_tensor(mean), _as_tensor(std), preparation)

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
        preparation = None if self.preparation is None else self.preparation.to(device)
        return type(self)(self.mean.to(device), self.std.to(device), preparation)

    def __call__(self, images: Tensor) -> Tensor:
        """Normalize N, C, H, W pictures in [0, 255]; the result is float32, channels last."""
        return self.finish(self.prepare(images))

    def prepare(self, images: Tensor) -> Tensor:
        """Do what comes before augmentation, once; nothing to do for a mean and a deviation."""
        return images if self.preparation is None else self.preparation(images)

    def finish(self, images: Tensor) -> Tensor:
        """Do what comes after augmentation, to prepared pictures."""
        mean = self.mean_at(images.shape[2:])
        normal = images.to(torch.float32).sub(mean * 255).div_(self.std * 255)
        return normal.contiguous(memory_format=torch.channels_last)

    def mean_at(self, size: tuple[int, ...]) -> Tensor:
        """Resize a mean of each pixel to pictures of another size; any other mean stays as it is.

        To resize is linear, so this is the mean of the resized pictures.
        """
        if self.mean[0].numel() == 1 or self.mean.shape[1:] == size:
            return self.mean
        return F.interpolate(self.mean[None], size, mode="bilinear", antialias=True)[0]


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

    def fit(self, images: Tensor | Sampled) -> Normalize:
        """Take mean and standard deviation over all pixels of N, C, H, W pictures or a set."""
        mean, std = _moments(_sample(images))
        return Normalize(mean.float().view(-1, 1, 1), std.float().view(-1, 1, 1))


@settings
class PixelMean:
    """Subtract the mean of each pixel over the training pictures ([R]); no deviation divides.

    Pixels are divided by 255 as everywhere here, which [R] does not say. Behind a batch norm, as
    every first convolution of [R] has, that makes no difference but for the norm's epsilon.
    """

    kind: Literal["pixel_mean"] = "pixel_mean"

    def fit(self, images: Tensor | Sampled) -> Normalize:
        """Take the mean picture of N, C, H, W pictures or a set."""
        found = _sample(images)
        total = torch.zeros(found.shape[1:], dtype=torch.int64)
        for part in found.split(1000):
            total += part.sum(dim=0, dtype=torch.int64)
        mean = total.double() / (255 * len(found))
        return Normalize(mean.float(), torch.ones(len(mean), 1, 1))


@settings
class FixedStats:
    """Subtract given means and divide by given deviations, of pictures in [0, 1].

    Attributes:
        mean: of each channel; the defaults are ImageNet's ([F]).
        std: of each channel.
    """

    kind: Literal["fixed_stats"] = "fixed_stats"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def fit(self, images: Tensor | Sampled) -> Normalize:
        """Take the given numbers, if the pictures have as many channels; none is read.

        Raises:
            ConfigError: they have not, or a deviation is not above 0.
        """
        channels = images.shape[-3]
        if not len(self.mean) == len(self.std) == channels or min(self.std) <= 0:
            raise ConfigError(
                f"normalize needs a mean and a std above 0 for each of {channels} channels, got "
                f"{self.mean} and {self.std}"
            )
        return Normalize.of(self.mean, self.std)


@settings
class Scale:
    """Multiply every pixel, in [0, 255], by one number.

    Attributes:
        factor: 1/256 for the highway nets of MNIST ([H]); 1 leaves the pixels as they are.
    """

    kind: Literal["scale"] = "scale"
    factor: float = 1 / 255

    def fit(self, images: Tensor | Sampled) -> Normalize:
        """Take the given number; of the pictures only the channels matter, and none is read.

        Raises:
            ConfigError: the factor is not above 0.
        """
        if not 0 < self.factor < math.inf:
            raise ConfigError(f"normalize.factor must be above 0, got {self.factor}")
        channels = images.shape[-3]
        return Normalize.of((0.0,) * channels, (1 / (255 * self.factor),) * channels)


@settings
class ContrastNormalize:
    """Bring each picture to mean 0 and a fixed norm, then subtract the mean picture ([H]).

    Before augmentation, so that padding is zero as in [H]. Training then holds the pictures as
    float32, four times the bytes.

    Attributes:
        scale: the norm. [H] does not state it; 55 is that of the scripts of pylearn2.
    """

    kind: Literal["contrast_normalize"] = "contrast_normalize"
    scale: float = 55.0

    def fit(self, images: Tensor | Sampled) -> Normalize:
        """Take the mean picture of N, C, H, W pictures or a set."""
        scale = _positive(self.scale, "scale")
        return _prepared(Preparation.fit(_sample(images), scale=scale, bias=None))


@settings
class Whiten:
    """Contrast normalization, then ZCA whitening, as in the first tables of [W].

    Before augmentation. Training then holds the pictures as float32, four times the bytes, and the
    weights are saved with the matrix: 38 MB for 3x32x32 pictures.

    Attributes:
        scale: the norm that contrast normalization gives every picture.
        bias: added to every eigenvalue of the covariance. Both defaults are those of the scripts
            that [W] names.
    """

    kind: Literal["whiten"] = "whiten"
    scale: float = 55.0
    bias: float = 0.1

    def fit(self, images: Tensor | Sampled) -> Normalize:
        """Take mean and whitening from N, C, H, W pictures or a set."""
        scale, bias = _positive(self.scale, "scale"), _positive(self.bias, "bias")
        return _prepared(Preparation.fit(_sample(images), scale=scale, bias=bias))


def _sample(images: Tensor | Sampled) -> Tensor:
    """Return N, C, H, W pictures, read now if they are in files."""
    return images if isinstance(images, Tensor) else images.sample()


Normalization = Annotated[
    ChannelStats | PixelMean | FixedStats | Scale | ContrastNormalize | Whiten, tagged
]


def _prepared(preparation: Preparation) -> Normalize:
    """Finish prepared pictures by leaving them as they are."""
    channels = len(preparation.mean)
    return Normalize.of((0.0,) * channels, (1 / 255,) * channels, preparation)


def _positive(value: float, name: str) -> float:
    if not 0 < value < math.inf:
        raise ConfigError(f"normalize.{name} must be above 0, got {value}")
    return value


def _moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of each channel of N, C, H, W pictures, exactly, in [0, 1]."""
    pixels = images.transpose(0, 1).flatten(1)
    counts_C256 = torch.stack([torch.bincount(channel, minlength=256) for channel in pixels])
    values_256 = torch.arange(256, dtype=torch.float64) / 255
    share_C256 = counts_C256.double() / pixels.shape[1]
    mean_C = share_C256 @ values_256
    variance_C = (share_C256 * (values_256 - mean_C[:, None]) ** 2).sum(dim=1)
    return mean_C, variance_C.sqrt().clamp_min(SMALLEST_STD)
