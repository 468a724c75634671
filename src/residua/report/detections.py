"""The page of a set of detections: all numbers, curves, and the pictures with most mistakes.

It is made of detections and annotations, whoever's detector it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from residua import plots
from residua.detect.metrics import table
from residua.detect.mistakes import Judged, Reviewed, count, review
from residua.report import page

if TYPE_CHECKING:
    from torch import Tensor

    from residua.data.objects import Objects
    from residua.detect.found import Found
    from residua.detect.metrics.summary import Summary

MOST_PICTURES = 24
# Hits are named in a picture that has no more marks than these; else mistakes alone are.
FEW_MARKS = 8
RECALLS = np.linspace(0, 1, 101)

KINDS = {
    "hit": "overlaps an object of its class by 0.5 or more, the first to do so",
    "duplicate": "on an object that a surer detection has found",
    "confusion": "overlaps an object of another class by 0.5 or more",
    "localisation": "overlaps an object of its class by 0.1 or more, but by less than 0.5",
    "background": "none of these",
    "ignored": "on a difficult object or in a crowd: neither hit nor false alarm",
    "missed": "objects that nothing found",
}


@dataclass(frozen=True)
class Scored:
    """What was scored, picture by picture.

    Attributes:
        names: of the pictures.
        found: in each.
        objects: on each.
        picture: gives one of them: 3, H, W, uint8.
    """

    names: Sequence[str]
    found: "Sequence[Found]"
    objects: "Sequence[Objects]"
    picture: "Callable[[int], Tensor]"


def write_detections(
    folder: Path, summary: "Summary", scored: Scored, *, title: str, about: str = ""
) -> Path:
    """Write the page.

    Args:
        folder: gets `report.html`.
        summary: of the same detections.
        scored: the pictures.
        title: what was scored.
        about: where it came from, in words.

    Returns:
        The page.

    Raises:
        RunError: it cannot be written.
    """
    values = {"title": title, "about": about, "found": findings(summary, scored)}
    return page.write(folder, "detections.html", values)


def findings(summary: "Summary", scored: Scored) -> dict[str, Any]:
    """Return what a page says of detections, as JSON can hold it."""
    return {
        "map": summary.of("area", difficult=summary.difficult).mean,
        "pictures": summary.pictures,
        "detections": summary.detections,
        "difficult": summary.difficult,
        "class_rows": table.class_rows(summary),
        "voc_rows": table.voc_rows(summary),
        "coco_rows": table.coco_rows(summary),
        "pixels": table.PIXELS,
        "curves": curves(summary),
        "narrow_curves": curves(summary, narrow=True),
        **pictures(summary, scored),
    }


def curves(summary: "Summary", *, narrow: bool = False) -> str:
    """Draw precision against recall; empty if no class has objects."""
    drawn = [
        plots.PrecisionRecall(row.name, curve.interpolated(RECALLS).tolist(), row.area, row.objects)
        for row, curve in zip(summary.by_class(), summary.curves, strict=True)
        if row.area is not None
    ]
    if not drawn:
        return ""
    return plots.precision_recall(drawn, note="IoU 0.5; AP: area under the line", narrow=narrow)


def pictures(summary: "Summary", scored: Scored) -> dict[str, Any]:
    """Draw the pictures with most mistakes, and count the mistakes of all.

    Every class is looked at from its own score threshold, the one with the largest F1.
    """
    reviews = [
        review(found, objects, thresholds=summary.thresholds(), difficult=summary.difficult)
        for found, objects in zip(scored.found, scored.objects, strict=True)
    ]
    ranked = sorted(range(len(reviews)), key=lambda i: -reviews[i].mistakes)
    wrong = [i for i in ranked if reviews[i].mistakes]
    counts = count(reviews)
    return {
        "counts": [(kind, counts[kind], words) for kind, words in KINDS.items()],
        "wrong": len(wrong),
        "drawn": [
            {
                "name": scored.names[i],
                "svg": _drawn(summary, scored, reviews[i], i),
                "words": _words(reviews[i]),
            }
            for i in wrong[:MOST_PICTURES]
        ],
    }


def marks(reviewed: Reviewed, objects: "Objects", classes: Sequence[str]) -> list[plots.Mark]:
    """Say what is drawn on a picture: hits below false alarms below misses."""
    few = len(reviewed.detections) + len(reviewed.missed) <= FEW_MARKS
    labels = objects.labels_R.tolist()
    boxes = objects.boxes_R4.tolist()
    below = [_mark(each, classes, few) for each in reviewed.detections if each.kind == "hit"]
    spared = [_mark(each, classes, False) for each in reviewed.detections if each.kind == "ignored"]
    missed = [
        plots.Mark(tuple(boxes[i]), "miss", f"missed: {classes[labels[i] - 1]}")
        for i in reviewed.missed
    ]
    alarms = [_mark(each, classes, True) for each in reversed(reviewed.alarms)]
    return [*spared, *below, *missed, *alarms]


def _mark(each: Judged, classes: Sequence[str], written: bool) -> plots.Mark:
    name = f"{classes[each.label - 1]} {each.score:.2f}"
    match each.kind:
        case "hit":
            return plots.Mark(each.box, "hit", name, written)
        case "ignored":
            return plots.Mark(each.box, "ignored", f"{name}, ignored", written)
        case kind:
            return plots.Mark(each.box, "alarm", f"× {name} {kind}", written)


def _drawn(summary: "Summary", scored: Scored, reviewed: Reviewed, index: int) -> str:
    return plots.boxes_on(
        scored.picture(index),
        marks(reviewed, scored.objects[index], summary.classes),
        name=f"{scored.names[index]}: {_words(reviewed)}",
    )


def _words(reviewed: Reviewed) -> str:
    hits = sum(each.kind == "hit" for each in reviewed.detections)
    return (
        f"{hits} found, {len(reviewed.missed)} missed, {len(reviewed.alarms)} false "
        f"alarm{'' if len(reviewed.alarms) == 1 else 's'}"
    )
