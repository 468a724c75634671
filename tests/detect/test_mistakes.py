"""Every kind of mistake by hand, and that they add up."""

import pytest
import torch

from detections import some
from residua.data.objects import Objects
from residua.detect.found import Found
from residua.detect.metrics.matching import aim
from residua.detect.metrics.voc import curve
from residua.detect.mistakes import ALARMS, count, review

OBJECTS = Objects.of(
    [
        [0, 0, 100, 100],
        [200, 0, 300, 100],
        [0, 200, 100, 300],
        [200, 200, 400, 400],
        [0, 500, 9, 509],
    ],
    [1, 2, 1, 1, 1],
    difficult_R=[False, False, True, False, False],
    crowd_R=[False, False, False, True, False],
)
DETECTIONS = [
    ([0, 0, 100, 90], 0.9, 1, "hit", 0),
    ([0, 0, 100, 100], 0.8, 1, "duplicate", 0),
    ([200, 0, 300, 80], 0.7, 1, "confusion", 1),
    ([80, 0, 180, 100], 0.6, 1, "localisation", 0),
    ([500, 500, 510, 510], 0.5, 1, "background", None),
    ([0, 200, 100, 290], 0.4, 1, "ignored", 2),
    ([300, 300, 320, 320], 0.3, 1, "ignored", None),
    ([95, 0, 195, 100], 0.2, 2, "background", None),
    ([0, 500, 9, 509], 0.1, 1, "hit", 4),
]


def detections():
    boxes, scores, labels, _, _ = zip(*DETECTIONS, strict=True)
    return Found.of(torch.tensor(boxes), torch.tensor(scores), torch.tensor(labels))


def test_every_detection_is_told_for_what_it_is():
    reviewed = review(detections(), OBJECTS, thresholds=0.05)
    assert [(each.kind, each.object) for each in reviewed.detections] == [
        (kind, index) for *_, kind, index in DETECTIONS
    ]
    assert reviewed.detections[0].overlap == pytest.approx(0.9)
    assert reviewed.detections[3].overlap == pytest.approx(2000 / 18000)
    assert reviewed.detections[4].overlap == 0
    assert reviewed.missed == (1,)
    assert [each.kind for each in reviewed.alarms] == [*ALARMS, "background"]
    assert reviewed.mistakes == 6


def test_what_scores_too_little_finds_nothing():
    assert review(detections(), OBJECTS, thresholds=0.15).missed == (1, 4)
    of_each_class = review(detections(), OBJECTS, thresholds=(0.65, 0.0))
    assert [each.label for each in of_each_class.detections] == [1, 1, 1, 2]
    nothing = review(detections(), OBJECTS, thresholds=float("inf"))
    assert (nothing.detections, nothing.missed) == ((), (0, 1, 4))


def test_difficult_objects_count_if_they_are_to():
    reviewed = review(detections(), OBJECTS, thresholds=0.45, difficult=True)
    assert reviewed.missed == (1, 2, 4)
    assert (
        review(detections(), OBJECTS, thresholds=0.35, difficult=True).detections[5].kind == "hit"
    )


def test_a_picture_without_objects_or_detections():
    none = Found.of(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0))
    assert review(none, Objects.none()).mistakes == 0
    assert {each.kind for each in review(detections(), Objects.none()).alarms} == {"background"}
    assert review(none, OBJECTS).missed == (0, 1, 4)


@pytest.mark.parametrize("seed", range(4))
def test_hits_and_misses_are_those_of_the_curves(seed):
    found, objects = some(seed, difficult=0.2, pictures=10)
    reviews = [
        review(each, truth, thresholds=0.0) for each, truth in zip(found, objects, strict=True)
    ]
    counts = count(reviews)
    curves = [curve(aim(found, objects), label) for label in (1, 2, 3)]
    assert counts["hit"] == sum(int(each.hits_P.sum()) for each in curves)
    assert sum(counts[kind] for kind in ALARMS) == sum(int((~each.hits_P).sum()) for each in curves)
    assert counts["hit"] + counts["missed"] == sum(each.objects for each in curves)
    assert sum(counts.values()) - counts["missed"] == sum(map(len, found))
