"""What a detector got wrong, picture by picture.

A detection is a hit or else, in this order:

    ignored        on a difficult object, or in a crowd
    duplicate      on an object of its class that a surer detection has found
    confusion      overlaps an object of another class by the threshold
    localisation   overlaps an object of its class by a tenth, but not by the threshold
    background     none of these

Sources:
    Hoiem et al., Diagnosing Error in Object Detectors, 2012, section 2 (the kinds, and the tenth);
    Bolya et al., TIDE, arXiv:2008.08115, section 2.2 (confusion at the threshold).

Dimension key:
    D detections   R objects of one picture
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from residua.data.objects import Objects
from residua.detect.found import Found
from residua.detect.metrics.matching import Aims, Flags, Floats, aim
from residua.detect.metrics.overlap import overlaps

Alarm = Literal["duplicate", "confusion", "localisation", "background"]
Kind = Literal["hit", "ignored"] | Alarm
ALARMS: tuple[Alarm, ...] = get_args(Alarm)
NEAR = 0.1


@dataclass(frozen=True)
class Judged:
    """One detection.

    Attributes:
        box: x1, y1, x2, y2 in pixels, half-open.
        score: of it.
        label: the class it is said to be of.
        kind: what it is.
        object: index of the object that says so: that it found, found again, confused or nearly
            found; None of background and of what lies in crowds.
        overlap: with that object, in [0, 1]; 0 if there is none.
    """

    box: tuple[float, float, float, float]
    score: float
    label: int
    kind: Kind
    object: int | None
    overlap: float


@dataclass(frozen=True)
class Reviewed:
    """One picture.

    Attributes:
        detections: by falling score.
        missed: indices of the objects that nothing found, without difficult ones and crowds.
    """

    detections: tuple[Judged, ...]
    missed: tuple[int, ...]

    @property
    def alarms(self) -> tuple[Judged, ...]:
        """The false alarms."""
        return tuple(each for each in self.detections if each.kind in ALARMS)

    @property
    def mistakes(self) -> int:
        """False alarms and missed objects."""
        return len(self.alarms) + len(self.missed)


def review(
    found: Found,
    truth: Objects,
    *,
    thresholds: float | Sequence[float] = 0.5,
    iou: float = 0.5,
    difficult: bool = False,
) -> Reviewed:
    """Say of every detection of a picture what it is, and which objects are missed.

    Args:
        found: its detections.
        truth: its objects.
        thresholds: detections of smaller score are left out; one for all classes, or one of each.
        iou: overlap that makes a hit.
        difficult: difficult objects count like others.
    """
    kept = _at_least(found, thresholds)
    aims = aim([kept], [truth])
    # In a picture, objects and detections have the same indices as in a set of this one alone.
    hit_D, ignored_D = _ranked(aims, iou=iou, difficult=difficult)
    overlap_DR = overlaps(
        kept.boxes_D4.cpu().double().numpy(), truth.boxes_R4.cpu().double().numpy()
    )
    overlap_DR = np.where(aims.crowd_G, -1.0, overlap_DR)
    boxes, scores = kept.boxes_D4.tolist(), kept.scores_D.tolist()
    judged = []
    for i, label in enumerate(aims.labels_M.tolist()):
        kind, index = _kind(i, aims, overlap_DR, (bool(hit_D[i]), bool(ignored_D[i])), iou)
        overlap = 0.0 if index is None else float(overlap_DR[i, index])
        judged.append(Judged(tuple(boxes[i]), scores[i], label, kind, index, overlap))
    counted_R = ~(aims.crowd_G | (aims.difficult_G & ~np.bool_(difficult)))
    found_R = {each.object for each in judged if each.kind == "hit"}
    missed = tuple(i for i in np.flatnonzero(counted_R).tolist() if i not in found_R)
    return Reviewed(tuple(judged), missed)


def count(reviews: Sequence[Reviewed]) -> dict[str, int]:
    """Count hits, every kind of false alarm, what is ignored, and missed objects."""
    kinds = Counter(each.kind for review in reviews for each in review.detections)
    counts = {kind: kinds[kind] for kind in ("hit", *ALARMS, "ignored")}
    return {**counts, "missed": sum(len(review.missed) for review in reviews)}


def _at_least(found: Found, thresholds: float | Sequence[float]) -> Found:
    if isinstance(thresholds, float | int):
        return found.at_least(thresholds)
    least_D = found.scores_D.new_tensor([0.0, *thresholds])[found.labels_D]
    keep_D = found.scores_D >= least_D
    return Found(found.boxes_D4[keep_D], found.scores_D[keep_D], found.labels_D[keep_D])


def _ranked(aims: Aims, *, iou: float, difficult: bool) -> tuple[Flags, Flags]:
    """Say of the detections, in their order, which are hits and which are ignored."""
    hit_D = np.zeros(len(aims.labels_M), dtype=bool)
    ignored_D = hit_D.copy()
    for label in np.unique(aims.labels_M).tolist():
        rows = np.flatnonzero(aims.labels_M == label)
        rows = rows[np.argsort(-aims.scores_M[rows], kind="stable")]
        _, hit_D[rows], ignored_D[rows] = aims.rank(label, iou=iou, difficult=difficult)
    return hit_D, ignored_D


def _kind(
    i: int, aims: Aims, overlap_DR: Floats, said: tuple[bool, bool], iou: float
) -> tuple[Kind, int | None]:
    """Say what the i-th detection is, and which object says so."""
    hit, ignored = said
    aimed = int(aims.aims_M[i])
    own = float(aims.overlap_M[i])
    if hit:
        return "hit", aimed
    if ignored:
        return "ignored", aimed if own >= iou else None
    if own >= iou:
        return "duplicate", aimed
    others_R = np.where(aims.labels_G == aims.labels_M[i], -1.0, overlap_DR[i])
    if others_R.size and others_R.max() >= iou:
        return "confusion", int(others_R.argmax())
    return ("localisation", aimed) if own >= NEAR else ("background", None)
