"""Windows of pictures brought to another size, every picture of a batch with its own window.

Each output pixel is a weighted mean of input pixels under a triangle, as wide as two output pixels
where the picture shrinks (so that nothing is skipped: no aliasing) and two input pixels where it
grows (linear interpolation). Rows and columns are weighted one after the other by a matrix per
picture, so a batch costs two batched matrix products.

Dimension key:
    N pictures   S output pixels along an axis   L input pixels along it
"""

import torch
from torch import Tensor


def axis_weights(
    first_N: Tensor, step_N: Tensor, size: int, low_N: Tensor, high_N: Tensor, length: int
) -> Tensor:
    """Weigh input pixels along one axis: N, S, L; every row sums to 1.

    Args:
        first_N: where each window begins, in input pixels from the edge of the picture.
        step_N: input pixels per output pixel.
        size: S.
        low_N: the first input pixel that may be looked at.
        high_N: one past the last.
        length: L.
    """
    center_NS1 = (first_N[:, None] + (torch.arange(size) + 0.5) * step_N[:, None])[:, :, None]
    position_L = torch.arange(length)
    distance_NSL = (position_L + 0.5 - center_NS1).abs() / step_N.clamp_min(1)[:, None, None]
    inside_N1L = (position_L >= low_N[:, None, None]) & (position_L < high_N[:, None, None])
    weights_NSL = (1 - distance_NSL).clamp_min(0) * inside_N1L
    return weights_NSL / weights_NSL.sum(dim=2, keepdim=True)


def resample(images: Tensor, rows_NSH: Tensor, columns_NTW: Tensor) -> Tensor:
    """Weigh rows and columns: `y = R x C'` for every channel of every picture.

    Shape:
        images: N, C, H, W of any type. Returns float32 N, C, S, T.
    """
    rows, columns = rows_NSH.to(images.device), columns_NTW.to(images.device)
    return rows[:, None].float() @ images.float() @ columns[:, None].float().transpose(2, 3)
