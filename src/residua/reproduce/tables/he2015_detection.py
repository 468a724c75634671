"""He et al. 2015: networks that find objects.

Source: He et al., Deep Residual Learning, arXiv:1512.03385, section 4.3 and appendices A to C.
"""

from residua.reproduce.cell import Cell, Difference, Table, Trained
from residua.reproduce.tables.fill import outside, quoted

PAPER = "arXiv:1512.03385"
SERVER = "the annotations of that part are not published"
LATER = "detection beyond tables 7 to 9 is not rebuilt here"

# Learned from and tested on: trainval of 2007 and 2012, tested on 2007; all of 2007 and trainval of
# 2012, tested on 2012. The counts are those of the sets.
VOC07, VOC12 = (16_551, 4_952), (21_503, 10_991)
AP = (("mAP@.5", "coco_ap50"), ("mAP@[.5,.95]", "coco_ap"))
CLASSES = (
    *("aero", "bike", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("table", "dog", "horse", "mbike", "person", "plant", "sheep", "sofa", "train", "tv"),
)


def _map(row: str, column: str, recipe: str, metric: str, pictures: tuple[int, int] | None) -> Cell:
    how = Trained(recipe=f"detection.{recipe}", metric=metric, pictures=pictures)
    return Cell(row=row, column=column, how=how, digits=1)


def _coco(row: str, recipe: str, columns: tuple[str, str]) -> list[Cell]:
    return [
        _map(row, column, recipe, metric, None)
        for column, (_, metric) in zip(columns, AP, strict=True)
    ]


def _table7() -> list[Cell]:
    return [
        cell
        for row, net in (("VGG-16", "vgg16"), ("ResNet-101", "resnet101"))
        for cell in (
            _map(row, "VOC07 test mAP", f"voc07_{net}_alternating", "map_11point", VOC07),
            _map(row, "VOC12 test mAP", f"voc12_{net}", "map_area", VOC12),
        )
    ]


def _table8() -> list[Cell]:
    columns = (AP[0][0], AP[1][0])
    better = [
        Cell(
            row="ResNet-101 above VGG-16",
            column=column,
            how=Difference(
                larger="detection.coco_resnet101", smaller="detection.coco_vgg16", metric=metric
            ),
            stated=points,
            unit="points",
            digits=1,
        )
        for (column, metric), points in zip(AP, (6.9, 6.0), strict=True)
    ]
    nets = (("VGG-16", "coco_vgg16"), ("ResNet-101", "coco_resnet101"))
    return [*(cell for row, name in nets for cell in _coco(row, name, columns)), *better]


def _table9() -> list[Cell]:
    val = ("train->val mAP@.5", "train->val mAP@[.5,.95]")
    test = ("trainval->test-dev mAP@.5", "trainval->test-dev mAP@[.5,.95]")
    rows = [
        ("baseline VGG-16", "coco_vgg16", ()),
        ("baseline ResNet-101", "coco_resnet101", ()),
        ("+ box refinement", "coco_resnet101_refinement", ()),
        ("+ context", "coco_resnet101_context", (53.3, 32.2)),
        ("+ multi-scale testing", "coco_resnet101_multi_scale", (55.7, 34.9)),
        ("ensemble of 3", "", (59.0, 37.4)),
    ]
    cells: list[Cell] = []
    for row, recipe, on_server in rows:
        cells += _coco(row, recipe, val) if recipe else []
        cells += [
            outside(row, column, value, SERVER, digits=1)
            for column, value in zip(test, on_server, strict=False)
        ]
    return cells


def _classes(row: str, numbers: str) -> list[Cell]:
    """Make cells of the mean and the twenty classes, out of scope."""
    return [
        outside(row, column, float(number), LATER, digits=1)
        for column, number in zip(("mAP", *CLASSES), numbers.split(), strict=True)
    ]


def _beyond(rows: list[tuple[str, str, float]], why: str = LATER) -> tuple[Cell, ...]:
    return tuple(outside(row, column, value, why, digits=1) for row, column, value in rows)


TABLES = (
    Table(
        name="he2015.table7",
        title="VOC, mAP of the baseline Faster R-CNN",
        source=f"{PAPER}, table 7",
        cells=tuple(_table7()),
        note="Trained on 07+12 and 07++12.",
    ),
    Table(
        name="he2015.table8",
        title="COCO val, mAP of the baseline Faster R-CNN",
        source=f"{PAPER}, table 8",
        cells=tuple(_table8()),
    ),
    Table(
        name="he2015.table9",
        title="COCO, what each addition to the detector changes",
        source=f"{PAPER}, table 9",
        cells=tuple(_table9()),
        note="Each row keeps the additions of those above it.",
    ),
    Table(
        name="he2015.table10",
        title="VOC 2007 test, by class",
        source=f"{PAPER}, table 10",
        cells=(
            *_classes(
                "VGG-16, 07+12",
                "73.2 76.5 79.0 70.9 65.5 52.1 83.1 84.7 86.4 52.0 81.9 65.7 84.8 84.6 77.5 76.7 "
                "38.8 73.6 73.9 83.0 72.6",
            ),
            *_classes(
                "ResNet-101, 07+12",
                "76.4 79.8 80.7 76.2 68.3 55.9 85.1 85.3 89.8 56.7 87.8 69.4 88.3 88.9 80.9 78.4 "
                "41.7 78.6 79.8 85.3 72.0",
            ),
            *_classes(
                "baseline+++, COCO+07+12",
                "85.6 90.0 89.6 87.8 80.8 76.1 89.9 89.9 89.6 75.5 90.0 80.7 89.6 90.3 89.1 88.7 "
                "65.4 88.1 85.6 89.0 86.8",
            ),
        ),
    ),
    Table(
        name="he2015.table11",
        title="VOC 2012 test, by class",
        source=f"{PAPER}, table 11",
        cells=(
            *_classes(
                "VGG-16, 07++12",
                "70.4 84.9 79.8 74.3 53.9 49.8 77.5 75.9 88.5 45.6 77.1 55.3 86.9 81.7 80.9 79.6 "
                "40.1 72.6 60.9 81.2 61.5",
            ),
            *_classes(
                "ResNet-101, 07++12",
                "73.8 86.5 81.6 77.2 58.0 51.0 78.6 76.6 93.2 48.6 80.4 59.0 92.1 85.3 84.8 80.7 "
                "48.1 77.3 66.5 84.7 65.6",
            ),
            *_classes(
                "baseline+++, COCO+07++12",
                "83.8 92.1 88.4 84.8 75.9 71.4 86.3 87.8 94.2 66.8 89.4 69.2 93.9 91.9 90.9 89.6 "
                "67.9 88.2 76.8 90.3 80.0",
            ),
        ),
    ),
    Table(
        name="he2015.table12",
        title="ImageNet detection, mAP@.5",
        source=f"{PAPER}, table 12",
        cells=(
            quoted("GoogLeNet (ILSVRC'14)", "test mAP@.5", 43.9, digits=1),
            *_beyond(
                [
                    ("single", "val2 mAP@.5", 60.5),
                    ("single", "test mAP@.5", 58.8),
                    ("ensemble of 3", "val2 mAP@.5", 63.6),
                    ("ensemble of 3", "test mAP@.5", 62.1),
                ]
            ),
        ),
    ),
    Table(
        name="he2015.table13",
        title="ImageNet localization, validation error",
        source=f"{PAPER}, table 13",
        cells=_beyond(
            [
                ("VGG-16, 1-crop", "error, oracle class", 33.1),
                ("RPN ResNet-101, 1-crop", "error, oracle class", 13.3),
                ("RPN ResNet-101, dense", "error, oracle class", 11.7),
                ("RPN ResNet-101, dense", "top-5 error, predicted class", 14.4),
                ("RPN+R-CNN", "top-5 error, predicted class", 10.6),
                ("RPN+R-CNN ensemble", "top-5 error, predicted class", 8.9),
            ]
        ),
    ),
    Table(
        name="he2015.table14",
        title="ImageNet localization, top-5 error",
        source=f"{PAPER}, table 14",
        cells=(
            quoted("OverFeat (ILSVRC'13)", "val top-5 error", 30.0, digits=1),
            quoted("OverFeat (ILSVRC'13)", "test top-5 error", 29.9, digits=1),
            quoted("GoogLeNet (ILSVRC'14)", "test top-5 error", 26.7, digits=1),
            quoted("VGG (ILSVRC'14)", "val top-5 error", 26.9, digits=1),
            quoted("VGG (ILSVRC'14)", "test top-5 error", 25.3, digits=1),
            *_beyond(
                [
                    ("ResNet (ILSVRC'15)", "val top-5 error", 8.9),
                    ("ResNet (ILSVRC'15)", "test top-5 error", 9.0),
                ]
            ),
        ),
    ),
)
