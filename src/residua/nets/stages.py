"""Stages: units of one kind in a row, of which the first changes the shape."""

from collections.abc import Sequence

from torch import nn

from residua.errors import ConfigError
from residua.nn.residuals import PRE_ACTIVATION, Order, activation
from residua.nn.unit import Unit


def stages(  # noqa: PLR0913 -- one argument for each row of the papers' tables
    unit: Unit,
    counts: Sequence[int],
    channels: Sequence[int],
    *,
    in_channels: int,
    strides: Sequence[int],
    widths: Sequence[int] | None = None,
    activated: bool = False,
    survival: float = 1.0,
) -> list[nn.Module]:
    """Build the stages of a network.

    Args:
        unit: what is repeated.
        counts: units in each stage.
        channels: of the output of each stage.
        in_channels: of the input of the first stage.
        strides: of the first unit of each stage, in pixels.
        widths: channels inside the units of each stage; by `unit.reduction` if not given.
        activated: whether the input of the first unit is activated already.
        survival: probability that the last unit is kept in a training step; it falls linearly
            from 1 before the first (Huang et al., arXiv:1603.09382, equation 4).
    """
    inner = widths or [None] * len(counts)
    total, built = sum(counts), 0
    result: list[nn.Module] = []
    for count, out, stride, width in zip(counts, channels, strides, inner, strict=True):
        blocks: list[nn.Module] = []
        for index in range(count):
            built += 1
            block = unit.build(
                in_channels,
                out,
                stride if index == 0 else 1,
                width=width,
                activated=activated and built == 1,
                survival=1 - built / total * (1 - survival),
            )
            blocks.append(block)
            in_channels = out
        result.append(nn.Sequential(*blocks))
    return result


def last_activation(channels: int, order: Order, *, norm: bool = True) -> nn.Module | None:
    """Make the activation after the last addition, which pre-activation nets alone have."""
    return activation(channels, order, norm=norm) if order in PRE_ACTIVATION else None


def scaled(width: int, factor: float) -> int:
    """Multiply a width, and refuse a fraction of a channel.

    Raises:
        ConfigError: the product is not a positive whole number.
    """
    product = width * factor
    if product < 1 or product != int(product):
        below, above = max(1, int(product)), int(product) + 1
        raise ConfigError(
            f"widths must be whole channels: {width} x {factor:g} = {product:g} "
            f"(try a factor of {below / width:g} or {above / width:g})"
        )
    return int(product)
