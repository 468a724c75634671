"""How much boxes overlap, in either convention of what a pixel's coordinate is.

Dimension key:
    D detections   R objects
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def overlaps(boxes_D4: Floats, boxes_R4: Floats, *, inclusive: bool = False) -> Floats:
    """Return intersection over union of every pair: D, R, in [0, 1].

    Args:
        boxes_D4: x1, y1, x2, y2.
        boxes_R4: likewise.
        inclusive: x2 and y2 are the last pixels of a box, so that it is x2 - x1 + 1 wide; else they
            are where it ends, and it is x2 - x1 wide.
    """
    shared_DR, areas_D, areas_R = _areas(boxes_D4, boxes_R4, inclusive=inclusive)
    union_DR = areas_D[:, None] + areas_R - shared_DR
    return _share(shared_DR, union_DR)


def inside(boxes_D4: Floats, boxes_R4: Floats, *, inclusive: bool = False) -> Floats:
    """Return which share of the detection lies in the object: D, R; COCO's overlap with crowds."""
    shared_DR, areas_D, _ = _areas(boxes_D4, boxes_R4, inclusive=inclusive)
    return _share(shared_DR, np.broadcast_to(areas_D[:, None], shared_DR.shape))


def _areas(boxes_D4: Floats, boxes_R4: Floats, *, inclusive: bool) -> tuple[Floats, Floats, Floats]:
    """Return the areas of the intersections, of the detections and of the objects."""
    pixel = 1.0 if inclusive else 0.0
    low_DR2 = np.maximum(boxes_D4[:, None, :2], boxes_R4[:, :2])
    high_DR2 = np.minimum(boxes_D4[:, None, 2:], boxes_R4[:, 2:])
    shared_DR = (high_DR2 - low_DR2 + pixel).clip(min=0).prod(axis=2)
    areas = [
        (boxes[:, 2:] - boxes[:, :2] + pixel).clip(min=0).prod(axis=1)
        for boxes in (boxes_D4, boxes_R4)
    ]
    return shared_DR, areas[0], areas[1]


def _share(part: Floats, whole: Floats) -> Floats:
    """Divide; of nothing the share is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
