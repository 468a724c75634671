"""Detections in files: what is written is read, from whatever detector, or refused in words."""

import json

import pytest
import torch

from detections import some
from residua.detect import results
from residua.detect.found import Found
from residua.errors import DataError, RunError

NAMES, CLASSES = ("000005", "street", "42"), ("cat", "Dog", "7")
GOOD = {"image_id": "street", "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}


def read(tmp_path, *items, **arguments):
    path = tmp_path / "found.json"
    path.write_text(json.dumps(items))
    return results.read(path, NAMES, CLASSES, **arguments)


def test_what_is_written_is_read_bit_for_bit(tmp_path):
    found, _ = some(1, pictures=6)
    names = [f"{i:06d}" for i in range(5)] + ["9"]
    results.write(tmp_path / "a.json", found, names)
    again = results.read(tmp_path / "a.json", names, ("a", "b", "c"))
    for old, new in zip(found, again, strict=True):
        for name in ("boxes_D4", "scores_D", "labels_D"):
            assert torch.equal(getattr(old, name), getattr(new, name))


def test_the_file_is_what_coco_takes(tmp_path):
    from pycocotools.coco import COCO

    found = [Found.of(torch.tensor([[1.0, 2, 4, 8]]), torch.tensor([0.5]), torch.tensor([2]))]
    results.write(tmp_path / "a.json", found, ["42"], categories=[3, 90])
    (held,) = json.loads((tmp_path / "a.json").read_text())
    assert held == {"image_id": 42, "category_id": 90, "bbox": [1, 2, 3, 6], "score": 0.5}
    truth = COCO()
    truth.dataset = {"images": [{"id": 42}], "categories": [{"id": 90}], "annotations": []}
    truth.createIndex()
    assert len(truth.loadRes(str(tmp_path / "a.json")).anns) == 1
    results.write(tmp_path / "b.json", found, ["000042"])
    assert json.loads((tmp_path / "b.json").read_text())[0]["image_id"] == "000042"


def test_no_detections(tmp_path):
    results.write(tmp_path / "a.json", [], [])
    assert (tmp_path / "a.json").read_text() == "[]\n"
    assert [len(each) for each in read(tmp_path)] == [0, 0, 0]
    assert read(tmp_path)[0].boxes_D4.shape == (0, 4)


@pytest.mark.parametrize(
    ("given", "index"),
    [("street", 1), ("street.jpg", 1), ("000005", 0), (5, 0), ("5", 0), (42, 2), ("42", 2)],
)
def test_a_picture_is_named_by_text_or_number_with_the_ending_of_a_file_or_not(
    tmp_path, given, index
):
    found = read(tmp_path, {**GOOD, "image_id": given})
    assert [len(each) for each in found] == [int(i == index) for i in range(3)]


def test_numbers_that_two_pictures_could_mean_are_not_guessed(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{**GOOD, "image_id": 7}]))
    with pytest.raises(DataError, match="picture '7', which is not among the 2"):
        results.read(path, ("07", "007"), CLASSES)


@pytest.mark.parametrize(
    ("given", "label"),
    [(1, 1), ("cat", 1), ("CAT", 1), ("dog", 2), ("2", 2), (3, 3), (3.0, 3), ("7", 3), ("3", 3)],
)
def test_a_class_is_named_by_its_name_before_its_number(tmp_path, given, label):
    found = read(tmp_path, {**GOOD, "category_id": given})
    assert found[1].labels_D.tolist() == [label]


def test_a_coco_set_has_numbers_of_its_own(tmp_path):
    found = read(tmp_path, {**GOOD, "category_id": 90}, categories=(1, 18, 90))
    assert found[1].labels_D.tolist() == [3]
    with pytest.raises(DataError, match=r"class 2, which .* number \(1 to 90\) of one of the 3"):
        read(tmp_path, {**GOOD, "category_id": 2}, categories=(1, 18, 90))


def test_boxes_become_corners_and_scores_fall(tmp_path):
    found = read(tmp_path, GOOD, {**GOOD, "score": "0.75", "bbox": ["1", 2, 0, 4.5]})[1]
    assert found.scores_D.tolist() == [0.75, 0.5]
    assert found.boxes_D4.tolist() == [[1, 2, 1, 6.5], [1, 2, 4, 6]]


def test_a_list_of_annotations_is_read_too(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"images": [], "annotations": [GOOD]}))
    assert len(results.read(path, NAMES, CLASSES)[1]) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image_id": "stret"}, r"picture 'stret', which is not among the 3 \(did you mean str"),
        ({"image_id": None}, "picture 'None'"),
        ({"category_id": "Dogs"}, r"class 'Dogs', which .*number \(1 to 3\).* \(did you mean Dog"),
        ({"category_id": 0}, "class 0, which is neither a name nor a number"),
        ({"category_id": 4}, "class 4,"),
        ({"category_id": 1.5}, r"class 1\.5,"),
        ({"category_id": True}, "class True,"),
        ({"category_id": [1]}, r"class \[1\],"),
        ({"score": float("nan")}, "has the score nan, which is not a finite number"),
        ({"score": float("inf")}, "has the score inf"),
        ({"score": "high"}, "has the score 'high'"),
        ({"score": None}, "has the score None"),
        ({"bbox": [1, 2, -3, 4]}, "is -3 wide and 4 high .*is it x1, y1, x2, y2"),
        ({"bbox": [1, 2, 3]}, "which is not x, y, width and height in numbers"),
        ({"bbox": [1, 2, 3, float("nan")]}, "which is not x, y, width and height in numbers"),
        ({"bbox": 7}, "has the bbox 7, which is not"),
    ],
)
def test_a_detection_that_is_none_is_refused(tmp_path, change, words):
    with pytest.raises(DataError, match=f"found.json: detection 2 of 2 .*{words}"):
        read(tmp_path, GOOD, {**GOOD, **change})


def test_the_first_fault_of_each_kind_is_said_and_the_others_counted(tmp_path):
    bad = [{**GOOD, "score": None}] * 3 + [{**GOOD, "bbox": []}, {"score": 1}, 5]
    with pytest.raises(DataError) as error:
        read(tmp_path, *bad)
    assert str(error.value).endswith(
        "detection 1 of 6 has the score None, which is not a finite number (2 more such); "
        "detection 4 of 6 has the bbox [], which is not x, y, width and height in numbers; "
        "detection 5 of 6 lacks image_id, category_id, bbox (1 more such)"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1, ", "is not JSON"),
        ('{"boxes": []}', "holds no list of detections"),
        ("3", "holds no list of detections"),
        ("\xff", "is not JSON"),
    ],
)
def test_what_is_no_list_of_detections_is_refused(tmp_path, content, words):
    path = tmp_path / "a.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=words):
        results.read(path, NAMES, CLASSES)


def test_a_file_that_is_not_there_or_cannot_be_written(tmp_path):
    with pytest.raises(DataError, match="is not there"):
        results.read(tmp_path / "none.json", NAMES, CLASSES)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        results.write(tmp_path / "file" / "a.json", [], [])
