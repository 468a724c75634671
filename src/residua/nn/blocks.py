"""Blocks: a residual function `F(x)`, and how it is joined to its shortcut.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, sections 3.2, 3.3 and 4.1.
"""

from typing import Literal

from torch import Tensor, nn

from residua.nn.chain import chain
from residua.nn.shortcuts import shortcut

Connection = Literal["A", "B", "C", "none"]
BlockName = Literal["basic", "bottleneck"]


class ResidualBlock(nn.Module):
    """`y = f(h(b) + F(b))` with `b = before(x)`: shortcut `h`, residual `F`, activation `f`.

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.
    """

    def __init__(
        self, *, before: nn.Module, residual: nn.Module, shortcut: nn.Module, after: nn.Module
    ) -> None:
        super().__init__()
        self.before = before
        self.residual = residual
        self.shortcut = shortcut
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        return self.after(self.shortcut(x) + self.residual(x))


class PlainBlock(nn.Module):
    """`y = f(F(before(x)))`: the same layers as a residual block, without its shortcut.

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.
    """

    def __init__(self, *, before: nn.Module, residual: nn.Module, after: nn.Module) -> None:
        super().__init__()
        self.before = before
        self.residual = residual
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.residual(self.before(x)))


def _conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)


def _conv1x1(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)


def basic(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """`F(x) = BN W2 relu(BN W1 x)` with two 3x3 convolutions ([R] figure 5, left).

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.
    """
    return chain(
        conv1=_conv3x3(in_channels, out_channels, stride),
        norm1=nn.BatchNorm2d(out_channels),
        relu1=nn.ReLU(),
        conv2=_conv3x3(out_channels, out_channels),
        norm2=nn.BatchNorm2d(out_channels),
    )


def bottleneck(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """`F(x) = BN W3 relu(BN W2 relu(BN W1 x))`: 1x1, 3x3, 1x1 ([R] figure 5, right).

    The inner width is a quarter of the output's. The stride stands on the first 1x1 convolution.

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.
    """
    width = out_channels // 4
    return chain(
        conv1=_conv1x1(in_channels, width, stride),
        norm1=nn.BatchNorm2d(width),
        relu1=nn.ReLU(),
        conv2=_conv3x3(width, width),
        norm2=nn.BatchNorm2d(width),
        relu2=nn.ReLU(),
        conv3=_conv1x1(width, out_channels),
        norm3=nn.BatchNorm2d(out_channels),
    )


def block(
    kind: BlockName, connection: Connection, in_channels: int, out_channels: int, stride: int
) -> ResidualBlock | PlainBlock:
    """Join a residual function to the shortcut of an option, or to none (the plain twin).

    Post-activation, as in [R]: the last ReLU follows the addition.

    Args:
        kind: the residual function, "basic" or "bottleneck".
        connection: shortcut option "A", "B" or "C", or "none" for a plain block.
        in_channels: channels of the input.
        out_channels: channels of the output.
        stride: of the block, in pixels.
    """
    make = basic if kind == "basic" else bottleneck
    residual = make(in_channels, out_channels, stride)
    if connection == "none":
        return PlainBlock(before=nn.Identity(), residual=residual, after=nn.ReLU())
    return ResidualBlock(
        before=nn.Identity(),
        residual=residual,
        shortcut=shortcut(connection, in_channels, out_channels, stride),
        after=nn.ReLU(),
    )
