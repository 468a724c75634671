import shutil

import numpy as np
import pytest
from PIL import Image

from pictured import class_folders, photograph, save
from residua.data.doctor import examine


@pytest.fixture
def folder(tmp_path):
    """A split set with nothing wrong with it."""
    class_folders(tmp_path / "set" / "train", {"ant": 30, "bee": 30})
    for name in ("ant", "bee"):
        for number in range(10):
            save(
                tmp_path / "set" / "test" / name / f"{number}.jpg",
                photograph(24, 16, seed=1000 + number + 100 * len(name) * (name == "bee")),
            )
    return tmp_path / "set"


def told(folder, *, serious=None):
    found = examine(folder).findings
    return [f.sentence for f in found if serious is None or f.serious == serious]


def test_nothing_is_found_where_nothing_is_wrong(folder):
    assert told(folder) == []
    assert examine(folder).layout.classes == ("ant", "bee")


def test_a_picture_that_is_learned_from_and_tested_on_is_serious(folder):
    shutil.copy(folder / "train" / "ant" / "003.png", folder / "test" / "ant" / "other.png")
    (sentence,) = told(folder, serious=True)
    assert sentence.startswith("1 pictures lie in more than one part")
    assert "train/ant/003.png" in sentence
    assert "test/ant/other.png" in sentence


def test_a_picture_in_two_classes_and_copies_are_told(folder):
    shutil.copy(folder / "train" / "ant" / "003.png", folder / "train" / "bee" / "x.png")
    shutil.copy(folder / "train" / "ant" / "004.png", folder / "train" / "ant" / "x.png")
    said = told(folder)
    assert any(s.startswith("1 pictures lie in more than one class") for s in said)
    assert any(s.startswith("2 files are copies") for s in said)


def test_files_of_one_length_that_differ_are_no_copies(folder):
    (folder / "train" / "ant" / "a.png").write_bytes(b"x" * 1000)
    (folder / "train" / "ant" / "b.png").write_bytes(b"y" * 1000)
    assert not any("copies" in sentence for sentence in told(folder))


def test_files_that_are_no_pictures_or_cut_short_are_serious_when_many(folder):
    path = folder / "test" / "ant" / "0.jpg"
    path.write_bytes(path.read_bytes()[:-30])
    (sentence,) = told(folder, serious=True)
    assert "1 of 80 files cannot be read" in sentence
    assert "0.jpg is cut short" in sentence
    found = examine(folder, max_unreadable=0.1).findings
    assert [finding.serious for finding in found] == [False]


def test_uneven_and_small_classes_are_told(folder):
    class_folders(folder / "train", {"wasp": 4})
    said = told(folder)
    assert "test has no pictures of wasp" in said
    assert any(
        "times the pictures of wasp" in sentence and "--balance" in sentence for sentence in said
    )
    assert any(sentence.startswith("wasp have fewer than 20 pictures") for sentence in said)


def test_odd_pictures_are_told(folder):
    train = folder / "train" / "ant"
    save(train / "grey.png", np.zeros((20, 20), dtype=np.uint8))
    Image.new("CMYK", (20, 20)).save(train / "inks.jpg")
    Image.fromarray(np.zeros((20, 20), dtype=np.uint16)).save(train / "deep.png")
    save(train / "tiny.png", photograph(9, 30))
    (train / "phone.heic").write_text("x")
    said = " ".join(told(folder, serious=False))
    for phrase in (
        "1 of 84 pictures are grey",
        "1 pictures are of four inks",
        "1 pictures have more than 8 bits",
        "1 pictures have a side of fewer than 16 pixels",
        "1 .heic (Pillow cannot read HEIC",
    ):
        assert phrase in said


def test_photographs_larger_than_need_be_are_told(tmp_path):
    for name in ("a", "b"):
        for number in range(3):
            picture = np.full((1600, 1600), number + 10 * (name == "b"), dtype=np.uint8)
            save(tmp_path / name / f"{number}.png", picture)
    assert any("more than 1,600 pixels on their shorter side" in s for s in told(tmp_path))


def test_what_is_no_data_set_is_serious(tmp_path):
    examined = examine(tmp_path)
    assert examined.layout is None
    assert examined.findings[0].serious
    assert "holds no pictures" in examined.findings[0].sentence
