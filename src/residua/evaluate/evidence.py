"""Where a picture speaks for one class rather than another, drawn to be laid over the picture.

Dimension key:
    N pictures   h, w height and width of the last feature maps   H, W of the picture
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from residua.errors import ConfigError
from residua.evaluate.features import activation_maps

# Red, green and blue of evidence for and against, told apart by the colour-blind too.
FOR, AGAINST = (240, 105, 20), (40, 120, 240)
OPAQUE = 0.6

# Longest side of an overlay in pixels; a browser enlarges it smoothly.
LARGEST = 48


def evidence(net: nn.Module, inputs: Tensor, for_N: Tensor, against_N: Tensor) -> Tensor | None:
    """Say how much each place speaks for one class rather than another.

    Its mean, plus the difference of two biases, is the difference of the two logits.

    Args:
        net: a classifier.
        inputs: N, C, H, W, normalized.
        for_N: one class of each picture.
        against_N: the other.

    Returns:
        N, h, w, on the processor; None for a network of which no such map is exact.
    """
    try:
        maps_NKhw, _ = activation_maps(net, inputs)
    except ConfigError:
        return None
    maps_NKhw, row_N = maps_NKhw.cpu(), torch.arange(len(inputs))
    return maps_NKhw[row_N, for_N.cpu()] - maps_NKhw[row_N, against_N.cpu()]


def overlay(map_hw: Tensor, height: int, width: int) -> Tensor:
    """Draw a map in two colours, the more opaque the more it says, largest value at 60 %.

    Args:
        map_hw: h, w.
        height: of the picture; the overlay has the same proportions.
        width: likewise.

    Returns:
        H, W, 4, uint8: red, green, blue, opacity.
    """
    shrink = min(1.0, LARGEST / max(height, width))
    size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
    wide_HW = F.interpolate(map_hw[None, None].float(), size, mode="bilinear")[0, 0]
    share_HW = wide_HW / wide_HW.abs().max().clamp_min(1e-12)
    color_HW3 = torch.where(share_HW[..., None] > 0, torch.tensor(FOR), torch.tensor(AGAINST))
    opacity_HW1 = (255 * OPAQUE * share_HW.abs()).round()[..., None]
    return torch.cat([color_HW3, opacity_HW1], dim=2).to(torch.uint8)
