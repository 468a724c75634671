"""Wide residual networks for small pictures: WRN-n-k with 6N+4 layers.

Sources:
    [W] Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146, table 1, sections 2, 3;
        and the authors' models/wide-resnet.lua.
"""

from typing import Literal

from torch import nn

from residua.config import settings
from residua.errors import ConfigError
from residua.nets.arguments import arguments
from residua.nets.initialize import initialize
from residua.nets.inputs import Input
from residua.nets.resnet import ResNet
from residua.nets.stages import last_activation, scaled, stages
from residua.nn.chain import chain
from residua.nn.unit import Unit

WIDTHS = (16, 32, 64)


def units_per_group(depth: int, convolutions: int = 2) -> int:
    """Solve `depth = 6N + 4` for N, or `3cN + 4` for c convolutions in a unit.

    Raises:
        ConfigError: no N >= 1 does; the nearest depths that fit are named.
    """
    step = 3 * convolutions
    n, rest = divmod(depth - 4, step)
    if n < 1 or rest:
        nearest = f"{step * n + 4} or {step * n + step + 4}" if n >= 1 else f"{step + 4}"
        raise ConfigError(
            f"depth must be {step}N+4 for wide units of {convolutions} convolutions, got {depth} "
            f"(try {nearest}, or give the units per group)"
        )
    return n


def wide_resnet(  # noqa: PLR0913 -- one named argument for each choice of the paper
    depth: int = 28,
    widen: float = 10.0,
    *,
    kernels: tuple[int, ...] = (3, 3),
    units: int | None = None,
    dropout: float = 0.0,
    zero_init_residual: bool = False,
    in_channels: int = 3,
    num_classes: int = 10,
) -> ResNet:
    """Build WRN-depth-widen: full pre-activation, 16k, 32k and 64k channels ([W] table 1).

    Args:
        depth: every convolution including the three projections, without the linear layer: 6N+4.
            (By the count of He et al., without projections but with the linear layer: 6N+2.)
        widen: k, the factor on the widths 16, 32 and 64.
        kernels: the unit's type B(...) ([W] section 2): (3, 3), (1, 3, 1), (3, 1), ...
        units: per group; if not given, the depth says so. [W] table 2 has 6 where it prints depth
            40 and 3 where it prints 22, also for units of three convolutions.
        dropout: probability in [0, 1) between the convolutions of a unit ([W] section 2.4).
        zero_init_residual: start every residual function at zero.
        in_channels: of the pictures.
        num_classes: length of the logits.

    Raises:
        ConfigError: the depth has not that form, or a width is no whole number of channels.
    """
    if not kernels or any(kernel % 2 == 0 or kernel < 1 for kernel in kernels):
        raise ConfigError(f"kernels must be odd numbers of pixels, got {kernels} (try (3, 3))")
    count = units_per_group(depth, len(kernels)) if units is None else units
    channels = [scaled(width, widen) for width in WIDTHS]
    net = ResNet(
        stem=chain(conv=nn.Conv2d(in_channels, WIDTHS[0], 3, padding=1, bias=False)),
        stages=stages(
            Unit(kernels=kernels, order="full_preact", shortcut="B", dropout=dropout),
            [count] * 3,
            channels,
            in_channels=WIDTHS[0],
            strides=(1, 2, 2),
        ),
        last=last_activation(channels[-1], "full_preact"),
        head=nn.Linear(channels[-1], num_classes),
        takes=Input(channels=in_channels, smallest=4),
    )
    initialize(net, zero_init_residual=zero_init_residual)
    return net


@settings
class WideConfig:
    """Arguments of `wide_resnet`, as data."""

    kind: Literal["wide"] = "wide"
    depth: int = 28
    widen: float = 10.0
    kernels: tuple[int, ...] = (3, 3)
    units: int | None = None
    dropout: float = 0.0
    zero_init_residual: bool = False
    in_channels: int = 3
    num_classes: int = 10

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """C, H, W of the pictures it was made for."""
        return self.in_channels, 32, 32

    def build(self) -> ResNet:
        """Build the network that these settings describe, with freshly drawn weights."""
        return wide_resnet(**arguments(self))
