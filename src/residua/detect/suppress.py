"""Non-maximum suppression whose result has a fixed size, so that a detector can be exported.

Dimension key:
    N pictures   R boxes of each   D boxes that are returned of each, of which only the valid ones
    mean something
"""

import torch
from torch import Tensor

from residua.detect.boxes import apart

# The score of what must never be returned: below any other, and finite, as exporters want it.
NEVER = -1e30


def best(boxes_NR4: Tensor, scores_NR: Tensor, *, nms: float, count: int) -> tuple[Tensor, Tensor]:
    """Take the boxes by falling score, each that overlaps no better one by more than `nms`.

    Args:
        boxes_NR4: float32, in pixels, none below zero.
        scores_NR: float32; a box with the score `NEVER` is not valid.
        nms: IoU in [0, 1].
        count: how many to return of each picture; all R if there are fewer.

    Returns:
        The indices of the boxes, N, D, best first, and which of them are valid, N, D. What is not
        valid is some other box.
    """
    survives_NR = _survivors(boxes_NR4, scores_NR, nms)
    most = min(count, scores_NR.shape[1])
    ranked, indices_ND = scores_NR.masked_fill(~survives_NR, NEVER).topk(most, dim=1)
    return indices_ND, ranked > NEVER


def best_of_each(
    boxes_NR4: Tensor,
    scores_NR: Tensor,
    groups_NR: Tensor,
    *,
    nms: float,
    count: int,
    places: tuple[float, int],
) -> tuple[Tensor, Tensor]:
    """Do as `best`, where only boxes of one group suppress one another.

    Args:
        boxes_NR4: float32, in pixels.
        scores_NR: float32.
        groups_NR: int64, such as the class.
        nms: IoU in [0, 1].
        count: how many to return of all groups together.
        places: the longest side of the pictures in pixels, and the number of groups.
    """
    span, groups = places
    return best(
        apart(boxes_NR4, groups_NR, span=span + 1, count=groups), scores_NR, nms=nms, count=count
    )


def _survivors(boxes_NR4: Tensor, scores_NR: Tensor, nms: float) -> Tensor:
    """Tell which boxes overlap no better one of their picture by more than `nms`."""
    from torchvision.ops import nms as suppress

    if not torch.compiler.is_exporting():
        kept = [
            torch.zeros_like(scores_R).scatter(0, suppress(boxes_R4, scores_R, nms), 1.0)
            for boxes_R4, scores_R in zip(boxes_NR4.unbind(), scores_NR.unbind(), strict=True)
        ]
        return torch.stack(kept) > 0
    # A graph of any number of pictures has no loop over them: each gets a place of its own, below
    # the one before.
    places_N = torch.arange(boxes_NR4.shape[0], device=boxes_NR4.device) * (boxes_NR4.max() + 1)
    down_N14 = (places_N[:, None] * places_N.new_tensor([0.0, 1.0, 0.0, 1.0]))[:, None]
    scores = scores_NR.flatten()
    kept = suppress((boxes_NR4 + down_N14).flatten(0, 1), scores, nms)
    return torch.zeros_like(scores).scatter(0, kept, 1.0).view_as(scores_NR) > 0
