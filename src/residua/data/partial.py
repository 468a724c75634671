"""The part of a file that has come so far: on the disk beside its place, with its checksum."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from residua.errors import DataError

CHUNK = 1 << 16


class Part:
    """What has come of a file so far, in `NAME.part`; it is taken up if it is there.

    Args:
        path: where the whole file shall be.
        checksum: of the whole file: its algorithm, a colon, and the first hexadecimal digits.

    Raises:
        DataError: the folder cannot be made, or the part cannot be read.
    """

    def __init__(self, path: Path, checksum: str) -> None:
        self.path = path.with_name(f"{path.name}.part")
        self.algorithm, _, self.expected = checksum.partition(":")
        self._begin()
        with _explained(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists():
                with self.path.open("rb") as file:
                    while piece := file.read(CHUNK):
                        self._count(piece)

    def _begin(self) -> None:
        self.size = 0
        self._sum = hashlib.new(self.algorithm, usedforsecurity=False)

    def _count(self, piece: bytes) -> None:
        self._sum.update(piece)
        self.size += len(piece)

    @property
    def found(self) -> str:
        """As many digits of the checksum of what is here as are known of the whole file."""
        return self._sum.hexdigest()[: len(self.expected)]

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole file."""
        return self.found == self.expected

    @contextmanager
    def opened(self, total: int | None) -> Iterator[FileIO]:
        """Open it for more, if the disk has room for the rest.

        Args:
            total: bytes of the whole file; None if not known.

        Raises:
            DataError: there is no room, or it cannot be written.
        """
        with _explained(self.path):
            free = shutil.disk_usage(self.path.parent).free
            file = FileIO(self.path, "a")
        with file:
            if total is not None and total - self.size > free:
                raise DataError(
                    f"the disk has no room for {self.path}: {total - self.size:,} bytes are still "
                    f"to come, {free:,} are free (make room and start again, or choose another "
                    "folder)"
                )
            yield file

    def append(self, file: FileIO, piece: bytes) -> None:
        """Write a piece behind what is here.

        Raises:
            DataError: it cannot be written; what could be is kept.
        """
        rest = memoryview(piece)
        with _explained(self.path):
            while rest:
                rest = rest[file.write(rest) :]
        self._count(piece)

    def discard(self) -> None:
        """Throw it away, to begin anew."""
        with _explained(self.path):
            self.path.unlink(missing_ok=True)
        self._begin()

    def become(self, path: Path) -> Path:
        """Move it to its place in one step."""
        with _explained(path):
            with self.path.open("rb") as file:
                os.fsync(file.fileno())
            self.path.replace(path)
        return path


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn a failure to read or write into a sentence."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        reason = "the disk is full" if full else (error.strerror or str(error)).lower()
        raise DataError(
            f"cannot write {path}: {reason} (what has come is kept: make room and start again, or "
            "choose another folder)"
        ) from error
