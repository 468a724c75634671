"""The networks for ImageNet: 18 to 200 layers, their plain twins, and wide ones.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, table 1, sections 3.3 and 4.1;
        and the authors' Caffe files (stride on the 1x1; a bias in the stem of ResNet-50).
    [P] He et al., Identity Mappings, arXiv:1603.05027, section 5 (200 layers).
    [W] Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146, section 3.
    [U] Ye, Residual Learning (slides), University of Queensland: the 18-layer net.
"""

from typing import Any, Literal

from torch import nn

from residua.config import settings
from residua.errors import ConfigError
from residua.nets.arguments import arguments
from residua.nets.initialize import initialize
from residua.nets.inputs import Input
from residua.nets.resnet import ResNet
from residua.nets.stages import last_activation, scaled, stages
from residua.nn.chain import chain
from residua.nn.frugal import FrugalReLU
from residua.nn.residuals import Order
from residua.nn.unit import KERNELS, Connection, MakeShortcut, StrideOn, Unit, stride_index

WIDTHS = (64, 128, 256, 512)
LAYOUTS: dict[int, tuple[Literal["basic", "bottleneck"], tuple[int, int, int, int]]] = {
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
    200: ("bottleneck", (3, 24, 36, 3)),
}


def resnet(  # noqa: PLR0913 -- one named argument for each choice of the papers
    depth: int = 50,
    *,
    shortcut: Connection | MakeShortcut = "B",
    order: Order = "post",
    stride_on: StrideOn = "1x1",
    widen: float = 1.0,
    norm: bool = True,
    stem_bias: bool = False,
    pool_rounding: Literal["floor", "ceil"] = "floor",
    zero_init_residual: bool = False,
    in_channels: int = 3,
    num_classes: int = 1000,
) -> ResNet:
    """Build a network of [R] table 1, or one that others made of it.

    Args:
        depth: weighted layers on the main path: 18, 34, 50, 101, 152 or 200; shortcut projections
            are not counted.
        shortcut: option "B" ([R] for 50 layers and more), "A" or "C"; "conv2x2" of [U]; "none" for
            the plain twin, which has the parameters of option A; or a function from in_channels,
            out_channels, stride to any module.
        order: of batch normalization, ReLU and addition; "full_preact" is [P].
        stride_on: the convolution of a bottleneck that has the stride: "1x1" as published, "3x3" as
            in most libraries (called v1.5), at 231,211,008 multiply-adds more.
        widen: factor on the widths of basic units, and on the 3x3 convolutions of bottlenecks,
            whose outputs stay ([W]; WRN-50-2 has the stride on the 3x3).
        norm: without batch normalization, convolutions have biases in its place (the table of [U]
            as it stands).
        stem_bias: a bias in the first convolution too, as in the authors' released ResNet-50.
        pool_rounding: "floor" pads the max-pooling by 1; "ceil" does not and rounds up, as the
            authors' Caffe nets do, whose windows begin one pixel later.
        zero_init_residual: start every residual function at zero.
        in_channels: of the pictures.
        num_classes: length of the logits.

    Raises:
        ConfigError: no such depth, or a width is no whole number of channels.
    """
    if depth not in LAYOUTS:
        known = sorted(LAYOUTS, key=lambda other: (abs(other - depth), other))[:2]
        raise ConfigError(
            f"depth must be one of {', '.join(map(str, LAYOUTS))} for ImageNet, got {depth} "
            f"(try {' or '.join(map(str, sorted(known)))})"
        )
    block, counts = LAYOUTS[depth]
    if block == "bottleneck":
        channels = [4 * width for width in WIDTHS]
        widths = [scaled(width, widen) for width in WIDTHS]
    else:
        channels = widths = [scaled(width, widen) for width in WIDTHS]
    unit = Unit(
        kernels=KERNELS[block],
        stride_on=stride_index(block, stride_on),
        order=order,
        shortcut=shortcut,
        norm=norm,
    )
    net = ResNet(
        stem=_stem(in_channels, norm=norm, bias=stem_bias or not norm),
        pool=_pool(pool_rounding),
        stages=stages(
            unit,
            counts,
            channels,
            in_channels=WIDTHS[0],
            strides=(1, 2, 2, 2),
            widths=widths,
            activated=True,
        ),
        last=last_activation(channels[-1], order, norm=norm),
        head=nn.Linear(channels[-1], num_classes),
        takes=Input(channels=in_channels, smallest=32),
    )
    initialize(net, zero_init_residual=zero_init_residual)
    return net


def resnet18(**options: Any) -> ResNet:
    """Build `resnet(18, **options)`: 11.7 M parameters, 1.81 G multiply-adds as published."""
    return resnet(18, **options)


def resnet34(**options: Any) -> ResNet:
    """Build `resnet(34, **options)`: 21.8 M parameters, 3.66 G multiply-adds as published."""
    return resnet(34, **options)


def resnet50(**options: Any) -> ResNet:
    """Build `resnet(50, **options)`: 25.6 M parameters, 3.86 G multiply-adds as published."""
    return resnet(50, **options)


def resnet101(**options: Any) -> ResNet:
    """Build `resnet(101, **options)`: 44.5 M parameters, 7.57 G multiply-adds as published."""
    return resnet(101, **options)


def resnet152(**options: Any) -> ResNet:
    """Build `resnet(152, **options)`: 60.2 M parameters, 11.28 G multiply-adds as published."""
    return resnet(152, **options)


def resnet200(**options: Any) -> ResNet:
    """Build `resnet(200, **options)`: 64.7 M parameters, 14.78 G multiply-adds as published."""
    return resnet(200, **options)


def _stem(in_channels: int, *, norm: bool, bias: bool) -> nn.Module:
    parts: dict[str, nn.Module] = {
        "conv": nn.Conv2d(in_channels, WIDTHS[0], 7, stride=2, padding=3, bias=bias)
    }
    if norm:
        parts["norm"] = nn.BatchNorm2d(WIDTHS[0])
    return chain(**parts, relu=FrugalReLU())


def _pool(rounding: str) -> nn.Module:
    match rounding:
        case "floor":
            return nn.MaxPool2d(3, stride=2, padding=1)
        case "ceil":
            return nn.MaxPool2d(3, stride=2, ceil_mode=True)
        case _:
            raise ConfigError(f"pool_rounding must be floor or ceil, got {rounding!r}")


@settings
class ImagenetConfig:
    """Arguments of `resnet`, as data."""

    kind: Literal["imagenet"] = "imagenet"
    depth: int = 50
    shortcut: Connection = "B"
    order: Order = "post"
    stride_on: StrideOn = "1x1"
    widen: float = 1.0
    norm: bool = True
    stem_bias: bool = False
    pool_rounding: Literal["floor", "ceil"] = "floor"
    zero_init_residual: bool = False
    in_channels: int = 3
    num_classes: int = 1000

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """C, H, W of the pictures it was made for."""
        return self.in_channels, 224, 224

    def build(self) -> ResNet:
        """Build the network that these settings describe, with freshly drawn weights."""
        return resnet(**arguments(self))
