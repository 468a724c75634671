"""Precision, recall and average precision as the PASCAL VOC challenge defines them.

Sources:
    [V] Everingham et al., The PASCAL VOC Challenge, section 4.2; VOCevaldet.m of its devkit: the
        rule of 2007 is the mean of the interpolated precision at eleven recalls, that from 2010 on
        the area under it.

Dimension key:
    P ranked detections of one class that count (those on difficult objects and in crowds do not)
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from residua.detect.metrics.matching import Aims

Rule = Literal["11-point", "area"]
RULES: tuple[Rule, ...] = ("11-point", "area")

# Multiples of 0.1 as voc_eval.py of py-faster-rcnn has them: in binary its 0.3, 0.6 and 0.7 are a
# trifle larger, so that a recall of exactly 3 in 10 does not reach the fourth of them.
ELEVEN = np.arange(0.0, 1.1, 0.1)


@dataclass(frozen=True)
class Working:
    """Where a detector works best for a class: the score threshold with the largest F1.

    Attributes:
        threshold: detections with at least this score are used.
        precision: share of them that are hits, in percent.
        recall: share of the objects that are found, in percent.
    """

    threshold: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """`2 p r / (p + r)`, in percent."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class Curve:
    """Precision against recall of one class.

    Attributes:
        scores_P: falling.
        hits_P: which detections found an object.
        objects: that count.
    """

    scores_P: NDArray[np.float64]
    hits_P: NDArray[np.bool_]
    objects: int

    @cached_property
    def found(self) -> NDArray[np.int64]:
        """Objects found by the detections up to each."""
        return np.cumsum(self.hits_P, dtype=np.int64)

    @cached_property
    def precision(self) -> NDArray[np.float64]:
        """Share of hits among the detections up to each, in [0, 1]."""
        return self.found / np.arange(1, len(self.hits_P) + 1)

    @cached_property
    def recall(self) -> NDArray[np.float64]:
        """Share of the objects that the detections up to each have found, in [0, 1]."""
        return self.found / max(1, self.objects)

    @cached_property
    def envelope(self) -> NDArray[np.float64]:
        """Largest precision at this recall or more: the interpolated precision of [V]."""
        return np.maximum.accumulate(self.precision[::-1])[::-1]

    def interpolated(self, recalls: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the largest precision at each recall or more, in [0, 1]; 0 beyond the last."""
        at = np.searchsorted(self.recall, recalls, side="left")
        return np.append(self.envelope, 0.0)[at]

    def average_precision(self, rule: Rule) -> float | None:
        """Return the average precision in percent; None if the class has no objects."""
        if not self.objects:
            return None
        if rule == "11-point":
            return 100 * float(self.interpolated(ELEVEN).mean())
        return 100 * float(self.envelope[self.hits_P].sum()) / self.objects

    def working(self) -> Working | None:
        """Return where F1 is largest, of equal ones the highest score; None without objects.

        Detections of one score are used together or not at all. If none is a hit there is no such
        threshold, and it is said as infinite: no detection is used.
        """
        if not self.objects:
            return None
        if not self.hits_P.any():
            return Working(float("inf"), 0.0, 0.0)
        last = np.append(self.scores_P[1:] < self.scores_P[:-1], True)
        f1_P = 2 * self.found / (np.arange(1, len(last) + 1) + self.objects)
        best = int(np.where(last, f1_P, -1.0).argmax())
        return Working(
            float(self.scores_P[best]),
            100 * float(self.precision[best]),
            100 * float(self.recall[best]),
        )


def curve(aims: Aims, label: int, *, iou: float = 0.5, difficult: bool = False) -> Curve:
    """Rank the detections of a class and compare them with its objects.

    Args:
        aims: what `aim` returned.
        label: of the class, from 1.
        iou: overlap that makes a hit.
        difficult: count difficult objects like others; else what lies on one is neither a hit nor
            a false alarm, and not to find it is no miss.
    """
    scores, hits, ignored = aims.rank(label, iou=iou, difficult=difficult)
    return Curve(scores[~ignored], hits[~ignored], aims.count(label, difficult=difficult))


def mean(values: "tuple[float | None, ...]") -> float | None:
    """Average over the classes that have objects; None if there is none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
