"""Which object each detection lies on, and which detections are hits, by the rule of the devkit.

Each detection aims at the object of its class that it overlaps most, of equal ones the first. An
object is found by the first detection, by falling score, that aims at it and overlaps it enough;
later ones are false alarms. Equal scores rank in the order of the pictures, then of the detections.

Sources:
    [V] Everingham et al., The PASCAL VOC Challenge, section 4.2; VOCevaldet.m of its devkit.
    [C] Lin et al., Microsoft COCO; cocoeval.py of its API, for crowds.

Dimension key:
    M detections of all pictures   G objects of all pictures   D, R those of one
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from residua.data.objects import Objects
from residua.detect.found import Found
from residua.detect.metrics.overlap import inside, overlaps
from residua.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Aims:
    """All detections of a set, each with the object that it aims at.

    Attributes:
        scores_M: of the detections, picture after picture.
        labels_M: likewise.
        aims_M: the object of that class that it overlaps most; -1 if the picture has none.
        overlap_M: with that object; 0 if there is none.
        crowd_M: largest share of it that lies in a crowd of its class.
        labels_G: of the objects, picture after picture.
        difficult_G: likewise.
        crowd_G: likewise.
    """

    scores_M: Floats
    labels_M: Ints
    aims_M: Ints
    overlap_M: Floats
    crowd_M: Floats
    labels_G: Ints
    difficult_G: Flags
    crowd_G: Flags

    def count(self, label: int, *, difficult: bool) -> int:
        """Count the objects of a class; crowds are none, difficult ones only if asked for."""
        counted_G = ~self.crowd_G if difficult else ~(self.crowd_G | self.difficult_G)
        return int((counted_G & (self.labels_G == label)).sum())

    def rank(self, label: int, *, iou: float, difficult: bool) -> tuple[Floats, Flags, Flags]:
        """Rank the detections of a class by falling score, and say what each is.

        Args:
            label: of the class.
            iou: overlap that is enough; exactly so much is enough ([V]).
            difficult: count difficult objects; else what lies on them is neither hit nor alarm.

        Returns:
            Scores, which are hits, and which are ignored, as they lie on difficult objects or in
            crowds.
        """
        rows = np.flatnonzero(self.labels_M == label)
        ranked = rows[np.argsort(-self.scores_M[rows], kind="stable")]
        aims, enough = self.aims_M[ranked], self.overlap_M[ranked] >= iou
        spared = enough & ~np.bool_(difficult) & np.append(self.difficult_G, False)[aims]
        candidates = np.flatnonzero(enough & ~spared)
        _, first = np.unique(aims[candidates], return_index=True)
        hits = np.zeros(len(ranked), dtype=bool)
        hits[candidates[first]] = True
        in_crowd = ~enough & (self.crowd_M[ranked] >= iou)
        return self.scores_M[ranked], hits, spared | in_crowd


def aim(found: Sequence[Found], objects: Sequence[Objects], *, inclusive: bool = False) -> Aims:
    """Say of every detection which object it aims at.

    Args:
        found: detections of each picture.
        objects: of the same pictures in the same order.
        inclusive: of which convention the boxes are; `overlaps` says more.

    Raises:
        DataError: there are more pictures with objects than with detections or fewer, or a box or
            score is not a number.
    """
    if len(found) != len(objects):
        raise DataError(
            f"detections of {len(found)} pictures cannot be scored with the objects of "
            f"{len(objects)}: give both for the same pictures (no detections: an empty one)"
        )
    pictures = [
        _picture(each, truth, inclusive=inclusive)
        for each, truth in zip(found, objects, strict=True)
    ]
    starts = np.cumsum([0, *(len(truth.labels_R) for truth in objects)])
    aims = [
        np.where(a >= 0, a + start, -1) for (a, *_), start in zip(pictures, starts, strict=False)
    ]
    return Aims(
        scores_M=_joined([_doubles(each.scores_D) for each in found], float),
        labels_M=_joined([each.labels_D.cpu().numpy() for each in found], int),
        aims_M=_joined(aims, int),
        overlap_M=_joined([overlap for _, overlap, _ in pictures], float),
        crowd_M=_joined([crowd for _, _, crowd in pictures], float),
        labels_G=_joined([truth.labels_R.cpu().numpy() for truth in objects], int),
        difficult_G=_joined([truth.difficult_R.cpu().numpy() for truth in objects], bool),
        crowd_G=_joined([truth.crowd_R.cpu().numpy() for truth in objects], bool),
    )


def _picture(found: Found, truth: Objects, *, inclusive: bool) -> tuple[Ints, Floats, Floats]:
    boxes_D4, boxes_R4 = _doubles(found.boxes_D4), _doubles(truth.boxes_R4)
    if not (np.isfinite(boxes_D4).all() and np.isfinite(_doubles(found.scores_D)).all()):
        raise DataError(
            "a detection has a box or a score that is not a finite number: leave it out"
        )
    if not (len(boxes_D4) and len(boxes_R4)):
        count = len(boxes_D4)
        return np.full(count, -1), np.zeros(count), np.zeros(count)
    crowd_R = truth.crowd_R.cpu().numpy()
    alike_DR = found.labels_D.cpu().numpy()[:, None] == truth.labels_R.cpu().numpy()
    overlap_DR = np.where(
        alike_DR & ~crowd_R, overlaps(boxes_D4, boxes_R4, inclusive=inclusive), -1.0
    )
    in_crowd_DR = np.where(alike_DR & crowd_R, inside(boxes_D4, boxes_R4, inclusive=inclusive), 0.0)
    best_D = overlap_DR.max(axis=1)
    aims_D = np.where(best_D >= 0, overlap_DR.argmax(axis=1), -1)
    return aims_D, best_D.clip(min=0), in_crowd_DR.max(axis=1)


def _doubles(values: Tensor) -> Floats:
    return values.detach().cpu().double().numpy()


def _joined(parts: Sequence[NDArray[Any]], kind: type) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype=kind), *parts]).astype(kind)
