"""Which picture files a command line means: files, folders, patterns, and lists of files."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from residua.data import walk
from residua.errors import DataError

# Stands for a list of files on standard input.
LIST = "-"


def gather(words: Iterable[str], read_list: Callable[[], bytes]) -> list[Path]:
    """List the files that words mean, in the order of the words.

    A folder means the pictures in it and below it, by name. A pattern (`*`, `?`, `[...]`, and `**`
    for any folders) means what it matches, by name, unless a file has that very name. "-" means the
    files and folders of a list, one per line, or separated by zero bytes as `find -print0` does.
    A word that means no file is kept, for whoever opens it to say what is wrong with it.

    Args:
        words: of a command line.
        read_list: returns the list that "-" stands for.

    Raises:
        DataError: a folder cannot be looked into.
    """
    return [path for word in words for path in _meant(word, read_list)]


def _meant(word: str, read_list: Callable[[], bytes]) -> Iterator[Path]:
    if word == LIST:
        for name in _lines(read_list()):
            yield from _below(Path(name))
    elif glob.has_magic(word) and not Path(word).exists():
        found = sorted(glob.glob(word, recursive=True))  # noqa: PTH207 -- a word may be absolute
        for name in found or [word]:
            yield from _below(Path(name))
    else:
        yield from _below(Path(word))


def _lines(listed: bytes) -> Iterator[str]:
    """Yield the names in a list; a name may hold any bytes but those that part it from others."""
    separator = b"\0" if b"\0" in listed else b"\n"
    for line in listed.split(separator):
        name = line if separator == b"\0" else line.removesuffix(b"\r")
        if name:
            yield os.fsdecode(name)


def _below(path: Path) -> Iterator[Path]:
    """Yield the pictures in a folder and below; the path itself if it is none, or has none."""
    if not path.is_dir():
        yield path
        return
    try:
        found = walk.pictures(path).pictures
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{error.filename or path} cannot be looked into: {reason}") from None
    yield from (path / name for name in found) if found else (path,)
