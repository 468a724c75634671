"""Anchors: the boxes that a region proposal network starts from, the same at every place.

Dimension key:
    A anchors at a place   H, W height and width of the features   R boxes

Sources:
    [F] Ren et al., Faster R-CNN, arXiv:1506.01497, section 3.1.1; and py-faster-rcnn,
        lib/rpn/generate_anchors.py (the rounding).
    [T] torchvision.models.detection.anchor_utils.AnchorGenerator.
    [D] detectron2, modeling/anchor_generator.py.
"""

from typing import Literal

import torch
from torch import Tensor

from residua.config import settings
from residua.errors import DataError

Convention = Literal["original", "torchvision", "detectron2"]
Cell = tuple[float, float, float, float]

# The square whose sides [F] rounds for each ratio, before it is enlarged to each size.
BASE = 16


@settings
class AnchorsConfig:
    """Which anchors: every size with every ratio.

    Attributes:
        sizes: roots of the areas in pixels of the resized picture.
        ratios: height by width.
        convention: "original" rounds the sides as [F] does and centres anchors in the cell of the
            stride; "torchvision" rounds their corners and centres them at the cell's first corner;
            "detectron2" does not even round those.
    """

    sizes: tuple[float, ...] = (128, 256, 512)
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    convention: Convention = "original"

    def cells(self, stride: int) -> tuple[Cell, ...]:
        """Return the anchors of the first place, A, ratio by ratio, in pixels."""
        match self.convention:
            case "original":
                return original_cells(self.sizes, self.ratios, stride)
            case "torchvision":
                return torchvision_cells(self.sizes, self.ratios)
            case "detectron2":
                return torchvision_cells(self.sizes, self.ratios, rounded=False)


def original_cells(
    sizes: tuple[float, ...], ratios: tuple[float, ...], stride: int
) -> tuple[Cell, ...]:
    """Return anchors whose sides are whole numbers on a base of 16 pixels ([F]).

    Args:
        sizes: roots of the areas in pixels.
        ratios: height by width.
        stride: of the features in pixels; anchors are centred at half of it.
    """
    cells = []
    for ratio in ratios:
        width = round((BASE * BASE / ratio) ** 0.5)
        height = round(width * ratio)
        for size in sizes:
            x, y = 0.5 * width * size / BASE, 0.5 * height * size / BASE
            cells.append((stride / 2 - x, stride / 2 - y, stride / 2 + x, stride / 2 + y))
    return tuple(cells)


def torchvision_cells(
    sizes: tuple[float, ...], ratios: tuple[float, ...], *, rounded: bool = True
) -> tuple[Cell, ...]:
    """Return anchors whose corners are whole numbers around the origin ([T]), or not rounded ([D]).

    It is the same only for pictures padded to a multiple of the stride: [T] divides the size of the
    picture by that of the features.

    Args:
        sizes: roots of the areas in pixels.
        ratios: height by width.
        rounded: whether corners are.
    """
    root = torch.tensor(ratios, dtype=torch.float32, device="cpu").sqrt()
    scale = torch.tensor(sizes, dtype=torch.float32, device="cpu")
    width = ((1 / root)[:, None] * scale).flatten()
    height = (root[:, None] * scale).flatten()
    cells = torch.stack([-width, -height, width, height], dim=1) / 2
    return tuple(tuple(cell) for cell in (cells.round() if rounded else cells).tolist())


def grid(cells: tuple[Cell, ...], height: int, width: int, stride: int, like: Tensor) -> Tensor:
    """Repeat the anchors of the first place at every place of the features.

    Args:
        cells: the anchors of the first place.
        height: H.
        width: W.
        stride: in pixels.
        like: says the device.

    Returns:
        H * W * A, 4 in float32: row by row, the anchors of a place side by side.
    """
    x = torch.arange(width, device=like.device, dtype=torch.float32) * stride
    y = torch.arange(height, device=like.device, dtype=torch.float32) * stride
    shift_HW2 = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], dim=-1)
    shift_HW4 = torch.cat([shift_HW2, shift_HW2], dim=-1)
    cells_A4 = torch.tensor(cells, device=like.device, dtype=torch.float32)
    return (shift_HW4[:, :, None] + cells_A4).reshape(-1, 4)


def fit_anchors(boxes_R4: Tensor, *, sizes: int = 3, ratios: int = 3) -> AnchorsConfig:
    """Choose sizes and ratios that lie near the boxes of a training set; equal boxes, equal choice.

    Each box belongs to the anchor that it overlaps most if both have one centre. Sizes and ratios
    begin at the quantiles of the boxes and move to the geometric mean of their own boxes, 20 times;
    the choice with the largest mean overlap counts.

    Args:
        boxes_R4: of the training set, in pixels of the resized pictures.
        sizes: how many at the most; equal ones become one.
        ratios: how many at the most.

    Returns:
        Sizes in whole pixels, and ratios of two decimals.

    Raises:
        DataError: no box has an area.
    """
    sides_R2 = (boxes_R4[:, 2:] - boxes_R4[:, :2]).double()
    sides_R2 = sides_R2[(sides_R2 > 0).all(dim=1)]
    if not len(sides_R2):
        raise DataError(
            f"anchors are fitted to boxes, and none of {len(boxes_R4)} has an area "
            "(look at the annotations with `residua doctor`, or choose the anchors yourself)"
        )
    log_R2 = sides_R2.log()
    size_R, ratio_R = log_R2.mean(dim=1), log_R2[:, 0] * -1 + log_R2[:, 1]
    size_S, ratio_Q = _quantiles(size_R, sizes), _quantiles(ratio_R, ratios)
    best = (-1.0, size_S, ratio_Q)
    for _ in range(20):
        overlap_R, owner_R = _overlaps(sides_R2, size_S, ratio_Q).max(dim=1)
        best = max(best, (float(overlap_R.mean()), size_S, ratio_Q), key=lambda found: found[0])
        size_S = _means(size_R, owner_R % len(size_S), size_S)
        ratio_Q = _means(ratio_R, owner_R // len(size_S), ratio_Q)
    _, size_S, ratio_Q = best
    return AnchorsConfig(
        sizes=tuple(sorted({float(max(1, round(size))) for size in size_S.exp().tolist()})),
        ratios=tuple(sorted({max(0.01, round(ratio, 2)) for ratio in ratio_Q.exp().tolist()})),
    )


def _quantiles(values: Tensor, count: int) -> Tensor:
    middles = (torch.arange(count, dtype=values.dtype) + 0.5) / count
    return values.sort().values[(middles * len(values)).long()]


def _overlaps(sides_R2: Tensor, size_S: Tensor, ratio_Q: Tensor) -> Tensor:
    """Return the IoU of boxes and anchors around one centre: R, Q * S."""
    width = (size_S - ratio_Q[:, None] / 2).exp().flatten()
    height = (size_S + ratio_Q[:, None] / 2).exp().flatten()
    shared = torch.minimum(sides_R2[:, :1], width) * torch.minimum(sides_R2[:, 1:], height)
    return shared / (sides_R2.prod(dim=1)[:, None] + width * height - shared)


def _means(values_R: Tensor, owner_R: Tensor, old: Tensor) -> Tensor:
    """Return the mean of the values of each owner; the old one where there is none."""
    count = torch.bincount(owner_R, minlength=len(old))
    total = torch.zeros_like(old).index_add(0, owner_R, values_R)
    return torch.where(count > 0, total / count.clamp(min=1), old)
