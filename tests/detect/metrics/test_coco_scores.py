"""COCO's numbers against its own code, and by hand."""

import contextlib
import io

import pytest
import torch

from detections import some
from residua.data.objects import Objects
from residua.detect.found import Found
from residua.detect.metrics.coco import NUMBERS, coco_scores

CLASSES = ("cat", "dog", "horse")


def by_pycocotools(found, objects):
    """Score with COCO's own code: twelve numbers, and AP of each class, in [0, 1] or -1."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def places(box):
        x1, y1, x2, y2 = map(float, box)
        return [x1, y1, x2 - x1, y2 - y1]

    annotations = [
        {
            "image_id": 10 * image,
            "category_id": 5 * int(truth.labels_R[i]),
            "bbox": places(truth.boxes_R4[i]),
            "area": float(truth.area_R[i]),
            "iscrowd": int(truth.crowd_R[i]),
        }
        for image, truth in enumerate(objects)
        for i in range(len(truth.labels_R))
    ]
    results = [
        {
            "image_id": 10 * image,
            "category_id": 5 * int(each.labels_D[i]),
            "bbox": places(each.boxes_D4[i]),
            "score": float(each.scores_D[i]),
        }
        for image, each in enumerate(found)
        for i in range(len(each))
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": 10 * i} for i in range(len(objects))],
            "categories": [{"id": 5 * k, "name": str(k)} for k in (1, 2, 3)],
            "annotations": [{"id": i, **each} for i, each in enumerate(annotations, start=1)],
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision = evaluation.eval["precision"]
    of_class = [precision[:, :, k, 0, -1] for k in range(3)]
    return list(evaluation.stats), [p[p > -1].mean() if (p > -1).any() else -1 for p in of_class]


def plain(values):
    return [-1 if value is None else value / 100 for value in values]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("crowds", [0.0, 0.3])
def test_the_numbers_are_those_of_cocos_own_code(seed, crowds):
    found, objects = some(seed, crowds=crowds, pictures=4 + 2 * seed)
    scores = coco_scores(found, objects, CLASSES)
    stats, by_class = by_pycocotools(found, objects)
    assert plain(scores.numbers.values()) == pytest.approx(stats, abs=1e-9)
    assert plain(scores.by_class) == pytest.approx(by_class, abs=1e-9)


def test_more_than_a_hundred_detections_in_one_picture():
    found, objects = some(5, pictures=2, most=60, classes=1)
    assert max(map(len, found)) > 100
    stats, _ = by_pycocotools(found, objects)
    assert plain(coco_scores(found, objects, CLASSES).numbers.values()) == pytest.approx(stats)


def one(boxes, labels, **annotated):
    return Objects.of(torch.tensor(boxes), torch.tensor(labels), **annotated)


def seen(boxes, scores, labels):
    return Found.of(torch.tensor(boxes), torch.tensor(scores), torch.tensor(labels))


NOTHING = Found.of(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0))


def test_a_perfect_detector_has_100_where_there_are_objects_and_no_number_elsewhere():
    truth = one([[0.0, 0, 20, 20], [50, 50, 100, 100]], [1, 3])
    scores = coco_scores(
        [seen([[0.0, 0, 20, 20], [50, 50, 100, 100]], [0.9, 0.8], [1, 3])], [truth], CLASSES
    )
    assert list(scores.numbers) == list(NUMBERS)
    assert scores.numbers["AP"] == scores.numbers["APs"] == scores.numbers["APm"] == 100
    assert scores.numbers["APl"] is None
    assert scores.by_class == (100, None, 100)


def test_an_overlap_of_three_quarters_counts_at_half_of_the_thresholds_and_at_three_quarters():
    # Recall 1, precision 1 at 0.50, 0.55, ..., 0.75: six of ten.
    truth = one([[0.0, 0, 40, 40]], [2])
    scores = coco_scores([seen([[0.0, 0, 40, 30]], [0.3], [2])], [truth], CLASSES)
    assert scores.numbers["AP50"] == scores.numbers["AP75"] == 100
    assert scores.numbers["AP"] == pytest.approx(60)
    assert scores.by_class == (None, pytest.approx(60), None)


def test_difficult_objects_are_ignored_unless_they_are_to_count():
    truth = one(
        [[0.0, 0, 40, 40], [50, 0, 90, 40]], [1, 1], difficult_R=torch.tensor([True, False])
    )
    found = seen([[0.0, 0, 40, 40]], [0.9], [1])
    assert coco_scores([found], [truth], CLASSES).numbers["AP"] == 0
    counted = coco_scores([found], [truth], CLASSES, difficult=True).numbers
    # 51 of 101 recalls are at most one half.
    assert counted["AP"] == pytest.approx(100 * 51 / 101)


def test_no_detections_no_objects_no_pictures_no_classes():
    truth = one([[0.0, 0, 40, 40]], [1])
    assert coco_scores([NOTHING], [truth], CLASSES).numbers["AP"] == 0
    none = Objects.of(torch.zeros(0, 4), torch.zeros(0))
    found = seen([[0.0, 0, 40, 40]], [0.9], [1])
    for nothing in (
        coco_scores([found], [none], CLASSES),
        coco_scores([], [], CLASSES),
        coco_scores([found], [truth], ()),
    ):
        assert set(nothing.numbers.values()) == {None}
        assert set(nothing.by_class) <= {None}
