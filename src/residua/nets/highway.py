"""Convolutional highway networks, and their plain twins.

Sources:
    [H] Srivastava et al., Highway Networks, arXiv:1505.00387, sections 2 and 3.
    [T] Srivastava et al., Training Very Deep Networks, arXiv:1507.06228, tables 1 and 2; and the
        authors' Caffe files examples/highways/{mnist-10layers,cifar10-19layers}.
"""

from typing import Literal

from torch import nn

from residua.config import settings
from residua.errors import ConfigError
from residua.nets.arguments import arguments
from residua.nets.initialize import initialize, initialize_xavier
from residua.nets.inputs import Input
from residua.nets.resnet import GlobalAverage, ResNet
from residua.nn.blocks import HighwayBlock, PlainBlock, gate
from residua.nn.chain import chain
from residua.nn.frugal import FrugalReLU

Layout = Literal["mnist10", "cifar19", "cifar11_conjecture"]
Gating = Literal["coupled", "separate", "none"]
WeightsDrawn = Literal["he", "xavier"]


def _convolution(in_channels: int, channels: int, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2)


def _highway(channels: int, gating: Gating, bias: float) -> nn.Module:
    residual = chain(conv=_convolution(channels, channels), relu=FrugalReLU())
    match gating:
        case "none":
            return PlainBlock(before=nn.Identity(), residual=residual, after=nn.Identity())
        case "coupled":
            carry = None
        case "separate":
            carry = gate(_convolution(channels, channels), -bias)
        case _:
            raise ConfigError(f"gating must be coupled, separate or none, got {gating!r}")
    transform = gate(_convolution(channels, channels), bias)
    return HighwayBlock(residual=residual, gate=transform, carry=carry)


def _stage(
    layers: int, channels: int, gating: Gating, bias: float, **before: nn.Module
) -> nn.Module:
    blocks = {f"block{n}": _highway(channels, gating, bias) for n in range(1, layers + 1)}
    return chain(**before, **blocks)


def _between(in_channels: int, channels: int, dropout: float) -> dict[str, nn.Module]:
    """Halve the size and change the width: pooling, dropout and a plain layer."""
    return {
        "pool": nn.MaxPool2d(2, stride=2),
        **({"dropout": nn.Dropout(dropout)} if dropout else {}),
        "conv": _convolution(in_channels, channels),
        "relu": FrugalReLU(),
    }


def _mnist(width: int, gating: Gating, in_channels: int, num_classes: int) -> ResNet:
    bias = -1.0
    pools = [nn.MaxPool2d(3, stride=2, ceil_mode=True) for _ in range(2)]
    stem = chain(dropout=nn.Dropout(0.2), conv=nn.Conv2d(in_channels, width, 5), relu=FrugalReLU())
    return ResNet(
        stem=stem,
        stages=[
            _stage(2, width, gating, bias),
            _stage(3, width, gating, bias, pool=pools[0], dropout=nn.Dropout(0.3)),
            _stage(3, width, gating, bias, pool=pools[1], dropout=nn.Dropout(0.4)),
        ],
        last=chain(pool=nn.MaxPool2d(2, stride=2), dropout=nn.Dropout(0.5)),
        average=nn.Flatten(),
        head=nn.Linear(9 * width, num_classes),
        takes=Input(channels=in_channels, size=28),
    )


def _cifar19(width: int, gating: Gating, in_channels: int, num_classes: int) -> ResNet:
    bias, middle, high = -2.0, width * 5 // 2, 4 * width
    stem = chain(dropout=nn.Dropout(0.2), conv=_convolution(in_channels, width), relu=FrugalReLU())
    return ResNet(
        stem=stem,
        stages=[
            _stage(4, width, gating, bias),
            _stage(5, middle, gating, bias, **_between(width, middle, 0.2)),
            _stage(5, high, gating, bias, **_between(middle, high, 0.2)),
        ],
        last=chain(conv=_convolution(high, 100, 1), relu=FrugalReLU()),
        average=chain(average=GlobalAverage(), dropout=nn.Dropout(0.2)),
        head=nn.Linear(100, num_classes),
        takes=Input(channels=in_channels, smallest=4),
    )


def _cifar11(width: int, gating: Gating, in_channels: int, num_classes: int) -> ResNet:
    bias = -2.0
    return ResNet(
        stem=chain(conv=_convolution(in_channels, width), relu=FrugalReLU()),
        stages=[
            _stage(2, width, gating, bias),
            _stage(3, 2 * width, gating, bias, **_between(width, 2 * width, 0.0)),
            _stage(2, 4 * width, gating, bias, **_between(2 * width, 4 * width, 0.0)),
        ],
        head=nn.Linear(4 * width, num_classes),
        takes=Input(channels=in_channels, smallest=4),
    )


BUILDERS = {"mnist10": _mnist, "cifar19": _cifar19, "cifar11_conjecture": _cifar11}
WIDTHS: dict[Layout, int] = {"mnist10": 32, "cifar19": 32, "cifar11_conjecture": 16}
SHAPES: dict[Layout, tuple[int, int]] = {
    "mnist10": (1, 28),
    "cifar19": (3, 32),
    "cifar11_conjecture": (3, 32),
}


def highway(
    layout: Layout = "cifar19",
    *,
    width: int | None = None,
    gating: Gating = "coupled",
    weights: WeightsDrawn = "he",
    zero_init_residual: bool = False,
    in_channels: int | None = None,
    num_classes: int = 10,
) -> ResNet:
    """Build a convolutional highway net: `y = H(x) T(x) + x C(x)`, H a convolution with ReLU.

    Weighted layers are counted without gates. The biases of the transform gates T start at -1
    (MNIST) or -2 (CIFAR), so that the layers carry their input at first.

    Args:
        layout: "mnist10" and "cifar19" are the authors' files. "cifar11_conjecture" has the layers
            and about the parameters of Highway 1 of [T] (236 thousand), whose layout is not
            published: it is a guess.
        width: channels of the first highway layers; 32 in the files, 16 in the guess and in the
            small MNIST net of [H] (39 thousand parameters).
        gating: "coupled" is C = 1 - T, as in all experiments; "separate" has a gate C with weights
            of its own; "none" is the plain twin y = H(x).
        weights: how they are first drawn: "he" as everywhere here, or "xavier" as the files say.
        zero_init_residual: not possible, since H ends in ReLU; refused with a sentence.
        in_channels: of the pictures; 1 for MNIST and 3 for CIFAR if not given.
        num_classes: length of the logits.

    Raises:
        ConfigError: an unknown layout or gating, or a width that does not divide.

    Differs:
        No paper says where the bias of a separate carry gate starts: here at minus that of T.
    """
    if layout not in BUILDERS:
        raise ConfigError(f"layout must be one of {', '.join(BUILDERS)}, got {layout!r}")
    channels = WIDTHS[layout] if width is None else width
    if channels < 1 or (layout == "cifar19" and channels % 2):
        raise ConfigError(
            f"width must be a positive{' even' if layout == 'cifar19' else ''} number of channels, "
            f"got {channels} (try {WIDTHS[layout]})"
        )
    planes = SHAPES[layout][0] if in_channels is None else in_channels
    if weights not in ("he", "xavier"):
        raise ConfigError(f"weights must be he or xavier, got {weights!r}")
    net = BUILDERS[layout](channels, gating, planes, num_classes)
    initialize(net, zero_init_residual=zero_init_residual)
    if weights == "xavier":
        initialize_xavier(net)
    return net


@settings
class HighwayConfig:
    """Arguments of `highway`, as data."""

    kind: Literal["highway"] = "highway"
    layout: Layout = "cifar19"
    width: int | None = None
    gating: Gating = "coupled"
    weights: WeightsDrawn = "he"
    zero_init_residual: bool = False
    in_channels: int | None = None
    num_classes: int = 10

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """C, H, W of the pictures it was made for."""
        channels, size = SHAPES[self.layout]
        return self.in_channels or channels, size, size

    def build(self) -> ResNet:
        """Build the network that these settings describe, with freshly drawn weights."""
        return highway(**arguments(self))
