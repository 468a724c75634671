"""What a detector shall say: which boxes are objects, and which of them are looked at.

Dimension key:
    A anchors or regions   R objects

Sources:
    [F] Ren et al., Faster R-CNN, arXiv:1506.01497, sections 3.1.2 and 3.1.3; py-faster-rcnn,
        lib/rpn/anchor_target_layer.py, lib/rpn/proposal_target_layer.py, lib/datasets/coco.py.
"""

from typing import NamedTuple, Protocol, Self

import torch
from torch import Generator, Tensor

from residua.detect.boxes import covered, iou

IGNORED = -1
BACKGROUND = 0
# A box of which a crowd covers this part and more is neither object nor background ([F], coco.py).
CROWDED = 0.7


class Truth(Protocol):
    """The objects of one picture, as `data.objects.Objects` holds them."""

    @property
    def boxes_R4(self) -> Tensor: ...
    @property
    def labels_R(self) -> Tensor: ...
    @property
    def crowd_R(self) -> Tensor: ...

    def learnable(self) -> Self:
        """Return the objects without difficult ones and crowds."""
        ...


class Goal(NamedTuple):
    """What is wanted of some boxes.

    Shape:
        labels_A: int64; the class, 0 for background, -1 for what is not learned from.
        boxes_A4: the object that each is nearest to; anything where there is none.
    """

    labels_A: Tensor
    boxes_A4: Tensor


def anchor_goal(
    anchors_A4: Tensor,
    truth: Truth,
    *,
    positive: float,
    negative: float,
    usable_A: Tensor | None = None,
) -> Goal:
    """Label anchors 1, 0 or -1 ([F] section 3.1.2).

    An anchor is positive if its IoU with an object is at least `positive`, or if no usable anchor
    has a larger one with that object; else negative if its IoU with every object is below
    `negative`. Difficult objects count as background, as in [F].

    Args:
        anchors_A4: in pixels.
        truth: the objects of the picture.
        positive: IoU in [0, 1].
        negative: IoU in [0, 1].
        usable_A: the others are not learned from; all are usable if not given.
    """
    objects = truth.learnable()
    overlap_A, boxes_A4, overlap_AR = _nearest(anchors_A4, objects.boxes_R4)
    if usable_A is None:
        usable_A = torch.ones_like(overlap_A, dtype=torch.bool)
    labels_A = torch.where(overlap_A < negative, BACKGROUND, IGNORED)
    labels_A[_crowded(anchors_A4, truth)] = IGNORED
    if overlap_AR.shape[1]:
        most_R = overlap_AR.masked_fill(~usable_A[:, None], -1).amax(dim=0)
        labels_A[((overlap_AR == most_R) & (most_R > 0)).any(dim=1)] = 1
    labels_A[overlap_A >= positive] = 1
    return Goal(labels_A.masked_fill(~usable_A, IGNORED), boxes_A4)


def region_goal(
    rois_A4: Tensor, truth: Truth, *, foreground: float, background: tuple[float, float]
) -> Goal:
    """Label regions with the class of the object that they overlap most ([F]).

    Args:
        rois_A4: in pixels.
        truth: the objects of the picture.
        foreground: regions with at least this IoU are objects.
        background: regions with an IoU in [low, high) are background; the others are not looked at.
    """
    objects = truth.learnable()
    overlap_A, boxes_A4, overlap_AR = _nearest(rois_A4, objects.boxes_R4)
    low, high = background
    is_background = (overlap_A >= low) & (overlap_A < high)
    labels_A = torch.where(is_background, BACKGROUND, IGNORED)
    labels_A[_crowded(rois_A4, truth)] = IGNORED
    if overlap_AR.shape[1]:
        classes_A = objects.labels_R[overlap_AR.argmax(dim=1)]
        labels_A = torch.where(overlap_A >= foreground, classes_A, labels_A)
    return Goal(labels_A, boxes_A4)


def sample(labels_A: Tensor, count: int, share: float, random: Generator) -> Tensor:
    """Draw objects and background without replacement, and return their indices, objects first.

    Args:
        labels_A: as in `Goal`.
        count: how many are drawn, if there are as many.
        share: how many of them are objects at the most; background takes the other places.
        random: on the processor, so that every device draws the same.
    """
    objects = _some((labels_A > 0).nonzero().flatten(), int(count * share), random)
    rest = _some((labels_A == BACKGROUND).nonzero().flatten(), count - len(objects), random)
    return torch.cat([objects, rest])


def _some(indices: Tensor, count: int, random: Generator) -> Tensor:
    if len(indices) <= count:
        return indices
    order = torch.randperm(len(indices), generator=random)[:count]
    return indices[order.to(indices.device)]


def _nearest(boxes_A4: Tensor, objects_R4: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the largest IoU of each box with an object, that object, and all IoUs: A, R."""
    overlap_AR = iou(boxes_A4, objects_R4)
    if not len(objects_R4):
        return boxes_A4.new_zeros(len(boxes_A4)), boxes_A4, overlap_AR
    overlap_A, index_A = overlap_AR.max(dim=1)
    return overlap_A, objects_R4[index_A], overlap_AR


def _crowded(boxes_A4: Tensor, truth: Truth) -> Tensor:
    crowds_R4 = truth.boxes_R4[truth.crowd_R]
    return (covered(boxes_A4, crowds_R4) >= CROWDED).any(dim=1)
