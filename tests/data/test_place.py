import hashlib
import io
import subprocess
import sys
import tarfile

import pytest

from residua.data import place
from residua.data.download import Remote
from residua.data.place import File, Source, find
from residua.errors import DataError

CONTENTS = {"one": b"first", "two": b"second"}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    monkeypatch.delenv("RESIDUA_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def tar(contents):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def remote(server, name, content):
    server.files[name] = content
    return Remote((f"{server.url}/{name}",), f"md5:{hashlib.md5(content).hexdigest()}")


@pytest.fixture
def packed(server):
    """A data set of two files in an archive."""
    archive = tar({f"set/{name}": content for name, content in CONTENTS.items()})
    return Source(
        title="Set",
        home="set",
        files=tuple(File({name: ""}) for name in CONTENTS),
        archive=remote(server, "set.tar.gz", archive),
    )


@pytest.fixture
def loose(server):
    """A data set of two files that are fetched one by one, each with two names."""
    return Source(
        title="Set",
        home="deep/set",
        files=tuple(
            File({name: "", f"{name}.gz": ""}, remote(server, f"{name}.gz", content))
            for name, content in CONTENTS.items()
        ),
    )


def read(paths):
    return [path.read_bytes() for path in paths]


@pytest.mark.parametrize("which", ["packed", "loose"])
def test_what_is_missing_is_fetched_to_the_cache_once(request, server, tmp_path, which):
    source = request.getfixturevalue(which)
    paths = find(source, None)
    assert read(paths) == [b"first", b"second"]
    assert {path.parent for path in paths} == {tmp_path / "cache/residua" / source.home}
    asked = len(server.asked)
    assert find(source, None) == paths
    assert len(server.asked) == asked
    everything = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert sorted(everything) == sorted(paths)


@pytest.mark.parametrize("which", ["packed", "loose"])
def test_the_variable_names_the_folder_of_all_data_sets(request, tmp_path, monkeypatch, which):
    source = request.getfixturevalue(which)
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("RESIDUA_DATA", str(tmp_path / "data"))
    assert find(source, None)[0].parent == tmp_path / "data" / source.home
    assert not (tmp_path / "cache").exists()


def test_an_empty_variable_is_none(packed, tmp_path, monkeypatch):
    monkeypatch.setenv("RESIDUA_DATA", "")
    assert find(packed, None)[0].parent == tmp_path / "cache/residua/set"


def test_the_settings_go_before_the_variable(packed, tmp_path, monkeypatch):
    monkeypatch.setenv("RESIDUA_DATA", str(tmp_path / "not there"))
    (tmp_path / "mine").mkdir()
    assert find(packed, str(tmp_path / "mine"))[0].parent == tmp_path / "mine/set"


def test_a_folder_that_is_not_there_is_a_sentence(packed, server, tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"--data\.folder names .*typo, which is not a folder"):
        find(packed, str(tmp_path / "typo"))
    monkeypatch.setenv("RESIDUA_DATA", str(tmp_path / "typo"))
    with pytest.raises(DataError, match=r"RESIDUA_DATA names .*typo, which is not a folder"):
        find(packed, None)
    assert server.asked == []


@pytest.mark.parametrize("which", ["packed", "loose"])
def test_only_what_is_missing_is_added(request, tmp_path, which):
    source = request.getfixturevalue(which)
    home = tmp_path / "mine" / source.home
    home.mkdir(parents=True)
    (home / "two").write_bytes(b"mine")
    paths = find(source, str(tmp_path / "mine"))
    assert read(paths) == [b"first", b"mine"]
    assert {path.parent for path in paths} == {home}


def test_files_directly_in_the_folder_of_the_settings_are_found(packed, server, tmp_path):
    for name in CONTENTS:
        (tmp_path / name).write_bytes(b"mine")
    assert read(find(packed, str(tmp_path))) == [b"mine", b"mine"]
    (tmp_path / "one").unlink()
    assert read(find(packed, str(tmp_path))) == [b"first", b"mine"]


def test_a_folder_of_the_name_of_a_file_is_none(packed, tmp_path):
    (tmp_path / "one").mkdir()
    assert find(packed, str(tmp_path))[0] == tmp_path / "set/one"


def test_an_archive_brought_by_hand_is_used_and_kept(packed, server, tmp_path):
    archive = tmp_path / "set.tar.gz"
    archive.write_bytes(tar({"set/one": b"other", "set/two": b"words"}))
    assert read(find(packed, str(tmp_path))) == [b"other", b"words"]
    assert archive.exists()
    assert server.asked == []


def test_a_damaged_archive_is_a_sentence_and_nothing_is_lost(packed, tmp_path):
    archive = tmp_path / "set.tar.gz"
    archive.write_bytes(tar(CONTENTS)[:-20])
    (tmp_path / "set").mkdir()
    (tmp_path / "set/two").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"set\.tar\.gz is damaged: .*move it away"):
        find(packed, str(tmp_path))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["set", "set.tar.gz", "two"]


def test_an_archive_of_something_else_is_a_sentence(packed, tmp_path):
    (tmp_path / "set.tar.gz").write_bytes(tar({"set/one": b"first"}))
    with pytest.raises(DataError, match=r"set\.tar\.gz does not hold set/two"):
        find(packed, str(tmp_path))


def test_without_leave_to_fetch_the_place_for_a_file_is_said(packed, server, tmp_path, monkeypatch):
    monkeypatch.setenv("RESIDUA_OFFLINE", "1")
    with pytest.raises(DataError, match=r"cache/residua/set\.tar\.gz is not there, .*OFFLINE"):
        find(packed, None)
    assert server.asked == []


def test_a_cache_that_cannot_be_made_is_a_sentence(packed, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot use .*file/residua: .*RESIDUA_DATA"):
        find(packed, None)


def test_processes_that_need_the_same_files_fetch_them_once(packed, server):
    program = f"""
from residua.data.place import File, Source, find
from residua.data.download import Remote
source = Source("Set", "set", (File({{"one": ""}}), File({{"two": ""}})), {packed.archive!r})
print([path.read_bytes() for path in find(source, None)])
"""
    server.faults = ["slow"]
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    printed = [process.communicate(timeout=60)[0] for process in processes]
    assert printed == ["[b'first', b'second']\n"] * 3
    assert server.asked == [("set.tar.gz", None)]


def test_nothing_is_printed_where_there_is_no_terminal(packed, capfd):
    find(packed, None)
    assert capfd.readouterr() == ("", "")


def test_a_terminal_sees_a_bar(packed, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    find(packed, None)
    printed = capsys.readouterr()
    assert "fetching set.tar.gz" in printed.err
    assert printed.out == ""


def test_sums_tell_files_apart(tmp_path):
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    expected = [hashlib.md5(content).hexdigest() for content in CONTENTS.values()]
    assert place.md5([tmp_path / name for name in CONTENTS]) == expected
