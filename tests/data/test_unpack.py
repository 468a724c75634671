import errno
import gzip
import io
import shutil
import tarfile
import zipfile

import pytest

from residua.data import unpack
from residua.data.unpack import unpacked
from residua.errors import DataError

FILES = {"set/a.txt": b"a" * 5000, "set/deep/b.txt": b"b"}


def tarred(path, files=FILES, **odd):
    with tarfile.open(path, "w:gz" if path.suffix in {".gz", ".tgz"} else "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for key, value in odd.items():
                setattr(member, key, value)
            tar.addfile(member, io.BytesIO(content))
    return path


def zipped(path, files=FILES):
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("make", "name"),
    [(tarred, "x.tar.gz"), (tarred, "x.tgz"), (tarred, "x.tar"), (zipped, "x.zip")],
)
def test_an_archive_is_unpacked_for_a_while(tmp_path, make, name):
    archive = make(tmp_path / name)
    with unpacked(archive, tmp_path) as folder:
        assert folder.parent == tmp_path
        for inner, content in FILES.items():
            assert (folder / inner).read_bytes() == content
    assert list(tmp_path.iterdir()) == [archive]


def test_a_packed_file_is_unpacked(tmp_path):
    (tmp_path / "a.bin.gz").write_bytes(gzip.compress(b"content"))
    with unpacked(tmp_path / "a.bin.gz", tmp_path) as folder:
        assert (folder / "a.bin").read_bytes() == b"content"


@pytest.mark.parametrize("name", ["../evil", "/evil-of-residua", "a/../../evil"])
@pytest.mark.parametrize(("make", "kind"), [(tarred, "tar.gz"), (zipped, "zip")])
def test_nothing_is_written_outside(tmp_path, make, kind, name):
    archive = make(tmp_path / f"x.{kind}", {name: b"evil"})
    beside = tmp_path / "beside"
    beside.mkdir()
    if make is tarred and name.startswith("/"):
        # The first slash is dropped, as tar itself does.
        with unpacked(archive, beside) as folder:
            assert (folder / name[1:]).read_bytes() == b"evil"
    else:
        with (
            pytest.raises(DataError, match="does not belong in a folder"),
            unpacked(archive, beside),
        ):
            pass
    assert not (tmp_path / "evil").exists()
    assert list(beside.iterdir()) == []


@pytest.mark.parametrize("odd", [{"type": tarfile.SYMTYPE, "linkname": "/etc"}, {"type": b"4"}])
def test_links_outside_and_devices_are_refused(tmp_path, odd):
    archive = tarred(tmp_path / "x.tar", {"link": b""}, **odd)
    with pytest.raises(DataError, match="does not belong"), unpacked(archive, tmp_path):
        pass
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize(("make", "kind"), [(tarred, "tar.gz"), (tarred, "tar"), (zipped, "zip")])
@pytest.mark.parametrize("fault", ["cut", "noise", "empty"])
def test_a_damaged_archive_is_a_sentence_and_stays(tmp_path, make, kind, fault):
    archive = make(tmp_path / f"x.{kind}")
    content = archive.read_bytes()
    size = len(content)
    cut = content[: 700 if kind == "tar" else size // 2]
    archive.write_bytes({"cut": cut, "noise": b"\x01noise" * size, "empty": b""}[fault])
    with pytest.raises(DataError, match=r"is damaged: .*move it away"), unpacked(archive, tmp_path):
        pass
    assert list(tmp_path.iterdir()) == [archive]


def test_a_flipped_byte_is_found(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"content" * 100)[:-5] + b"wrong")
    with pytest.raises(DataError, match="is damaged"), unpacked(tmp_path / "a.gz", tmp_path):
        pass


def test_another_kind_is_refused(tmp_path):
    (tmp_path / "x.rar").write_bytes(b"Rar!")
    with (
        pytest.raises(DataError, match="no archive of a known kind"),
        unpacked(tmp_path / "x.rar", tmp_path),
    ):
        pass


def test_a_full_disk_is_a_sentence_and_nothing_is_left(tmp_path, monkeypatch):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"content"))

    def full(source, target):
        target.write(b"con")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(unpack.shutil, "copyfileobj", full)
    with (
        pytest.raises(DataError, match=r"no space left on device \(the archive is kept"),
        unpacked(tmp_path / "a.gz", tmp_path),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["a.gz"]
    assert shutil.copyfileobj is full
