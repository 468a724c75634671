"""All numbers in one object, and as text."""

import json

import pytest
import torch

from detections import some
from residua.data.objects import Objects
from residua.detect.found import Found
from residua.detect.metrics import coco_scores, summarise, table
from residua.detect.metrics.matching import aim
from residua.detect.metrics.voc import curve

CLASSES = ("cat", "dog", "horse", "unicorn")


@pytest.fixture(scope="module")
def summary():
    return summarise(*some(7, difficult=0.3, crowds=0.1, pictures=12), CLASSES)


def test_it_holds_every_reading(summary):
    found, objects = some(7, difficult=0.3, crowds=0.1, pictures=12)
    assert len({(s.rule, s.difficult, s.inclusive) for s in summary.voc}) == 8
    for score in summary.voc:
        aims = aim(found, objects, inclusive=score.inclusive)
        for label, value in enumerate(score.by_class, start=1):
            made = curve(aims, label, difficult=score.difficult)
            assert value == made.average_precision(score.rule)
    assert summary.coco == coco_scores(found, objects, CLASSES)
    assert summary.of("area", difficult=True).difficult
    assert len({score.mean for score in summary.voc}) > 4


def test_a_class_without_objects_has_no_numbers_and_no_part_in_the_mean(summary):
    *others, unicorn = summary.by_class()
    assert (unicorn.objects, unicorn.area, unicorn.coco, unicorn.working) == (0, None, None, None)
    assert summary.of("area").mean == pytest.approx(sum(each.area for each in others) / 3)
    assert summary.thresholds()[3] == float("inf")


def test_difficult_objects_count_in_the_class_table_if_they_are_to():
    found, objects = some(7, difficult=0.3, crowds=0.0, pictures=12)
    counted = summarise(found, objects, CLASSES, difficult=True)
    assert sum(each.objects for each in counted.by_class()) == sum(map(len, objects))
    hard = sum(int(each.difficult_R.sum()) for each in objects)
    usual = summarise(found, objects, CLASSES)
    assert sum(each.objects for each in usual.by_class()) == sum(map(len, objects)) - hard
    assert counted.coco.numbers["AP"] != usual.coco.numbers["AP"]
    assert counted.voc == usual.voc


def test_the_text_names_the_numbers_of_the_paper(summary):
    lines = table.text(summary).splitlines()
    (usual,) = [line for line in lines if line.startswith("without difficult objects  ")]
    assert usual.split()[-12:-9] == [
        f"{summary.of('11-point').mean:.2f}",
        f"{summary.of('area').mean:.2f}",
        "He",
    ]
    named = [line for line in lines if "He 2015" in line]
    assert [line.split()[0] for line in named] == ["without", "AP", "AP50"]
    (unicorn,) = [line.split() for line in lines if line.startswith("unicorn")]
    assert unicorn == ["unicorn", "0", *"------"]
    assert not any(line.endswith(" ") for line in lines)


def test_it_goes_into_json_and_back(summary):
    plain = summary.plain()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["voc"][0] == {
        "rule": "11-point",
        "iou": 0.5,
        "difficult": False,
        "inclusive": False,
        "map": summary.of("11-point").mean,
    }
    assert plain["classes"][3]["threshold"] is None


def test_nothing_found():
    none = Found.of(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0))
    made = summarise([none], [Objects.of([[0, 0, 9, 9]], [1])], ("cat",))
    assert {score.mean for score in made.voc} == {0}
    assert made.coco.numbers["AP"] == 0
    assert table.class_rows(made) == [("cat", "1", "0.0", "0.0", "0.0", "-", "-", "0.0")]
    json.dumps(made.plain(), allow_nan=False)
