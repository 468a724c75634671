"""Where data sets lie on this machine, and how those that are missing come to it.

A data set is looked for in the folder that the settings name, else in the one that RESIDUA_DATA
names, else in the cache of the user. What is not there is fetched to it, unless RESIDUA_OFFLINE is
set.
"""

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from residua.data.download import Remote, fetch
from residua.data.loading import Origin
from residua.data.progress import shown
from residua.data.unpack import unpacked
from residua.errors import DataError, DataWarning

VARIABLE = "RESIDUA_DATA"

_FETCHING = ContextVar("fetching", default=True)


@dataclass(frozen=True)
class File:
    """One file of a data set.

    Args:
        sums: the MD5 of the authors' file under each of the names that it may have, the preferred
            first.
        remote: where it is fetched from, under the last of its names; None if in the archive.
    """

    sums: Mapping[str, str]
    remote: Remote | None = None

    def within(self, folder: Path) -> Path | None:
        """Find the file in a folder."""
        return next((folder / name for name in self.sums if (folder / name).is_file()), None)


@dataclass(frozen=True)
class Source:
    """A data set as its authors distribute it.

    Args:
        title: its name in sentences.
        home: the folder of its files, below that of all data sets.
        files: all of them.
        archive: what holds them; None if they are fetched one by one.
        loose: look for the files also beside the home, in the folder of all data sets itself.
    """

    title: str
    home: str
    files: tuple[File, ...]
    archive: Remote | None = None
    loose: bool = False


def find(source: Source, folder: str | None) -> list[Path]:
    """Find the files of a data set, and fetch those that are missing.

    Args:
        source: the data set.
        folder: that holds its home, or its files; None for that of all data sets.

    Returns:
        The paths, in the order of `source.files`.

    Raises:
        DataError: the folder is not there, or what is missing cannot be, or is not to be, fetched.
    """
    top = _top(folder)
    home = _home(source, top, loose=source.loose or folder is not None)
    if _missing(source, home):
        if not _FETCHING.get():
            raise DataError(f"{source.title} is not in {home}, and is not to be fetched now")
        with one_at_a_time(top):
            # By now another process may have fetched them.
            if missing := _missing(source, home):
                _obtain(source, missing, top, home)
    paths = [file.within(home) for file in source.files]
    return [path for path in paths if path is not None]


@contextmanager
def nothing_fetched() -> Iterator[None]:
    """For a while, refuse data sets that are not on this machine instead of fetching them."""
    before = _FETCHING.set(False)
    try:
        yield
    finally:
        _FETCHING.reset(before)


def origin(source: Source, paths: Sequence[Path], sums: Sequence[str]) -> Origin:
    """Say which files these are; warn, in one sentence, if they are not the authors' byte for byte.

    Args:
        source: the data set.
        paths: what `find` returned, well formed.
        sums: the MD5 of each.
    """
    foreign = [
        path.name
        for file, path, found in zip(source.files, paths, sums, strict=True)
        if found != file.sums[path.name]
    ]
    if foreign:
        which = "none of the files is" if len(foreign) == len(paths) else f"{foreign[0]} is not"
        others = f" (nor {', '.join(foreign[1:])})" if 1 < len(foreign) < len(paths) else ""
        warnings.warn(
            f"{source.title} in {paths[0].parent} is well formed, but {which} byte for byte as its "
            f"authors distribute it{others}",
            DataWarning,
            stacklevel=3,
        )
    known = {path.name: found for path, found in zip(paths, sums, strict=True)}
    return Origin(source.title, known, tuple(foreign))


def md5(paths: Sequence[Path]) -> list[str]:
    """Return the MD5 of each file; it tells files apart, and proves no good intention."""
    sums = []
    for path in paths:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
        sums.append(found.hexdigest())
    return sums


def cache() -> Path:
    """Return the folder of what was fetched without a place being named; it may not exist yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "residua"


def obtain(remote: Remote, path: Path) -> None:
    """Fetch a file, and show how far it is where a person looks at a terminal.

    Raises:
        DataError: it could not be fetched.
    """
    with shown(path.name) as progress:
        fetch(remote, path, progress=progress)


def _top(folder: str | None) -> Path:
    """Return the folder of all data sets; only the cache is made, as others may be mistyped."""
    named = folder or os.environ.get(VARIABLE)
    if not named:
        return cache()
    path = Path(named).expanduser()
    if not path.is_dir():
        said = "--data.folder" if folder else VARIABLE
        raise DataError(f"{said} names {path}, which is not a folder (make it, or name another)")
    return path


def _home(source: Source, top: Path, *, loose: bool) -> Path:
    """Choose the folder in which most of the files are."""
    homes = [top / source.home, *([top] if loose else [])]
    return min(homes, key=lambda home: len(_missing(source, home)))


def _missing(source: Source, home: Path) -> list[File]:
    return [file for file in source.files if file.within(home) is None]


def _obtain(source: Source, missing: Sequence[File], top: Path, home: Path) -> None:
    """Fetch the files that are missing; those that are there stay as they are."""
    if source.archive is None:
        for file in missing:
            assert file.remote is not None
            obtain(file.remote, home / list(file.sums)[-1])
        return
    archive = top / source.archive.urls[0].rpartition("/")[2]
    brought = archive.exists()
    obtain(source.archive, archive)
    with unpacked(archive, top) as folder:
        for file in missing:
            path = file.within(folder / source.home)
            if path is None:
                raise DataError(f"{archive} does not hold {source.home}/{next(iter(file.sums))}")
            home.mkdir(parents=True, exist_ok=True)
            path.replace(home / path.name)
    if not brought:
        archive.unlink()


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until no other process fetches to a folder, where the operating system can tell."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"cannot use {folder}: {reason} (choose another with {VARIABLE})") from None
    try:
        # Some file systems of networks cannot lock.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
