"""Shortcut connections `h(x)`: identity, options A, B and C, and what others put in their place.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, sections 3.3 and 4.1.
    [U] Ye, Residual Learning (slides), University of Queensland: Conv(2x2, S=2, P=0); `Px`.
    [S] Huang et al., Stochastic Depth, arXiv:1603.09382 (averages before padding with zeros).
    [D] He et al., Bag of Tricks, arXiv:1812.01187, figure 2c (averages before projecting).
"""

from typing import Literal, get_args

import torch.nn.functional as F
from torch import Tensor, nn

from residua.errors import ConfigError
from residua.nn.chain import chain

Option = Literal[
    "A", "B", "C", "conv2x2", "conv2x2_bare", "conv2x2_bias", "average_pad", "average_projection"
]


class ZeroPad(nn.Module):
    """`h(x) = [x[::s, ::s], 0]`: subsample by the stride and append channels of zeros (option A).

    Has no parameters. The new channels stand after the existing ones.

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s).

    Args:
        in_channels: C.
        out_channels: D, at least C.
        stride: s, in pixels.

    Raises:
        ConfigError: fewer channels go out than come in.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        if out_channels < in_channels:
            raise ConfigError(
                f"shortcut A pads with zeros and cannot drop channels: got {in_channels} in and "
                f"{out_channels} out (use option B or C)"
            )
        self.extra_channels = out_channels - in_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.extra_channels))


class FixedProjection(nn.Module):
    """`h(x) = P x` at every position, with a matrix P that is given and not trained ([U]).

    Shape:
        x: N, C or N, C, H, W.  y: N, D or N, D, ceil(H/s), ceil(W/s).

    Args:
        matrix: P, of D rows and C columns; kept in the state dict as a buffer.
        stride: s, in pixels.
    """

    matrix: Tensor

    def __init__(self, matrix: Tensor, stride: int = 1) -> None:
        super().__init__()
        if matrix.ndim != 2:
            raise ConfigError(
                f"P must be a matrix of out_channels rows and in_channels columns, got "
                f"{matrix.ndim} dimensions"
            )
        self.register_buffer("matrix", matrix.detach().clone())
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        return F.linear(x.movedim(1, -1), self.matrix).movedim(-1, 1)


class Scale(nn.Module):
    """`y = a x` with a constant a."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


def projection(
    in_channels: int, out_channels: int, stride: int, *, norm: bool = True
) -> nn.Sequential:
    """`h(x) = BN(W x)` with a 1x1 convolution W (options B and C).

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.

    Args:
        in_channels: C.
        out_channels: D.
        stride: s, in pixels.
        norm: whether batch normalization follows; not so in pre-activation units.
    """
    conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False)
    return chain(conv=conv, norm=nn.BatchNorm2d(out_channels)) if norm else chain(conv=conv)


def conv2x2(
    in_channels: int, out_channels: int, stride: int, *, norm: bool = True, bias: bool = False
) -> nn.Sequential:
    """`h(x) = BN(W x)` with the slides' convolution of 2x2 and stride 2 ([U]).

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.

    Differs:
        [U] does not pad, which drops the last row and column of odd sizes, where the residual
        function keeps them. Here zeros are appended at the right and the bottom; even sizes do
        not notice.
    """
    parts: dict[str, nn.Module] = {
        "pad": nn.ZeroPad2d((0, 1, 0, 1)),
        "conv": nn.Conv2d(in_channels, out_channels, 2, stride=stride, bias=bias),
    }
    if norm:
        parts["norm"] = nn.BatchNorm2d(out_channels)
    return chain(**parts)


def average(stride: int) -> nn.Module:
    """Average over windows as large as the stride; windows over an edge average what is there."""
    return nn.AvgPool2d(stride, stride=stride, ceil_mode=True, count_include_pad=False)


def shortcut(
    option: Option, in_channels: int, out_channels: int, stride: int, *, norm: bool = True
) -> nn.Module:
    """Build the shortcut that an option prescribes for one block.

    "A" is the identity, padded with zeros where the shape changes; "B" projects where the shape
    changes; "C" projects everywhere ([R]). "conv2x2" is B with the convolution of [U], "_bare"
    without batch normalization, "_bias" with a bias in its place. "average_pad" is A ([S]) and
    "average_projection" is B ([D]) after averaging. All but C are the identity where the shape is
    kept.

    Args:
        option: one of these.
        in_channels: channels of the block's input.
        out_channels: channels of the block's output.
        stride: of the block, in pixels.
        norm: whether batch normalization follows a projection.

    Raises:
        ConfigError: the option is none of these.
    """
    if option not in get_args(Option):
        raise ConfigError(f"shortcut must be one of {', '.join(get_args(Option))}, got {option!r}")
    if in_channels == out_channels and stride == 1 and option != "C":
        return nn.Identity()
    sizes = in_channels, out_channels, stride
    match option:
        case "A":
            return ZeroPad(*sizes)
        case "average_pad":
            return chain(average=average(stride), pad=ZeroPad(in_channels, out_channels, 1))
        case "average_projection":
            project = projection(in_channels, out_channels, 1, norm=norm)
            return chain(average=average(stride), project=project)
        case "conv2x2" | "conv2x2_bare" | "conv2x2_bias" if stride > 1:
            with_norm = norm and option == "conv2x2"
            return conv2x2(*sizes, norm=with_norm, bias=option == "conv2x2_bias")
        case _:
            return projection(*sizes, norm=norm)
