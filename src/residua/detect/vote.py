"""Box voting: where a box goes is decided by all boxes that agree with it.

Sources:
    [G] Gidaris and Komodakis, Object detection via a multi-region & semantic segmentation-aware
        CNN model, arXiv:1505.01749, section 5.

Dimension key:
    D boxes that were kept   V boxes that vote
"""

from torch import Tensor

from residua.detect.boxes import iou as overlaps


def vote(
    kept_D4: Tensor,
    kept_labels_D: Tensor,
    boxes_V4: Tensor,
    scores_V: Tensor,
    labels_V: Tensor,
    *,
    iou: float = 0.5,
) -> Tensor:
    """`y = sum of s b / sum of s` over the boxes b of the same class with IoU of at least `iou`.

    Differs: [G] takes an IoU above 0.5 rather than at least 0.5. Scores stay, as in [G].

    Shape:
        y: D, 4.

    Args:
        kept_D4: what non-maximum suppression left.
        kept_labels_D: their classes.
        boxes_V4: what it was given; the kept boxes are among them.
        scores_V: of these, none below 0.
        labels_V: their classes.
        iou: from which on a box has a vote.
    """
    agree_DV = (overlaps(kept_D4, boxes_V4) >= iou) & (kept_labels_D[:, None] == labels_V)
    weights_DV = agree_DV * scores_V
    total_D1 = weights_DV.sum(dim=1, keepdim=True)
    # A box without area overlaps nothing, not even itself: it stays.
    mean_D4 = (weights_DV @ boxes_V4) / total_D1.where(total_D1 > 0, 1)
    return mean_D4.where(total_D1 > 0, kept_D4)
