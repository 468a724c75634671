"""From boxes of every class for every region to the detections of one picture.

Dimension key:
    R regions   K classes without background   V boxes above the threshold   D detections
"""

from torch import Tensor

from residua.detect.boxes import clip, shorter_side
from residua.detect.faster_rcnn import OutputConfig, detections
from residua.detect.found import Found
from residua.detect.predictions import Predictions
from residua.detect.suppress import NEVER
from residua.detect.vote import vote


def choose(
    predictions: Predictions,
    index: int,
    output: OutputConfig,
    *,
    longest: float,
    vote_iou: float | None = None,
) -> Found:
    """Keep what is probable and not said better by another box of its class.

    Args:
        predictions: about several pictures.
        index: of the picture.
        output: thresholds and counts.
        longest: height or width of the pictures that the net was given, whichever is larger.
        vote_iou: from this IoU on, boxes that are probable enough vote on where a kept one of their
            class goes; None for no voting.

    Returns:
        The detections, in the pixels of the picture that the net was given.
    """
    boxes_RK4 = predictions.boxes_NRK4[index]
    valid_R1 = predictions.valid_NR[index][:, None]
    scores_RK = predictions.probabilities_NRK[index].masked_fill(~valid_R1, NEVER)
    chosen = detections(boxes_RK4[None], scores_RK[None], longest, output)
    boxes_D4, scores_D, labels_D, valid_D = (part[0] for part in chosen)
    found = Found(boxes_D4[valid_D], scores_D[valid_D], labels_D[valid_D])
    if vote_iou is None:
        return found
    votes_RK = (scores_RK > output.score_threshold) & (shorter_side(boxes_RK4) > 0)
    region_V, class_V = votes_RK.nonzero().unbind(dim=1)
    voters = boxes_RK4[region_V, class_V], scores_RK[region_V, class_V], class_V + 1
    moved_D4 = vote(found.boxes_D4, found.labels_D, *voters, iou=vote_iou)
    return Found(moved_D4, found.scores_D, found.labels_D)


def in_own_pixels(found: Found, ratios: tuple[float, float], size: Tensor) -> Found:
    """Bring detections from a resized picture to the picture itself, on the processor.

    Args:
        found: in pixels of the resized picture.
        ratios: height and width of the resized picture divided by those of the picture itself.
        size: 2, height and width of the picture itself.
    """
    y, x = ratios
    boxes_D4 = found.boxes_D4.cpu() / found.boxes_D4.new_tensor([x, y, x, y]).cpu()
    return Found(clip(boxes_D4, size), found.scores_D.cpu(), found.labels_D.cpu())
