"""Fully connected nets on flattened pictures: residual, highway and plain.

Sources:
    [H] Srivastava et al., Highway Networks, arXiv:1505.00387, section 3.1 (10 to 100 layers).
    [U] Ye, Residual Learning (slides), University of Queensland: `f(x) + x` for fully connected
        layers, which keep their width.
"""

from typing import Literal

from torch import nn

from residua.config import settings
from residua.errors import ConfigError
from residua.nets.arguments import arguments
from residua.nets.initialize import initialize
from residua.nets.inputs import Input
from residua.nets.resnet import ResNet
from residua.nn.blocks import HighwayBlock, PlainBlock, ResidualBlock, gate
from residua.nn.chain import chain

Join = Literal["residual", "highway", "highway_separate", "none"]
WIDTHS: dict[Join, int] = {"residual": 71, "highway": 50, "highway_separate": 50, "none": 71}
GATE_BIAS = -1.0


def _residual(width: int) -> nn.Module:
    function = chain(fc1=nn.Linear(width, width), relu1=nn.ReLU(), fc2=nn.Linear(width, width))
    return ResidualBlock(
        before=nn.Identity(), residual=function, shortcut=nn.Identity(), after=nn.ReLU()
    )


def _single(width: int, join: Join) -> nn.Module:
    function = chain(fc=nn.Linear(width, width), relu=nn.ReLU())
    if join == "none":
        return PlainBlock(before=nn.Identity(), residual=function, after=nn.Identity())
    separate = join == "highway_separate"
    carry = gate(nn.Linear(width, width), -GATE_BIAS) if separate else None
    transform = gate(nn.Linear(width, width), GATE_BIAS)
    return HighwayBlock(residual=function, gate=transform, carry=carry)


def _layers(depth: int, width: int, join: Join) -> list[nn.Module]:
    if join != "residual":
        if depth < 2:
            raise ConfigError(f"depth must be at least 2, got {depth} (the paper has 10 to 100)")
        return [_single(width, join) for _ in range(depth - 1)]
    blocks, rest = divmod(depth - 2, 2)
    if blocks < 1 or rest:
        nearest = "4" if depth < 4 else f"{depth - 1} or {depth + 1}"
        raise ConfigError(
            f"depth must be 2n+2 for fully connected residual nets, got {depth} (try {nearest})"
        )
    return [_residual(width) for _ in range(blocks)]


def dense(
    depth: int = 10,
    *,
    join: Join = "residual",
    width: int | None = None,
    size: int = 28,
    zero_init_residual: bool = False,
    in_channels: int = 1,
    num_classes: int = 10,
) -> ResNet:
    """Build a fully connected net: a plain layer, then layers that keep the width, then logits.

    Args:
        depth: hidden layers for "highway" and "none", as [H] counts, one more than which are
            weighted; weighted layers, 2n+2, for "residual", whose units have two layers each.
        join: "residual", y = relu(x + F(x)) with F two layers ([U]); "highway" with C = 1 - T;
            "highway_separate" with a carry gate of its own; "none" for the plain twin ([H]).
        width: of the hidden layers; 50 for highway nets and 71 for others if not given, so that a
            layer has about 5,100 parameters ([H]).
        size: height and width of the pictures in pixels.
        zero_init_residual: start every residual function at zero; for "residual" alone.
        in_channels: of the pictures.
        num_classes: length of the logits.

    Raises:
        ConfigError: a depth or a join that does not exist.

    Differs:
        [U] draws no depth or width for its fully connected case: both are free here. Biases of
        gates start at -1; [H] searched it.
    """
    if join not in WIDTHS:
        raise ConfigError(f"join must be one of {', '.join(WIDTHS)}, got {join!r}")
    hidden = WIDTHS[join] if width is None else width
    if hidden < 1:
        raise ConfigError(f"width must be positive, got {hidden} (try {WIDTHS[join]})")
    first = nn.Linear(in_channels * size * size, hidden)
    net = ResNet(
        stem=chain(flatten=nn.Flatten(), fc=first, relu=nn.ReLU()),
        stages=[nn.Sequential(*_layers(depth, hidden, join))],
        average=nn.Identity(),
        head=nn.Linear(hidden, num_classes),
        takes=Input(channels=in_channels, size=size),
    )
    initialize(net, zero_init_residual=zero_init_residual)
    return net


@settings
class DenseConfig:
    """Arguments of `dense`, as data."""

    kind: Literal["dense"] = "dense"
    depth: int = 10
    join: Join = "residual"
    width: int | None = None
    size: int = 28
    zero_init_residual: bool = False
    in_channels: int = 1
    num_classes: int = 10

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """C, H, W of the pictures it was made for."""
        return self.in_channels, self.size, self.size

    def build(self) -> ResNet:
        """Build the network that these settings describe, with freshly drawn weights."""
        return dense(**arguments(self))
