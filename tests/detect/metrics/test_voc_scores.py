"""The VOC rule: a published case, a case by hand, the devkit's arithmetic, and every border."""

import numpy as np
import pytest
import torch

from detections import some
from residua.data.objects import Objects
from residua.detect.found import Found
from residua.detect.metrics.matching import aim
from residua.detect.metrics.voc import curve, mean
from residua.errors import DataError


def truth(boxes, labels=None, **annotated):
    return Objects.of(torch.tensor(boxes), torch.tensor(labels or [1] * len(boxes)), **annotated)


def seen(boxes, scores, labels=None):
    return Found.of(
        torch.tensor(boxes), torch.tensor(scores), torch.tensor(labels or [1] * len(boxes))
    )


def scored(found, objects, label=1, *, inclusive=False, **rule):
    return curve(aim(found, objects, inclusive=inclusive), label, **rule)


def precisions(found, objects, **rule):
    made = scored(found, objects, **rule)
    return made.average_precision("11-point"), made.average_precision("area")


@pytest.fixture
def case(real_data):
    """Read a published case: one class, seven pictures, x y width height."""
    folder = real_data("voc-map-case")
    found, objects = [], []
    for path in sorted((folder / "gts").glob("*.txt")):
        marked = [line.split()[1:] for line in path.read_text().splitlines()]
        placed = torch.tensor([[float(word) for word in words] for words in marked])
        objects.append(truth(torch.cat([placed[:, :2], placed[:, :2] + placed[:, 2:]], 1).tolist()))
        marked = [
            line.split()[1:] for line in (folder / "dets" / path.name).read_text().splitlines()
        ]
        placed = torch.tensor([[float(word) for word in words] for words in marked])
        corners = torch.cat([placed[:, 1:3], placed[:, 1:3] + placed[:, 3:]], 1)
        found.append(seen(corners.tolist(), placed[:, 0].tolist()))
    return found, objects


@pytest.mark.data
@pytest.mark.parametrize(
    ("iou", "eleven_points", "inclusive_area", "half_open_area"),
    [
        (0.1, 0.3333333333, 0.3371980676, 0.2801328502),
        (0.3, 0.2683982683, 0.2456866804, 0.2253968254),
        (0.5, 0.0303030303, 0.0222222222, 0.0222222222),
        (0.75, 0.0, 0.0, 0.0),
    ],
)
def test_the_published_case(case, iou, eleven_points, inclusive_area, half_open_area):
    eleven, area = precisions(*case, iou=iou, inclusive=True)
    assert eleven / 100 == pytest.approx(eleven_points, abs=1e-9)
    assert area / 100 == pytest.approx(inclusive_area, abs=1e-9)
    _, area = precisions(*case, iou=iou)
    assert area / 100 == pytest.approx(half_open_area, abs=1e-9)


BY_HAND = (
    [
        seen([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 25]], [0.9, 0.8, 0.6]),
        seen([[0.0, 0, 10, 4]], [0.7]),
        seen([[5.0, 5, 15, 15]], [0.95]),
    ],
    [
        truth([[0.0, 0, 10, 10], [20, 20, 30, 30]]),
        truth([[0.0, 0, 10, 10]]),
        truth([[5.0, 5, 15, 15]], difficult_R=[True]),
    ],
)


@pytest.mark.parametrize(
    ("rule", "eleven_points", "area"),
    [
        # Ranked hit, second on it, overlap 0.4, overlap of exactly 0.5; of three objects.
        ({}, (4 * 1 + 3 * 1 / 2) / 11, (1 + 1 / 2) / 3),
        # Overlap 0.4 is enough.
        ({"iou": 0.3}, (4 * 1 + 7 * 3 / 4) / 11, (1 + 3 / 4 + 3 / 4) / 3),
        # The surest detection hits the difficult object; four objects.
        ({"difficult": True}, (6 * 1 + 2 * 3 / 5) / 11, (1 + 1 + 3 / 5) / 4),
        # One pixel more: 55 of 121 pixels instead of 40 of 100.
        ({"iou": 0.45}, (4 * 1 + 3 * 1 / 2) / 11, (1 + 1 / 2) / 3),
        ({"iou": 0.45, "inclusive": True}, (4 * 1 + 7 * 3 / 4) / 11, (1 + 3 / 4 + 3 / 4) / 3),
    ],
)
def test_a_case_by_hand(rule, eleven_points, area):
    expected = 100 * eleven_points, 100 * area
    assert precisions(*BY_HAND, **rule) == pytest.approx(expected, abs=1e-12)


def test_the_score_threshold_with_the_largest_f1():
    best = scored(*BY_HAND).working()
    assert best.threshold == pytest.approx(0.6)
    assert (best.precision, best.recall) == pytest.approx((50, 200 / 3))
    assert best.f1 == pytest.approx(100 * 2 * 2 / (4 + 3))


def pixels(boxes):
    """Return boxes as VOC's annotations have them: from 1, with the last pixel inside."""
    return boxes.double().numpy() + np.array([1, 1, 0, 0])


def shared(box, other):
    """Return the overlap of two such boxes as the devkit does."""
    width = min(box[2], other[2]) - max(box[0], other[0]) + 1
    height = min(box[3], other[3]) - max(box[1], other[1]) + 1
    if width <= 0 or height <= 0:
        return -np.inf
    union = sum((b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (box, other))
    return width * height / (union - width * height)


def devkit(found, objects, label, *, difficult):
    """Score as voc_eval.py does, in VOC's own pixels; iou 0.5."""
    lines, truths = [], []
    for image, (each, marked) in enumerate(zip(found, objects, strict=True)):
        own = marked.labels_R == label
        hard = marked.difficult_R[own].numpy() & (not difficult)
        truths.append((pixels(marked.boxes_R4[own]), hard, set()))
        own = each.labels_D == label
        lines += [
            (score, image, box)
            for score, box in zip(each.scores_D[own], pixels(each.boxes_D4[own]), strict=True)
        ]
    true, false = [], []
    for _, image, box in sorted(lines, key=lambda line: -line[0]):
        boxes, hard, taken = truths[image]
        overlap = [shared(box, other) for other in boxes]
        at = int(np.argmax(overlap)) if overlap else -1
        lies = bool(overlap) and overlap[at] >= 0.5
        spared = lies and hard[at]
        true.append(lies and not spared and at not in taken)
        false.append(not spared and not true[-1])
        taken |= {at} if true[-1] else set()
    total = sum((~hard).sum() for _, hard, _ in truths)
    true, false = np.cumsum(true), np.cumsum(false)
    recall, precision = true / total, true / np.maximum(true + false, 1e-9)
    eleven = sum(max(precision[recall >= t], default=0) for t in np.arange(0, 1.1, 0.1)) / 11
    recall, precision = np.r_[0, recall, 1], np.r_[0, precision, 0]
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return 100 * eleven, 100 * (np.diff(recall) * precision[1:]).sum()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("difficult", [False, True])
def test_half_open_boxes_score_as_the_devkit_scores_the_same_boxes_in_its_own_pixels(
    seed, difficult
):
    found, objects = some(seed, crowds=0.0, difficult=0.3, pictures=12)
    for label in (1, 2, 3):
        expected = devkit(found, objects, label, difficult=difficult)
        measured = precisions(found, objects, label=label, difficult=difficult)
        assert measured == pytest.approx(expected, abs=1e-9)


def test_detections_in_a_crowd_are_neither_hits_nor_false_alarms():
    objects = [truth([[0.0, 0, 100, 100], [200, 0, 220, 20]], crowd_R=[True, False])]
    inside = [[0.0, 0, 10, 10], [30, 30, 50, 50], [90, 90, 110, 109]]
    found = [seen([*inside, [200, 0, 220, 20]], [0.9, 0.8, 0.7, 0.6])]
    made = scored(found, objects)
    # The third lies in the crowd by 100 of 380 pixels, so it is a false alarm.
    assert made.hits_P.tolist() == [False, True]
    assert made.objects == 1


def test_equal_scores_rank_in_the_order_of_the_pictures_and_then_of_the_detections():
    hit, miss = [0.0, 0, 10, 10], [50.0, 50, 60, 60]
    objects = [truth([hit]), truth([hit])]
    for order in ([miss, hit], [hit, miss]):
        found = [seen(order, [0.5, 0.5]), seen([hit], [0.5])]
        ranked = scored(found, objects).hits_P.tolist()
        assert ranked == [order[0] == hit, order[1] == hit, True]


def test_equal_scores_are_used_together_at_a_threshold():
    found = [seen([[0.0, 0, 10, 10], [50, 50, 60, 60], [70, 70, 80, 80]], [0.5, 0.5, 0.5])]
    best = scored(found, [truth([[0.0, 0, 10, 10]])]).working()
    assert (best.threshold, best.precision, best.recall) == pytest.approx((0.5, 100 / 3, 100))


def test_of_two_objects_that_overlap_equally_the_first_is_found():
    objects = [truth([[0.0, 0, 10, 10], [0, 0, 10, 10]])]
    found = [seen([[0.0, 0, 10, 10], [0, 0, 10, 10]], [0.9, 0.8])]
    assert scored(found, objects).hits_P.tolist() == [True, False]


def test_an_object_of_another_class_or_picture_is_not_found():
    found = [seen([[0.0, 0, 10, 10]], [0.9], [2]), seen([[0.0, 0, 10, 10]], [0.9])]
    objects = [truth([[0.0, 0, 10, 10]]), Objects.none()]
    assert precisions(found, objects) == (0, 0)
    assert precisions(found, objects, label=2) == (None, None)


def test_no_detections_no_objects_no_pictures():
    nothing = seen([], [])
    assert precisions([nothing], [truth([[0.0, 0, 1, 1]])]) == (0, 0)
    assert precisions([seen([[0.0, 0, 1, 1]], [0.5])], [Objects.none()]) == (None, None)
    assert precisions([], []) == (None, None)
    assert scored([nothing], [truth([[0.0, 0, 1, 1]])]).working().threshold == float("inf")
    assert scored([nothing], [Objects.none()]).working() is None


def test_boxes_without_area_overlap_nothing():
    found = [seen([[3.0, 3, 3, 9]], [0.9])]
    assert precisions(found, [truth([[3.0, 3, 3, 9]])]) == (0, 0)


def test_the_mean_is_over_the_classes_that_have_objects():
    assert mean((10.0, None, 20.0)) == 15
    assert mean((None, None)) is None
    assert mean(()) is None


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_refused(bad):
    objects = [truth([[0.0, 0, 1, 1]])]
    for found in (seen([[0.0, 0, 1, 1]], [bad]), seen([[0.0, 0, bad, 1]], [0.5])):
        with pytest.raises(DataError, match="not a finite number"):
            aim([found], objects)


def test_both_must_be_of_the_same_pictures():
    with pytest.raises(DataError, match=r"detections of 1 pictures .* objects of 2"):
        aim([seen([], [])], [Objects.none()] * 2)


def test_the_interpolated_precision_never_rises():
    found, objects = some(3, pictures=20)
    values = scored(found, objects).interpolated(np.linspace(0, 1, 101))
    assert (np.diff(values) <= 0).all()
