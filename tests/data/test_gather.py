"""Words of a command line to picture files."""

import os
from pathlib import Path

import pytest

from residua.data.gather import gather
from residua.errors import DataError


@pytest.fixture
def place(tmp_path):
    for name in ("b.png", "a.JPG", "notes.txt", "deep/er/c.webp", "deep/d.png", ".hidden/e.png"):
        path = tmp_path / "pics" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def found(*words, listed=b""):
    return [str(path) for path in gather(words, lambda: listed)]


def test_files_stay_in_their_order_and_may_repeat(place):
    assert found("pics/b.png", "none.png", "pics/b.png") == ["pics/b.png", "none.png", "pics/b.png"]


def test_a_folder_means_the_visible_pictures_below_it_by_name(place):
    everything = ["pics/a.JPG", "pics/b.png", "pics/deep/d.png", "pics/deep/er/c.webp"]
    assert found("pics") == everything
    assert found("pics/") == everything


def test_a_pattern_means_what_it_matches_by_name(place):
    assert found("pics/*.png") == ["pics/b.png"]
    assert found("pics/**/*.png") == ["pics/b.png", "pics/deep/d.png"]
    assert found(str(place / "pics/?.png")) == [str(place / "pics/b.png")]
    assert found("pics/d*") == ["pics/deep/d.png", "pics/deep/er/c.webp"]


def test_a_file_whose_name_is_like_a_pattern_is_itself(place):
    (place / "a[1].png").touch()
    (place / "a1.png").touch()
    assert found("a[1].png") == ["a[1].png"]


@pytest.mark.parametrize("word", ["none.png", "none*.png", "empty"])
def test_a_word_that_means_nothing_is_kept_for_whoever_opens_it(place, word):
    (place / "empty").mkdir()
    assert found(word) == [word]


def test_a_list_stands_where_the_dash_is(place):
    listed = b"pics/b.png\r\n\npics/deep\nsome *.png\n"
    assert found("x.png", "-", "y.png", listed=listed) == [
        *("x.png", "pics/b.png", "pics/deep/d.png", "pics/deep/er/c.webp", "some *.png", "y.png"),
    ]


def test_a_list_of_find_print0_may_hold_names_of_two_lines():
    assert found("-", listed=b"a\nb.png\0c.png\0") == ["a\nb.png", "c.png"]


def test_names_that_are_no_text_are_kept_byte_for_byte():
    (path,) = gather(["-"], lambda: b"caf\xe9.png\n")
    assert os.fsencode(path) == b"caf\xe9.png"


def test_a_file_named_dash_can_be_asked_for(place):
    assert gather(["./-"], lambda: pytest.fail("read")) == [Path("./-")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
def test_a_folder_that_may_not_be_looked_into_is_said(place):
    (place / "pics/deep").chmod(0)
    try:
        with pytest.raises(DataError, match=r"pics/deep cannot be looked into: permission denied"):
            found("pics")
    finally:
        (place / "pics/deep").chmod(0o755)
