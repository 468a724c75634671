"""Unpack archives that others made: never outside the folder, and whole or not at all."""

import gzip
import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from residua.errors import DataError

# What reading a damaged archive may raise, besides an error of the disk.
FAULTS = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    gzip.BadGzipFile,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


@contextmanager
def unpacked(archive: Path, beside: Path) -> Iterator[Path]:
    """Unpack a .tar, .tar.gz, .zip or .gz to a folder that is gone afterwards.

    Move out of it what is wanted: it lies on the same disk.

    Args:
        archive: the file; the end of its name says its kind.
        beside: the folder in which the folder is made.

    Raises:
        DataError: the archive is damaged, is of no known kind, wants to write outside the folder,
            or the disk is full.
    """
    with _explained(archive, beside):
        made = tempfile.TemporaryDirectory(prefix=".unpacking-", dir=beside)
    with made as name:
        folder = Path(name)
        with _explained(archive, beside):
            _unpack(archive, folder)
        yield folder


def _unpack(archive: Path, folder: Path) -> None:
    name = archive.name.lower()
    if name.endswith((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")):
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    elif name.endswith(".zip"):
        with zipfile.ZipFile(archive) as zipped:
            for member in zipped.namelist():
                _refuse_outside(archive, member)
            zipped.extractall(folder)
    elif name.endswith(".gz"):
        with gzip.open(archive) as packed, (folder / archive.name[:-3]).open("xb") as file:
            shutil.copyfileobj(packed, file)
    else:
        raise DataError(f"{archive} is no archive of a known kind (.tar, .tar.gz, .zip or .gz)")


def _refuse_outside(archive: Path, member: str) -> None:
    """Refuse what zipfile would quietly write elsewhere than the archive says."""
    for path in (PurePosixPath(member), PureWindowsPath(member)):
        if path.is_absolute() or path.drive or ".." in path.parts:
            raise DataError(f"{archive} holds {member}, which does not belong in a folder: refused")


@contextmanager
def _explained(archive: Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except tarfile.FilterError as error:
        raise DataError(f"{archive} holds what does not belong in a folder: {error}") from None
    except FAULTS as error:
        # The reader of tar lists on further lines what each kind of packing made of it.
        reason = str(error).partition("\n")[0].rstrip(":")
        raise DataError(
            f"{archive} is damaged: {reason} (put a whole one in its place, or move it away to "
            "have it fetched again)"
        ) from None
    except OSError as error:
        raise DataError(
            f"cannot unpack {archive} in {folder}: {(error.strerror or str(error)).lower()} "
            "(the archive is kept; make room, or choose another folder)"
        ) from error
