import pytest

from boxed import coco, voc
from pictured import class_folders, save
from residua.data.coco import CocoConfig
from residua.data.recognise_objects import object_sentences, recognise_objects
from residua.data.voc import VocConfig

LISTS = {"train": ["a", "b"], "val": ["c"], "test": ["d"]}


def one(name="cat"):
    return [(name, (1, 1, 10, 20))]


def test_a_voc_tree_its_parent_and_a_coco_folder_and_file_are_told_apart(tmp_path):
    root = voc(tmp_path / "kit" / "VOC2007", dict.fromkeys("abcd", one()), LISTS)
    assert recognise_objects(root) == VocConfig(path=str(root))
    assert recognise_objects(root.parent) == VocConfig(path=str(root.parent))
    path = coco(
        tmp_path / "c" / "annotations" / "instances.json",
        {n: [(1, (0, 0, 5, 5))] for n in range(9)},
        tmp_path / "c" / "images",
        {1: "cat"},
    )
    assert recognise_objects(tmp_path / "c") == CocoConfig(path=str(tmp_path / "c"))
    assert recognise_objects(path) == CocoConfig(path=str(path))


def test_class_folders_are_none_of_these(tmp_path):
    root = class_folders(tmp_path / "set", {"ant": 3, "bee": 3})
    assert recognise_objects(root) is None
    # Annotations beside the pictures of class folders do not make them a set to find objects in.
    voc(tmp_path / "other", {"a": one()})
    text = (tmp_path / "other" / "Annotations" / "a.xml").read_text()
    for name in ("ant", "bee"):
        (root / name / "000.xml").write_text(text)
    assert recognise_objects(root) is None
    class_folders(tmp_path / "split" / "train", {"ant": 3, "bee": 3})
    assert recognise_objects(tmp_path / "split") is None
    (tmp_path / "split" / "config.json").write_text('{"epochs": 3}')
    (tmp_path / "split" / "notes.xml").write_text("<notes/>")
    assert recognise_objects(tmp_path / "split") is None


@pytest.mark.parametrize("kind", ["nothing", "picture", "empty"])
def test_what_is_no_set_is_none(tmp_path, kind):
    path = tmp_path / kind
    if kind == "picture":
        path = save(tmp_path / "a.png")
    elif kind == "empty":
        path.mkdir()
    assert recognise_objects(path) is None


def test_sentences_say_what_was_recognised(tmp_path):
    pictures = {"a": one() * 4, "b": [], "c": one("dog"), "d": [("cat", (9, 9, 9, 9)), *one()]}
    root = voc(tmp_path / "pets", pictures, LISTS)
    said = object_sentences(recognise_objects(root).surveyed())
    assert said == [
        f"{root}: a VOC tree, 4 pictures with 6 objects of 2 classes (cat 5, dog 1), 40x30 pixels",
        "2 to learn from, 1 to choose with, 1 to test on (split as its files say)",
        "objects are 14 pixels large (nine of ten 14 to 14; the root of the area of the box)",
        "1 pictures have no object",
        "1 box has no area and is left out (such as d)",
        "cat has 5.0 times the objects of dog (5 against 1)",
    ]
