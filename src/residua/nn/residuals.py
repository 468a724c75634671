"""Residual functions `F(x)`: convolutions with batch normalization and ReLU in five orders.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, figure 5.
    [P] He et al., Identity Mappings, arXiv:1603.05027, figure 4.
    [W] Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146, figure 1d (dropout).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, get_args

from torch import nn

from residua.errors import ConfigError
from residua.nn.chain import chain

Order = Literal["post", "bn_after_add", "relu_before_add", "relu_preact", "full_preact"]
ORDERS: tuple[Order, ...] = get_args(Order)
PRE_ACTIVATION: tuple[Order, ...] = ("relu_preact", "full_preact")


def convolution(
    kernel: int, in_channels: int, out_channels: int, stride: int = 1, *, bias: bool = False
) -> nn.Conv2d:
    """Make a convolution that keeps the size at stride 1; odd kernels only."""
    return nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=bias)


def activation(channels: int, order: Order, *, norm: bool = True) -> nn.Module:
    """Make what stands before the weights of a pre-activation unit: BN-ReLU, or ReLU alone."""
    if order == "relu_preact" or not norm:
        return chain(relu=nn.ReLU())
    return chain(norm=nn.BatchNorm2d(channels), relu=nn.ReLU())


def residual(  # noqa: PLR0913 -- one argument for each choice of the papers
    in_channels: int,
    widths: Sequence[int],
    *,
    kernels: Sequence[int],
    stride: int = 1,
    stride_on: int = 0,
    order: Order = "post",
    activated: bool = False,
    dropout: float = 0.0,
    norm: bool = True,
) -> nn.Sequential:
    """`F(x) = BN W2 relu(BN W1 x)` for two kernels and order "post" ([R]).

    The modules are called conv1, norm1, relu1, conv2, ... in the order in which they act.

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.

    Args:
        in_channels: C.
        widths: channels after each convolution; the last is D.
        kernels: height and width of each convolution, odd, in pixels.
        stride: s, in pixels.
        stride_on: index of the convolution that has the stride.
        order: of batch normalization, ReLU and convolution: ([P] figure 4) "post",
            "bn_after_add", "relu_before_add", "relu_preact" or "full_preact".
        activated: whether a pre-activation unit gets its input activated already.
        dropout: probability of dropping a value before each convolution but the first ([W]).
        norm: without batch normalization, convolutions have biases in its place.

    Raises:
        ConfigError: an unknown order.
    """
    if order not in ORDERS:
        raise ConfigError(f"order must be one of {', '.join(ORDERS)}, got {order!r}")
    parts: dict[str, nn.Module] = {}
    for index, (kernel, width) in enumerate(zip(kernels, widths, strict=True)):
        number, last = index + 1, index == len(widths) - 1
        step = stride if index == stride_on else 1
        make: dict[str, Callable[[], nn.Module]] = {
            "norm": partial(nn.BatchNorm2d, in_channels if order == "full_preact" else width),
            "relu": nn.ReLU,
            "dropout": partial(nn.Dropout, dropout),
            "conv": partial(convolution, kernel, in_channels, width, step, bias=not norm),
        }
        for name in _sequence(order, first=index == 0, last=last, activated=activated):
            skipped = (name == "norm" and not norm) or (name == "dropout" and not dropout)
            if not skipped:
                parts[f"{name}{number}"] = make[name]()
        in_channels = width
    return chain(**parts)


def _sequence(order: Order, *, first: bool, last: bool, activated: bool) -> list[str]:
    """Say what one convolution of a residual function is preceded and followed by."""
    dropout = [] if first else ["dropout"]
    match order:
        case "full_preact":
            return [*([] if first and activated else ["norm", "relu"]), *dropout, "conv"]
        case "relu_preact":
            return [*([] if first and activated else ["relu"]), *dropout, "conv", "norm"]
        case "bn_after_add" if last:
            return [*dropout, "conv"]
        case "post" if last:
            return [*dropout, "conv", "norm"]
        case _:
            return [*dropout, "conv", "norm", "relu"]
