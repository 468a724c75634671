"""What lies in a folder of pictures: files in one order on every machine, and what is left out."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from residua.data.pictures import SUFFIXES

# What operating systems and tools leave behind; folders of these names are not looked into.
CLUTTER = frozenset({"__macosx", "__pycache__", "$recycle.bin", "system volume information"})
LITTER = frozenset({"thumbs.db", "desktop.ini"})


@dataclass
class Found:
    """Pictures below a folder, as paths relative to it, and the endings of files left out."""

    pictures: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


def folders(root: Path) -> list[Path]:
    """List the visible folders in a folder, by name."""
    with os.scandir(root) as entries:
        found = [entry.name for entry in entries if _looked_into(entry)]
    return [root / name for name in sorted(found)]


def pictures(root: Path, *, below: bool = True) -> Found:
    """Find the pictures in a folder.

    Symbolic links are followed, but no folder is entered twice on one way down, so that a link to a
    folder above ends there.

    Args:
        root: the folder.
        below: look into its sub-folders too.
    """
    found = Found()
    for name in _files(str(root), "", below, ()):
        ending = os.path.splitext(name)[1].lower()  # noqa: PTH122 -- strings: there may be millions
        if ending in SUFFIXES:
            found.pictures.append(name)
        elif os.path.basename(name).lower() not in LITTER:  # noqa: PTH119
            found.ignored[ending or "no ending"] += 1
    return found


def _files(root: str, inner: str, below: bool, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    here = f"{root}/{inner}" if inner else root
    status = os.stat(here)  # noqa: PTH116
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        return
    with os.scandir(here) as entries:
        ranked = sorted(
            (entry.name, entry.is_dir(), _looked_into(entry))
            for entry in entries
            if not entry.name.startswith(".")
        )
    for name, is_folder, looked_into in ranked:
        path = f"{inner}/{name}" if inner else name
        if not is_folder:
            yield path
        elif below and looked_into:
            yield from _files(root, path, below, (*above, identity))


def _looked_into(entry: os.DirEntry[str]) -> bool:
    name = entry.name.lower()
    return entry.is_dir() and not name.startswith(".") and name not in CLUTTER
