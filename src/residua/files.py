"""Files that are either whole or not there: written beside their place, then moved into it."""

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path

from residua.errors import RunError


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a failure to write into a sentence.

    Raises:
        RunError: the disk is full, read-only, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        reason = "the disk is full" if full else (error.strerror or str(error)).lower()
        raise RunError(
            f"cannot write {path}: {reason}; what was written before is intact (make room, or "
            "choose another folder with --runs)"
        ) from error


def write(path: Path, content: bytes | str) -> None:
    """Write a file in one step: after a crash the old content or the new is there, never a part.

    Raises:
        RunError: it could not be written; the old file is as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
        try:
            with beside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def unfinished(path: Path) -> Path:
    """Name the file that `growing` writes to."""
    return path.with_name(f"{path.name}.part")


@contextmanager
def growing(path: Path) -> Iterator[Callable[[str], None]]:
    """Write a file piece by piece as FILE.part, which is renamed once it is whole.

    If the work is broken off, what was written stays there, and an older file is as it was.

    Raises:
        RunError: it could not be written.
    """
    part = unfinished(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = part.open("wb")

    def write(text: str) -> None:
        with explained(path):
            file.write(text.encode())
            file.flush()

    with file:
        yield write
        with explained(path):
            os.fsync(file.fileno())
    with explained(path):
        part.replace(path)


def sweep(folder: Path) -> None:
    """Remove what a killed process left half written below a folder that is this process's."""
    for path in folder.rglob(f".*.*-{'[0-9a-f]' * 8}"):
        path.unlink(missing_ok=True)


# Files that this process holds. What forks off it gets them too, and would hold them longer.
_held: set[BufferedWriter] = set()


def _let_go() -> None:
    for file in _held:
        file.close()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a file for this process alone, where the operating system can (not on Windows).

    Raises:
        RunError: another process holds it.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"another process is at work on {path.parent}: wait for it") from None
        _held.add(file)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
            _held.discard(file)


def is_held(path: Path) -> bool:
    """Tell whether a process holds a file, where the operating system can (not on Windows)."""
    try:
        import fcntl
    except ImportError:
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def append(path: Path, line: str) -> None:
    """Append one line, in a single call of the operating system.

    Raises:
        RunError: it could not be written.
    """
    with explained(path), path.open("ab", buffering=0) as file:
        file.write(f"{line}\n".encode())
