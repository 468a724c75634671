"""The pictures that detections are scored with: a part as the files have it, or everything."""

import pytest
import torch
from PIL import Image

from residua.data.annotated_part import annotated_part
from residua.data.objects import Objects
from residua.data.voc_xml import written
from residua.errors import ConfigError, DataError, DataWarning


@pytest.fixture
def tree(tmp_path):
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (tmp_path / folder).mkdir(parents=True)
    for name in "abc":
        text = written(f"{name}.jpg", (30, 40), Objects.of([[0, 0, 10, 20]], [1]), ("cat",))
        (tmp_path / "Annotations" / f"{name}.xml").write_text(text)
        Image.new("RGB", (40, 30)).save(tmp_path / "JPEGImages" / f"{name}.jpg")
    return tmp_path


def listed(tree, **parts):
    for part, names in parts.items():
        (tree / "ImageSets" / "Main" / f"{part}.txt").write_text("\n".join(names))


@pytest.mark.parametrize(
    ("parts", "part", "names", "words"),
    [
        ({"train": "a", "val": "b", "test": "c"}, "test", "c", "the test part of"),
        ({"train": "a", "val": "b", "test": "c"}, "train", "a", "the train part of"),
        ({"train": "a", "val": "bc"}, "test", "bc", "the validation part of"),
        ({"test": "ab"}, "test", "ab", "the test part of"),
        ({}, "test", "abc", "all of"),
    ],
)
def test_a_part_is_what_the_files_say_and_without_them_all(tree, parts, part, names, words):
    listed(tree, **parts)
    found, said = annotated_part(tree, part)
    assert sorted(found.names) == list(names)
    assert said.startswith(words)
    assert torch.equal(found.objects(0).boxes_R4, torch.tensor([[0.0, 0, 10, 20]]))


def test_what_is_not_there_is_said(tree, tmp_path):
    listed(tree, train="a", test="b")
    with pytest.raises(ConfigError, match=r"--part validation: .* has no such pictures, but train"):
        annotated_part(tree, "validation")
    with pytest.raises(DataError, match="none is not there"):
        annotated_part(tmp_path / "none", "test")


def test_what_is_odd_is_a_warning(tree):
    box = Objects.of([[0, 0, 10, 20], [35, 0, 60, 20]], [1, 1])
    (tree / "Annotations" / "a.xml").write_text(written("a.jpg", (30, 40), box, ("cat",)))
    with pytest.warns(DataWarning, match="a"):
        annotated_part(tree, "test")
