"""Shortcut connections `h(x)`: identity and the options A, B and C.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, sections 3.3 and 4.1.
"""

from typing import Literal, get_args

import torch.nn.functional as F
from torch import Tensor, nn

from residua.errors import ConfigError
from residua.nn.chain import chain

Option = Literal["A", "B", "C"]


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


def projection(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """`h(x) = BN(W x)` with a 1x1 convolution W (options B and C).

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.
    """
    conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False)
    return chain(conv=conv, norm=nn.BatchNorm2d(out_channels))


def shortcut(option: Option, in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Build the shortcut that an option of [R] section 3.3 prescribes for one block.

    A is the identity, padded with zeros where the shape changes; B projects where the shape
    changes and is the identity elsewhere; C projects everywhere.

    Args:
        option: "A", "B" or "C".
        in_channels: channels of the block's input.
        out_channels: channels of the block's output.
        stride: of the block, in pixels.

    Raises:
        ConfigError: the option is none of these.
    """
    same_shape = in_channels == out_channels and stride == 1
    match option:
        case "A" | "B" if same_shape:
            return nn.Identity()
        case "A":
            return ZeroPad(in_channels, out_channels, stride)
        case "B" | "C":
            return projection(in_channels, out_channels, stride)
        case _:
            raise ConfigError(
                f"shortcut must be one of {', '.join(get_args(Option))}, got {option!r}"
            )
