"""Sets under the classes of a detector."""

import pytest

from boxed import coco, voc
from residua.data.annotated_part import annotated_part
from residua.data.relabel import relabelled
from residua.errors import DataError

BOX = (3, 4, 20, 22)


def test_labels_follow_the_names_whatever_their_order(tmp_path):
    tree = voc(tmp_path, {"1": [("dog", BOX)], "2": [("cat", BOX), ("dog", BOX)]})
    pictures, _ = annotated_part(tree, "test")
    assert pictures.classes == ("cat", "dog")
    found = relabelled(pictures, ("dog", "horse", "cat"))
    assert found.classes == ("dog", "horse", "cat")
    assert [found.objects(index).labels_R.tolist() for index in range(2)] == [[1], [3, 1]]
    assert found.objects(1).boxes_R4.equal(pictures.objects(1).boxes_R4)
    assert found.category_ids == ()


def test_numbers_of_classes_go_along_and_a_class_without_one_is_minus_one(tmp_path):
    box = (3, 4, 10, 10)
    path = coco(
        tmp_path / "annotations" / "instances.json",
        {1: [(7, box)], 2: [(3, box)]},
        tmp_path / "images",
        {7: "dog", 3: "cat"},
    )
    pictures, _ = annotated_part(path, "test")
    found = relabelled(pictures, ("cat", "horse", "dog"))
    assert found.category_ids == (3, -1, 7)
    assert [found.objects(index).labels_R.tolist() for index in range(2)] == [[3], [1]]


def test_classes_that_the_detector_does_not_know_are_named(tmp_path):
    tree = voc(tmp_path, {"1": [(name, BOX) for name in ("ant", "cat", "dog")]})
    pictures, _ = annotated_part(tree, "test")
    with pytest.raises(DataError, match=r"classes ant, dog, which .* knows cat, horse"):
        relabelled(pictures, ("cat", "horse"))
