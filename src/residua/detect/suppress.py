"""Non-maximum suppression whose result has a fixed size, so that a detector can be exported.

Dimension key:
    R boxes   D boxes that are returned, of which only the valid ones mean something
"""

import torch
from torch import Tensor

from residua.detect.boxes import apart

# The score of what must never be returned: below any other, and finite, as exporters want it.
NEVER = -1e30


def best(boxes_R4: Tensor, scores_R: Tensor, *, nms: float, count: int) -> tuple[Tensor, Tensor]:
    """Take the boxes by falling score, each that overlaps no better one by more than `nms`.

    Args:
        boxes_R4: float32, in pixels.
        scores_R: float32; a box with the score `NEVER` is not valid.
        nms: IoU in [0, 1].
        count: how many to return; all R if there are fewer.

    Returns:
        The indices of the boxes, D, best first, and which of them are valid, D. What is not valid
        is some other box.
    """
    from torchvision.ops import nms as suppress

    kept = suppress(boxes_R4, scores_R, nms)
    survives = torch.zeros_like(scores_R).scatter(0, kept, 1.0)
    ranked, indices_D = scores_R.masked_fill(survives == 0, NEVER).topk(min(count, len(scores_R)))
    return indices_D, ranked > NEVER


def best_of_each(
    boxes_R4: Tensor,
    scores_R: Tensor,
    groups_R: Tensor,
    *,
    nms: float,
    count: int,
    places: tuple[float, int],
) -> tuple[Tensor, Tensor]:
    """Do as `best`, where only boxes of one group suppress one another.

    Args:
        boxes_R4: float32, in pixels.
        scores_R: float32.
        groups_R: int64, such as the class.
        nms: IoU in [0, 1].
        count: how many to return of all groups together.
        places: the longest side of the pictures in pixels, and the number of groups.
    """
    span, groups = places
    return best(
        apart(boxes_R4, groups_R, span=span + 1, count=groups), scores_R, nms=nms, count=count
    )
