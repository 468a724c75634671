import numpy as np
from PIL import Image

from pictured import class_folders, photograph, save
from residua.data import walk
from residua.data.probe import header, imbalance_phrase, probe
from residua.data.recognise import recognise


def test_files_come_in_one_order_whatever_the_disk_says(tmp_path):
    for name in ("b.png", "a.JPEG", "c/z.png", "c/a.png", "B.png"):
        save(tmp_path / name) if not name.endswith("JPEG") else save(tmp_path / name, format="JPEG")
    assert walk.pictures(tmp_path).pictures == ["B.png", "a.JPEG", "b.png", "c/a.png", "c/z.png"]
    assert walk.pictures(tmp_path, below=False).pictures == ["B.png", "a.JPEG", "b.png"]


def test_a_broken_link_is_a_file_and_not_a_fall(tmp_path):
    class_folders(tmp_path, {"a": 2, "b": 2})
    (tmp_path / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    found = probe(recognise(tmp_path))
    assert len(found.headers) == 4
    assert "gone.png is not there" in found.unread[0]


def test_the_size_of_a_turned_photograph_is_that_of_the_upright_one(tmp_path):
    found = header(save(tmp_path / "a.jpg", photograph(40, 20), turn=6))
    assert (found.width, found.height, found.format) == (20, 40, "JPEG")


def test_grey_is_said_only_if_all_are_grey(tmp_path):
    for name in ("a", "b"):
        for number in range(3):
            save(tmp_path / name / f"{number}.png", np.full((9, 9), number, dtype=np.uint8))
    assert probe(recognise(tmp_path)).grey
    Image.fromarray(np.zeros((9, 9), dtype=np.uint16)).save(tmp_path / "a" / "deep.png")
    assert probe(recognise(tmp_path)).grey
    save(tmp_path / "b" / "colour.png")
    assert not probe(recognise(tmp_path)).grey


def test_a_look_at_some_is_spread_over_all(tmp_path):
    class_folders(tmp_path, {"a": 10, "b": 10})
    for number in range(10):
        (tmp_path / "b" / f"{number:03d}.png").write_text("rubbish")
    found = probe(recognise(tmp_path), count=4)
    assert (len(found.headers), len(found.unread)) == (2, 2)


def test_the_imbalance_is_named():
    said = imbalance_phrase(("a", "b", "c"), [10, 40, 20])
    assert said == "b has 4.0 times the pictures of a (40 against 10)"
