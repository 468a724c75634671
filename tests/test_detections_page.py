"""The page of a set of detections."""

import re

import pytest
import torch

from detections import some
from residua.data.objects import Objects
from residua.detect.found import Found
from residua.detect.metrics import summarise
from residua.detect.mistakes import review
from residua.report import detections as detections_page
from residua.report.detections import Scored, marks, write_detections

CLASSES = ("cat", "<b>dog</b>", "horse")
NOTHING = Found.of(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0))


def page(folder, found, objects, **texts):
    names = [f"picture {i}" for i in range(len(found))]
    seen = []

    def picture(index):
        seen.append(index)
        return torch.full((3, 40, 60), 99, dtype=torch.uint8)

    scored = Scored(names, found, objects, picture)
    made = write_detections(folder, summarise(found, objects, CLASSES), scored, **texts)
    return made.read_text(), seen


def test_it_shows_the_pictures_with_most_mistakes_and_says_how_many_there_are(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(detections_page, "MOST_PICTURES", 4)
    found, objects = some(2, pictures=10)
    text, seen = page(tmp_path, found, objects, title="found.json")
    assert len(seen) == text.count('class="boxes"') == 4
    thresholds = summarise(found, objects, CLASSES).thresholds()
    wrong = [
        review(each, truth, thresholds=thresholds).mistakes
        for each, truth in zip(found, objects, strict=True)
    ]
    assert sorted((wrong[i] for i in seen), reverse=True) == [wrong[i] for i in seen]
    assert min(wrong[i] for i in seen) >= max(wrong[i] for i in set(range(10)) - set(seen))
    assert f"images with most mistakes of {sum(map(bool, wrong))} that have any" in text


def test_it_needs_nothing_from_outside_and_names_are_never_markup(tmp_path):
    text, _ = page(tmp_path, *some(2, pictures=3), title="<i>x</i>", about="<i>y</i>")
    assert not re.search(r"https?:", text)
    assert "<b>dog" not in text
    assert "<i>" not in text
    assert "nan" not in re.sub(r"base64,[^\"]*", "", text)


@pytest.mark.parametrize(
    ("found", "objects", "words"),
    [
        ([NOTHING], [Objects.none()], ["no objects to find", "There are none."]),
        ([NOTHING], [Objects.of([[0, 0, 9, 9]], [1])], ["mAP@.5 0.0 %", "missed: cat"]),
        (
            [Found.of(torch.tensor([[0.0, 0, 9, 9]]), torch.tensor([0.5]), torch.tensor([1]))],
            [Objects.of([[0, 0, 9, 9]], [1])],
            ["mAP@.5 100.0 %", "There are none."],
        ),
    ],
)
def test_nothing_to_find_nothing_found_no_mistakes(tmp_path, found, objects, words):
    text, _ = page(tmp_path, found, objects, title="x")
    for word in words:
        assert word in text


def test_mistakes_lie_above_hits_and_hits_are_named_where_there_is_room():
    boxes = [[40.0 * i, 0, 40.0 * i + 20, 20] for i in range(9)]
    objects = Objects.of([*boxes, [0, 90, 9, 99]], [1] * 10)
    found = Found.of(
        torch.tensor([*boxes, [200.0, 200, 220, 220]]),
        torch.linspace(0.9, 0.3, 10),
        torch.tensor([1] * 9 + [2]),
    )
    drawn = marks(review(found, objects, thresholds=0.0), objects, ("cat", "dog"))
    assert [mark.look for mark in drawn] == ["hit"] * 9 + ["miss", "alarm"]
    assert drawn[-2].words == "missed: cat"
    assert drawn[-1].words == "× dog 0.30 background"
    assert [mark.written for mark in drawn] == [False] * 9 + [True, True]
    few = marks(
        review(found.at_least(0.8), objects[torch.arange(3)], thresholds=0.0),
        objects,
        ("cat", "dog"),
    )
    assert all(mark.written for mark in few)
    assert few[0].words == "cat 0.90"
