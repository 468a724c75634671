"""All numbers of a set of detections as text, with which of them a paper used.

Sources:
    [H] He et al., Deep Residual Learning, arXiv:1512.03385: tables 7 (VOC 2007 test), 11 and 12
        (VOC 2007 and 2012), 8 and 9 (COCO).
"""

from collections.abc import Sequence

from residua.detect.metrics.coco import NUMBERS
from residua.detect.metrics.summary import Summary
from residua.detect.metrics.voc import RULES

# Whose number it is, by the name in `NUMBERS`.
PAPER_COCO = {"AP": "He 2015 on COCO", "AP50": "He 2015 on COCO"}
PAPER_VOC = "He 2015: 11-point on VOC 2007, area on VOC 2012"

READINGS = (
    ("without difficult objects", False, False),
    ("with difficult objects", True, False),
    ("without difficult objects, one pixel more", False, True),
    ("with difficult objects, one pixel more", True, True),
)
PIXELS = (
    "One pixel more: boxes are taken as x2 - x1 + 1 wide. VOC's own boxes end at their last pixel, "
    "and the devkit adds 1 to reach their width; ours end where they end, so that the rows without "
    "it are the devkit's."
)


def percent(value: float | None, digits: int = 2) -> str:
    """Write a number in percent; a dash if there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def voc_rows(summary: Summary) -> list[tuple[str, ...]]:
    """List the readings of the VOC rule: words, mAP by 11 points, by area, and whose they are."""
    return [
        (
            words,
            *(
                percent(summary.of(rule, difficult=difficult, inclusive=inclusive).mean)
                for rule in RULES
            ),
            "" if difficult or inclusive else PAPER_VOC,
        )
        for words, difficult, inclusive in READINGS
    ]


def coco_rows(summary: Summary) -> list[tuple[str, ...]]:
    """List COCO's numbers: name, percent, what it is, and whose."""
    return [
        (name, percent(summary.coco.numbers[name]), what, PAPER_COCO.get(name, ""))
        for name, what in NUMBERS.items()
    ]


def class_rows(summary: Summary) -> list[tuple[str, ...]]:
    """List the classes: name, objects, three APs, then threshold, precision and recall."""
    rows: list[tuple[str, ...]] = []
    for each in summary.by_class():
        best = each.working
        used = best is not None and best.threshold < float("inf")
        rows.append(
            (
                each.name,
                f"{each.objects:,}",
                *(percent(value, 1) for value in (each.eleven_point, each.area, each.coco)),
                f"{best.threshold:.3g}" if best and used else "-",
                percent(best.precision if best and used else None, 1),
                percent(best.recall if best else None, 1),
            )
        )
    return rows


VOC_HEAD = ("VOC, mAP at IoU 0.5, %", "11-point", "area", "")
COCO_HEAD = ("COCO, %", "", "", "")
CLASS_HEAD = (
    "class",
    "objects",
    "AP 11-point",
    "area",
    "COCO",
    "at best F1: score",
    "precision",
    "recall",
)


def text(summary: Summary) -> str:
    """Write all tables."""
    counted = "with" if summary.difficult else "without"
    parts = [
        _aligned([CLASS_HEAD, *class_rows(summary)], numbers=range(1, 8)),
        "",
        _aligned([VOC_HEAD, *voc_rows(summary)], numbers=(1, 2)),
        "",
        _aligned([COCO_HEAD, *coco_rows(summary)], numbers=(1,)),
        "",
        f"By class and COCO: {counted} difficult objects. A dash: no such objects. {PIXELS}",
    ]
    return "\n".join(parts)


def _aligned(rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if i in numbers else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)
