"""Boxes as tensors: areas, overlaps, and the deltas that a detector regresses.

Dimension key:
    A, B numbers of boxes   4 x1, y1, x2, y2: absolute pixels, half-open, origin top left

Sources:
    [G] Girshick et al., Rich Feature Hierarchies, arXiv:1311.2524, appendix C (the deltas).
    [F] py-faster-rcnn, lib/fast_rcnn/config.py (the standard deviations of the targets).
"""

import math

import torch
from torch import Tensor

Std = tuple[float, float, float, float]

# What the deltas of regions are divided by, so that targets have about unit variance ([F]).
STD: Std = (0.1, 0.1, 0.2, 0.2)
UNIT: Std = (1.0, 1.0, 1.0, 1.0)
# Largest logarithm of a change of width or height: a box never grows by more than 62.5 times.
GROWTH = math.log(1000 / 16)
# Widths and heights in pixels are taken as at least this before a division or a logarithm.
LEAST = 1e-2


def area(boxes: Tensor) -> Tensor:
    """Return the areas of ..., 4 boxes in pixels."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def intersection(a_A4: Tensor, b_B4: Tensor) -> Tensor:
    """Return the area that every box of a shares with every box of b: A, B."""
    a, b = a_A4[:, None], b_B4[None]
    width = torch.minimum(a[..., 2], b[..., 2]) - torch.maximum(a[..., 0], b[..., 0])
    height = torch.minimum(a[..., 3], b[..., 3]) - torch.maximum(a[..., 1], b[..., 1])
    return width.clamp(min=0) * height.clamp(min=0)


def iou(a_A4: Tensor, b_B4: Tensor) -> Tensor:
    """Return intersection over union of every box of a with every box of b: A, B, in [0, 1].

    Boxes without an area have 0 with all.
    """
    shared = intersection(a_A4, b_B4)
    union = area(a_A4)[:, None] + area(b_B4)[None] - shared
    return shared / union.clamp(min=1e-9)


def covered(a_A4: Tensor, b_B4: Tensor) -> Tensor:
    """Return the part of every box of a that every box of b covers: A, B, in [0, 1]."""
    return intersection(a_A4, b_B4) / area(a_A4)[:, None].clamp(min=1e-9)


def shorter_side(boxes: Tensor) -> Tensor:
    """Return the smaller of width and height of ..., 4 boxes, in pixels."""
    return (boxes[..., 2:] - boxes[..., :2]).amin(dim=-1)


def encode(boxes: Tensor, anchors: Tensor, std: Std = UNIT) -> Tensor:
    """`(dx / w, dy / h, log(W / w), log(H / h)) / std` from anchors w x h to boxes W x H ([G]).

    Shape:
        boxes, anchors: ..., 4.  y: ..., 4.
    """
    center, size = _center_size(anchors)
    target, extent = _center_size(boxes)
    deltas = torch.cat([(target - center) / size, (extent / size).log()], dim=-1)
    return deltas / deltas.new_tensor(std)


def decode(deltas: Tensor, anchors: Tensor, std: Std = UNIT) -> Tensor:
    """Move anchors by deltas: the opposite of `encode`.

    Shape:
        deltas, anchors: ..., 4.  y: ..., 4, in float32 at least.

    Differs:
        A width or height grows by 62.5 times at the most, as in Detectron; the authors' code lets
        it overflow.
    """
    deltas = deltas.float() * torch.tensor(std, device=deltas.device)
    size = anchors[..., 2:] - anchors[..., :2]
    center = anchors[..., :2] + 0.5 * size + deltas[..., :2] * size
    half = 0.5 * size * deltas[..., 2:].clamp(max=GROWTH).exp()
    return torch.cat([center - half, center + half], dim=-1)


def _center_size(boxes: Tensor) -> tuple[Tensor, Tensor]:
    size = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + 0.5 * size, size.clamp(min=LEAST)


def clip(boxes: Tensor, sizes: Tensor) -> Tensor:
    """Cut boxes at the borders of their pictures.

    Shape:
        boxes: ..., 4.  sizes: ..., 2, height and width in pixels, broadcast over the boxes.
    """
    limits = torch.cat([sizes, sizes], dim=-1).flip(-1).to(boxes.dtype)
    return torch.minimum(boxes.clamp(min=0), limits)


def inside(boxes: Tensor, sizes: Tensor) -> Tensor:
    """Tell which of ..., 4 boxes do not cross the border of ..., 2 pictures (height, width)."""
    limits = sizes.flip(-1).to(boxes.dtype)
    return (boxes[..., :2] >= 0).all(-1) & (boxes[..., 2:] <= limits).all(-1)


def apart(boxes_A4: Tensor, groups_A: Tensor, *, span: float, count: int) -> Tensor:
    """Move the boxes of each group to a place of their own, so that groups never overlap.

    The places form a square and not a row: coordinates stay small, and float32 exact.

    Args:
        boxes_A4: within [0, span).
        groups_A: in [0, count).
        span: pixels; no box is longer.
        count: of the groups.
    """
    columns = math.ceil(math.sqrt(count))
    x, y = groups_A % columns, groups_A.div(columns, rounding_mode="floor")
    places = torch.stack([x, y], dim=-1).to(boxes_A4.dtype) * span
    return boxes_A4 + torch.cat([places, places], dim=-1)
