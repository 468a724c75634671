"""Which shortcut leads from one shape to another, and building it.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 3.3: identity, options A and B.
    [U] Ye, Residual Learning (slides), University of Queensland: Conv(2x2, S=2).
    [I] He et al., Delving Deep into Rectifiers, arXiv:1502.01852, equation 10.

Dimension key:
    N batch   C channels of x   D channels of F(x)   H, W height and width
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from residua.errors import ConfigError
from residua.nn.chain import chain
from residua.nn.shortcuts import ZeroPad, conv2x2, projection

Shape = tuple[int, ...]
Option = Literal["A", "B", "conv2x2"]
Kind = Literal["identity", "A", "B", "conv2x2"]


class PadFeatures(nn.Module):
    """`h(x) = [x, 0]`: append zeros to vectors (option A of fully connected layers).

    Shape:
        x: ..., C.  y: ..., D.

    Args:
        extra: D - C.
    """

    def __init__(self, extra: int) -> None:
        super().__init__()
        self.extra = extra

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, self.extra))


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """A shortcut between two shapes.

    Attributes:
        kind: the identity, or what [R] and [U] put where the shape changes.
        in_channels: C.
        out_channels: D.
        stride: in pixels.
        crop: whether its output is cut to the height and width of F(x).
        vectors: whether the channels are the last dimension.
    """

    kind: Kind
    in_channels: int
    out_channels: int
    stride: int = 1
    crop: bool = False
    vectors: bool = False

    @property
    def weights(self) -> int:
        """Numbers that are learned, without those of a normalization."""
        size = {"B": 1, "conv2x2": 4 if self.stride > 1 else 1}.get(self.kind, 0)
        return size * self.in_channels * self.out_channels

    def build(self, *, norm: bool, generator: torch.Generator) -> nn.Module:
        """Build h(x); its weights are drawn as those of every other convolution here ([I]).

        Args:
            norm: whether batch normalization follows a projection.
            generator: that the weights are drawn with.
        """
        with torch.random.fork_rng(devices=[]):
            built = self._module(norm=norm)
        for module in built.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
        return built

    def _module(self, *, norm: bool) -> nn.Module:
        sizes = self.in_channels, self.out_channels
        match self.kind:
            case "identity":
                return nn.Identity()
            case "A" if self.vectors:
                return PadFeatures(self.out_channels - self.in_channels)
            case "A":
                return ZeroPad(*sizes, self.stride)
            case _ if self.vectors:
                return chain(linear=nn.Linear(*sizes, bias=False))
            case "conv2x2" if self.stride > 1:
                return conv2x2(*sizes, self.stride, norm=norm)
            case _:
                return projection(*sizes, self.stride, norm=norm)


def bridge(kind: Kind, x: Shape, f: Shape, *, stride: int = 1, vectors: bool = False) -> Bridge:
    """Say how a shortcut of some kind leads from the shape of x to that of F(x).

    Args:
        kind: of the shortcut.
        x: shape of what the span takes.
        f: shape of what it gives.
        stride: of the span, in pixels, as far as it is known.
        vectors: whether its layers are linear, so that the channels are the last dimension.

    Raises:
        ConfigError: it does not.
    """
    if kind == "identity":
        if x != f:
            raise ConfigError(f"identity needs equal shapes: x is {text(x)}, F(x) is {text(f)}")
        return Bridge(kind=kind, in_channels=x[1], out_channels=x[1])
    if len(x) != len(f):
        raise ConfigError(f"x has {len(x)} dimensions and F(x) has {len(f)}")
    if x == f or vectors or len(x) == 2:
        return _of_vectors(kind, x, f)
    if len(x) != 4:
        raise ConfigError(
            f"a shortcut that changes the shape is for N, C, H, W or vectors, x is {text(x)}"
        )
    sizes = Bridge(kind=kind, in_channels=x[1], out_channels=f[1])
    _check_channels(sizes)
    step = _stride(x, f, stride)
    crop = step > 1 or x[2:] != f[2:]
    return Bridge(kind=kind, in_channels=x[1], out_channels=f[1], stride=step, crop=crop)


def suited(option: Option, x: Shape, f: Shape) -> Kind:
    """Take the identity where shapes agree, and the option where they do not."""
    return "identity" if x == f else option


def text(shape: Shape) -> str:
    """Write a shape without its batch."""
    return "x".join(map(str, shape[1:]))


def _of_vectors(kind: Kind, x: Shape, f: Shape) -> Bridge:
    """Bridge shapes that differ in their last dimension at most, or not at all."""
    if x == f and len(x) == 4:
        return Bridge(kind=kind, in_channels=x[1], out_channels=x[1])
    if x[:-1] != f[:-1]:
        raise ConfigError(f"x is {text(x)} and F(x) is {text(f)}: not only their channels differ")
    found = Bridge(kind=kind, in_channels=x[-1], out_channels=f[-1], vectors=True)
    _check_channels(found)
    return found


def _check_channels(found: Bridge) -> None:
    if found.kind == "A" and found.out_channels < found.in_channels:
        raise ConfigError(
            f"option A cannot drop channels: {found.in_channels} come in and {found.out_channels} "
            "go out (option B can)"
        )


def _stride(x: Shape, f: Shape, known: int) -> int:
    """Find the stride after which x is as high and wide as F(x), or a little more."""
    for stride in dict.fromkeys((known, 1, 2, 3, 4)):
        left = [math.ceil(size / stride) for size in x[2:]]
        if all(size >= wanted > size / 2 for size, wanted in zip(left, f[2:], strict=True)):
            return stride
    raise ConfigError(
        f"no stride leads from {x[2]}x{x[3]} to {f[2]}x{f[3]} pixels, as pooling to a fixed size "
        "or enlarging do"
    )
