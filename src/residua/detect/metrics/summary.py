"""All numbers of a set of detections in one object, since a paper names one and means it.

Sources:
    [H] He et al., Deep Residual Learning, arXiv:1512.03385, tables 7 to 12.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from residua.data.objects import Objects
from residua.detect.found import Found
from residua.detect.metrics.coco import CocoScores, coco_scores
from residua.detect.metrics.matching import Aims, aim
from residua.detect.metrics.voc import RULES, Curve, Rule, Working, curve, mean

IOU = 0.5


@dataclass(frozen=True)
class VocScore:
    """Average precision at IoU 0.5 under one reading of the VOC rule.

    Attributes:
        rule: "11-point" (VOC 2007) or "area" (from 2010 on).
        difficult: difficult objects count.
        inclusive: boxes are taken to be one pixel wider and higher than x2 - x1 and y2 - y1. Boxes
            that `residua.data.voc` read are as wide as the devkit has them without that.
        by_class: in percent; None of a class without objects.
    """

    rule: Rule
    difficult: bool
    inclusive: bool
    by_class: tuple[float | None, ...]

    @property
    def mean(self) -> float | None:
        """The mean in percent (mAP) over the classes that have objects; None if there are none."""
        return mean(self.by_class)


@dataclass(frozen=True)
class ClassScore:
    """How one class fared.

    Attributes:
        name: of the class.
        objects: that count.
        eleven_point: AP at IoU 0.5 in percent; None without objects.
        area: likewise, the area under the curve.
        coco: AP over IoU 0.50 to 0.95 likewise.
        working: where its F1 is largest.
    """

    name: str
    objects: int
    eleven_point: float | None
    area: float | None
    coco: float | None
    working: Working | None


@dataclass(frozen=True)
class Summary:
    """Every number of a set of detections.

    Attributes:
        classes: K names.
        pictures: how many.
        detections: in all of them.
        difficult: whether difficult objects count in `coco` and `curves`.
        voc: all eight readings of the VOC rule.
        coco: the twelve numbers of COCO.
        curves: precision against recall of each class at IoU 0.5.
    """

    classes: tuple[str, ...]
    pictures: int
    detections: int
    difficult: bool
    voc: tuple[VocScore, ...]
    coco: CocoScores
    curves: tuple[Curve, ...]

    def of(self, rule: Rule, *, difficult: bool = False, inclusive: bool = False) -> VocScore:
        """Return one reading of the VOC rule; by default those of the challenge."""
        wanted = (rule, difficult, inclusive)
        return next(
            score for score in self.voc if (score.rule, score.difficult, score.inclusive) == wanted
        )

    def by_class(self) -> list[ClassScore]:
        """Say of each class how it fared, in the order of the labels."""
        eleven, area = (self.of(rule, difficult=self.difficult).by_class for rule in RULES)
        columns = (self.classes, self.curves, eleven, area, self.coco.by_class)
        return [
            ClassScore(name, found.objects, at_points, under, coco, found.working())
            for name, found, at_points, under, coco in zip(*columns, strict=True)
        ]

    def thresholds(self) -> tuple[float, ...]:
        """Return the score of each class where its F1 is largest; infinite if nothing is found."""
        best = [found.working() for found in self.curves]
        return tuple(float("inf") if each is None else each.threshold for each in best)

    def plain(self) -> dict[str, Any]:
        """Return all numbers as JSON can hold them: None where there is none."""
        return {
            "pictures": self.pictures,
            "detections": self.detections,
            "difficult": self.difficult,
            "voc": [
                {
                    "rule": score.rule,
                    "iou": IOU,
                    "difficult": score.difficult,
                    "inclusive": score.inclusive,
                    "map": score.mean,
                }
                for score in self.voc
            ],
            "coco": self.coco.numbers,
            "classes": [_plain(each) for each in self.by_class()],
        }


def summarise(
    found: Sequence[Found],
    objects: Sequence[Objects],
    classes: Sequence[str],
    *,
    difficult: bool = False,
) -> Summary:
    """Score the detections of a set by every rule.

    Args:
        found: detections of each picture.
        objects: of the same pictures in the same order.
        classes: K names, in the order of the labels.
        difficult: count difficult objects in what has no readings of its own: COCO's numbers, the
            class table and the curves.

    Raises:
        DataError: these are not of the same pictures, or a box or score is not a number.
    """
    names = tuple(classes)
    aims = {pixels: aim(found, objects, inclusive=pixels) for pixels in (False, True)}
    voc = [
        _voc(aims[inclusive], len(names), rule, hard, inclusive=inclusive)
        for inclusive, hard, rule in product((False, True), (False, True), RULES)
    ]
    return Summary(
        classes=names,
        pictures=len(objects),
        detections=sum(map(len, found)),
        difficult=difficult,
        voc=tuple(voc),
        coco=coco_scores(found, objects, names, difficult=difficult),
        curves=tuple(_curves(aims[False], len(names), difficult)),
    )


def _voc(aims: Aims, count: int, rule: Rule, difficult: bool, *, inclusive: bool) -> VocScore:
    curves = _curves(aims, count, difficult)
    values = tuple(each.average_precision(rule) for each in curves)
    return VocScore(rule, difficult, inclusive, values)


def _curves(aims: Aims, count: int, difficult: bool) -> list[Curve]:
    return [curve(aims, k, iou=IOU, difficult=difficult) for k in range(1, count + 1)]


def _plain(row: ClassScore) -> dict[str, Any]:
    best = row.working
    used = best is not None and best.threshold < float("inf")
    return {
        "name": row.name,
        "objects": row.objects,
        "ap_11_point": row.eleven_point,
        "ap_area": row.area,
        "ap_coco": row.coco,
        "threshold": best.threshold if best and used else None,
        "precision": best.precision if best and used else None,
        "recall": best.recall if best else None,
    }
