"""What pictures a set of weights was trained on: channel order, range, mean and deviation."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, tensor

from residua.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """`y = (range * x[order] - mean) / std` for pictures x in [0, 1], RGB.

    Attributes:
        channels: "RGB" or "BGR", the order that the net takes.
        range: the largest value of a pixel, 1 or 255.
        mean: subtracted from each channel, in the order that the net takes; or from each pixel, as
            C lists of H lists of W numbers.
        std: divides each channel.
        source: who says so.
        first: what whole pictures undergo before that, in words, where it needs arrays that lie
            beside the weights; empty for nothing.
    """

    channels: Literal["RGB", "BGR"] = "RGB"
    range: float = 1.0
    mean: tuple[float, ...] | tuple[tuple[tuple[float, ...], ...], ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    source: str = ""
    first: str = ""

    def plainly(self, mean: object, std: object) -> bool:
        """Whether it is no more than this mean and this deviation, but for rounding."""
        pairs = ((self.mean, mean), (self.std, std))
        found = [tuple(map(tensor, pair)) for pair in pairs]
        alike = all(
            own.shape == other.shape and own.allclose(other, atol=1e-4) for own, other in found
        )
        return alike and (self.channels, self.range, self.first) == ("RGB", 1.0, "")

    def __call__(self, images: Tensor) -> Tensor:
        """Prepare pictures.

        Shape:
            images: N, 3, H, W in [0, 1], RGB.  y: N, 3, H, W.

        Raises:
            ConfigError: arrays are needed that are not here.
        """
        if self.first:
            raise ConfigError(
                f"pictures of these weights are first {self.first}: load the run with "
                "residua.load, whose `normalize` does it"
            )
        x = images.flip(1) if self.channels == "BGR" else images
        mean, std = (tensor(v, device=x.device) for v in (self.mean, self.std))
        return (self.range * x - _per_channel(mean)) / _per_channel(std)

    def rows(self) -> dict[str, str]:
        """Describe it line by line."""
        facts = dataclasses.asdict(self)
        return {name: _phrase(value) for name, value in facts.items() if name != "first" or value}


def _per_channel(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1) if values.ndim == 1 else values


def _phrase(value: object) -> str:
    if not isinstance(value, tuple):
        return str(value)
    numbers = tensor(value)
    if numbers.ndim == 1:
        return ", ".join(f"{v:g}" for v in value)
    return f"of each pixel, {', '.join(f'{v:.4g}' for v in numbers.mean(dim=(1, 2)))} on average"


IMAGENET = Preprocessing(
    mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), source="torchvision"
)
# The authors subtract a mean picture; these are its channels' means as detectron2 has them.
MSRA = Preprocessing(
    channels="BGR",
    range=255.0,
    mean=(103.53, 116.28, 123.675),
    source="detectron2, for MSRA's nets",
)
VGG_CAFFE = Preprocessing(
    channels="BGR", range=255.0, mean=(103.939, 116.779, 123.68), source="the VGG group's release"
)
