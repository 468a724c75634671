"""The 6n+2 networks for small pictures: ResNet-20 to ResNet-1202 and their plain twins.

They were made for CIFAR's 32x32 and fit other small pictures as they are: digits of 8x8 or 28x28.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2.
"""

from typing import Literal

from torch import nn

from residua.config import settings
from residua.errors import ConfigError
from residua.nets.arguments import arguments
from residua.nets.initialize import initialize
from residua.nets.inputs import Input
from residua.nets.resnet import ResNet
from residua.nn.blocks import Connection, block
from residua.nn.chain import chain

WIDTHS = (16, 32, 64)


def blocks_per_stage(depth: int) -> int:
    """Solve `depth = 6n + 2` for n.

    Raises:
        ConfigError: no n >= 1 does; the nearest depths that fit are named.
    """
    n, rest = divmod(depth - 2, 6)
    if n < 1 or rest:
        nearest = "8" if depth < 8 else f"{6 * n + 2} or {6 * n + 8}"
        raise ConfigError(f"depth must be 6n+2 for basic blocks, got {depth} (try {nearest})")
    return n


def _stage(blocks: int, connection: Connection, in_channels: int, channels: int) -> nn.Module:
    stride = channels // in_channels
    first = block("basic", connection, in_channels, channels, stride)
    rest = (block("basic", connection, channels, channels, 1) for _ in range(blocks - 1))
    return nn.Sequential(first, *rest)


def resnet(
    depth: int = 20, *, shortcut: Connection = "A", in_channels: int = 3, num_classes: int = 10
) -> ResNet:
    """Build a residual network of [R] section 4.2, or its plain twin.

    A 3x3 convolution with 16 channels, then three stages of n blocks with 16, 32 and 64 channels,
    global average pooling and a linear layer: 6n+2 weighted layers.

    Args:
        depth: weighted layers on the main path, 6n+2; shortcut projections are not counted.
        shortcut: option "A" (the paper), "B" or "C", or "none" for the plain twin, which has the
            parameters of option A.
        in_channels: of the pictures.
        num_classes: length of the logits.

    Raises:
        ConfigError: depth is not 6n+2.
    """
    blocks = blocks_per_stage(depth)
    stem = chain(
        conv=nn.Conv2d(in_channels, WIDTHS[0], 3, padding=1, bias=False),
        norm=nn.BatchNorm2d(WIDTHS[0]),
        relu=nn.ReLU(),
    )
    net = ResNet(
        stem=stem,
        stages=[
            _stage(blocks, shortcut, before, width)
            for before, width in zip((WIDTHS[0], *WIDTHS), WIDTHS, strict=False)
        ],
        head=nn.Linear(WIDTHS[-1], num_classes),
        takes=Input(channels=in_channels, smallest=4),
    )
    initialize(net)
    return net


@settings
class CifarConfig:
    """Arguments of `resnet`, as data."""

    kind: Literal["cifar"] = "cifar"
    depth: int = 20
    shortcut: Connection = "A"
    in_channels: int = 3
    num_classes: int = 10

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """C, H, W of the pictures it was made for."""
        return self.in_channels, 32, 32

    def build(self) -> ResNet:
        """Build the network that these settings describe, with freshly drawn weights."""
        return resnet(**arguments(self))
