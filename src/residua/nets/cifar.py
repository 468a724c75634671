"""The networks for small pictures: 6n+2, 9n+2 and 3n+2 layers, and their plain twins.

They were made for CIFAR's 32x32 and fit other small pictures as they are: digits of 8x8 or 28x28.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2.
    [P] He et al., Identity Mappings, arXiv:1603.05027, table 1, figure 4, tables 2 and 3.
    [S] Huang et al., Stochastic Depth, arXiv:1603.09382.
"""

from typing import Literal

from torch import nn

from residua.config import settings
from residua.errors import ConfigError
from residua.nets.arguments import arguments
from residua.nets.initialize import initialize
from residua.nets.inputs import Input
from residua.nets.resnet import ResNet
from residua.nets.stages import last_activation, stages
from residua.nn.chain import chain
from residua.nn.frugal import FrugalReLU
from residua.nn.residuals import Order
from residua.nn.unit import (
    KERNELS,
    BlockName,
    Connection,
    MakeShortcut,
    StrideOn,
    Unit,
    stride_index,
)

WIDTHS = (16, 32, 64)


def blocks_per_stage(depth: int, block: BlockName = "basic") -> int:
    """Solve `depth = 6n + 2` for n, 9n+2 for bottlenecks, 3n+2 for units of one layer.

    Raises:
        ConfigError: no n >= 1 does, or there is no such block; the nearest depths are named.
    """
    if block not in KERNELS:
        raise ConfigError(f"block must be one of {', '.join(KERNELS)}, got {block!r}")
    step = 3 * len(KERNELS[block])
    n, rest = divmod(depth - 2, step)
    if n < 1 or rest:
        nearest = f"{step * n + 2} or {step * n + step + 2}" if n >= 1 else f"{step + 2}"
        raise ConfigError(
            f"depth must be {step}n+2 for {block} blocks, got {depth} (try {nearest})"
        )
    return n


def resnet(  # noqa: PLR0913 -- one named argument for each choice of the papers
    depth: int = 20,
    *,
    shortcut: Connection | MakeShortcut = "A",
    block: BlockName = "basic",
    order: Order = "post",
    stride_on: StrideOn = "1x1",
    scales: tuple[float, float] = (0.5, 1.0),
    gate_bias: float = -6.0,
    survival: float = 1.0,
    widths: tuple[int, int, int] = WIDTHS,
    zero_init_residual: bool = False,
    in_channels: int = 3,
    num_classes: int = 10,
) -> ResNet:
    """Build a residual network of [R] section 4.2 or of [P], or its plain twin.

    A 3x3 convolution with 16 channels, then three stages of n units with 16, 32 and 64 channels
    (four times as many after bottlenecks), global average pooling and a linear layer.

    Args:
        depth: weighted layers on the main path: 6n+2 for basic units, 9n+2 for bottlenecks, 3n+2
            for single layers; shortcut projections are not counted.
        shortcut: option "A" ([R]), "B" (for bottlenecks, [P]) or "C", a row of [P] table 1, or
            "none" for the plain twin, which has the parameters of option A; or a function from
            in_channels, out_channels, stride to any module.
        block: "basic", two 3x3 convolutions; "bottleneck", 1x1, 3x3, 1x1; "single", one 3x3.
        order: of batch normalization, ReLU and addition, by the names of [P] figure 4.
        stride_on: the convolution of a bottleneck that has the stride; "1x1" in the authors' code.
        scales: of the shortcut and of the residual under "constant_scaling".
        gate_bias: first value of the bias of a gate.
        survival: probability in (0, 1] that the last unit is kept in a training step ([S]); the
            paper's nets have 0.5 and shortcut "average_pad".
        widths: channels of the three stages, increasing; 16, 32, 64 in the papers. Others let a
            net with gates have the parameters of one without.
        zero_init_residual: start every residual function at zero.
        in_channels: of the pictures.
        num_classes: length of the logits.

    Raises:
        ConfigError: the depth has not that form, or a choice does not exist.

    Differs:
        With order "full_preact" and shortcut A, the shortcut takes the raw input everywhere, so
        that the signal passes unchanged; fb.resnet.torch activates it where the shape changes.
    """
    blocks = blocks_per_stage(depth, block)
    expansion = 4 if block == "bottleneck" else 1
    unit = Unit(
        kernels=KERNELS[block],
        reduction=expansion,
        stride_on=stride_index(block, stride_on),
        order=order,
        shortcut=shortcut,
        scales=scales,
        gate_bias=gate_bias,
    )
    if min(widths) < 1 or list(widths) != sorted(widths):
        raise ConfigError(f"widths must be increasing numbers of channels, got {widths}")
    channels = [width * expansion for width in widths]
    stem = chain(
        conv=nn.Conv2d(in_channels, widths[0], 3, padding=1, bias=False),
        norm=nn.BatchNorm2d(widths[0]),
        relu=FrugalReLU(),
    )
    net = ResNet(
        stem=stem,
        stages=stages(
            unit,
            [blocks] * 3,
            channels,
            in_channels=widths[0],
            strides=(1, 2, 2),
            activated=True,
            survival=survival,
        ),
        last=last_activation(channels[-1], order),
        head=nn.Linear(channels[-1], num_classes),
        takes=Input(channels=in_channels, smallest=4),
    )
    initialize(net, zero_init_residual=zero_init_residual)
    return net


@settings
class CifarConfig:
    """Arguments of `resnet`, as data."""

    kind: Literal["cifar"] = "cifar"
    depth: int = 20
    shortcut: Connection = "A"
    block: BlockName = "basic"
    order: Order = "post"
    stride_on: StrideOn = "1x1"
    scales: tuple[float, float] = (0.5, 1.0)
    gate_bias: float = -6.0
    survival: float = 1.0
    widths: tuple[int, int, int] = WIDTHS
    zero_init_residual: bool = False
    in_channels: int = 3
    num_classes: int = 10

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """C, H, W of the pictures it was made for."""
        return self.in_channels, 32, 32

    def build(self) -> ResNet:
        """Build the network that these settings describe, with freshly drawn weights."""
        return resnet(**arguments(self))
