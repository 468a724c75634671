import errno
import os
import sys

import pytest

from residua import files
from residua.errors import RunError


def test_a_written_file_holds_the_content_and_leaves_nothing_beside_it(tmp_path):
    files.write(tmp_path / "new" / "a.txt", "one")
    files.write(tmp_path / "new" / "a.txt", b"two")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.txt"]
    assert (tmp_path / "new" / "a.txt").read_text() == "two"


def test_a_written_file_can_be_read_by_those_who_may_read_any_other(tmp_path):
    (tmp_path / "plain").touch()
    files.write(tmp_path / "ours", "x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_keeps_the_old_file_and_is_said(tmp_path, monkeypatch, number):
    path = tmp_path / "a.txt"
    files.write(path, "old")

    def full(handle):
        raise OSError(number, "no room")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match=r"a.txt: the disk is full"):
        files.write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="cannot write"):
        files.write(tmp_path / "file" / "a.txt", "x")


@pytest.mark.skipif(sys.platform == "win32", reason="files cannot be held there")
def test_it_is_known_whether_a_file_is_held(tmp_path):
    path = tmp_path / "events.jsonl"
    path.touch()
    assert not files.is_held(path)
    with files.alone(path):
        assert files.is_held(path)
    assert not files.is_held(path)
    with files.alone(path):
        pass


def test_lines_are_appended(tmp_path):
    files.append(tmp_path / "log", "one")
    files.append(tmp_path / "log", "two")
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_what_forks_off_does_not_hold_the_file_longer(tmp_path):
    import multiprocessing

    event = multiprocessing.get_context("fork").Event()
    child = multiprocessing.get_context("fork").Process(target=event.wait)
    with files.alone(tmp_path / "record"):
        child.start()
    try:
        with files.alone(tmp_path / "record"):
            assert child.is_alive()
    finally:
        event.set()
        child.join()


def test_a_growing_file_has_its_name_once_it_is_whole(tmp_path):
    path = tmp_path / "deep" / "a.csv"
    with files.growing(path) as write:
        write("one\n")
        assert files.unfinished(path).read_text() == "one\n"
        assert not path.exists()
        write("two\n")
    assert path.read_text() == "one\ntwo\n"
    assert [each.name for each in path.parent.iterdir()] == ["a.csv"]


def test_a_growing_file_that_is_broken_off_keeps_what_there_is(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("older")

    def broken_off():
        with files.growing(path) as write:
            write("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert path.read_text() == "older"
    assert files.unfinished(path).read_text() == "new"


def test_a_file_that_cannot_grow_is_a_sentence(tmp_path):
    (tmp_path / "a.csv.part").mkdir()
    with pytest.raises(RunError, match=r"cannot write .*a\.csv"), files.growing(tmp_path / "a.csv"):
        pass
