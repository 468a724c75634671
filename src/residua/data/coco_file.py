"""Which COCO files lie at a path, what one of them holds, and where its pictures are."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from residua.data import walk
from residua.data.oddities import Oddities
from residua.data.recognise import NAMES
from residua.errors import DataError

# Bytes at the beginning of a file in which one of the keys stands.
HEAD = 4096
KEYS = (b'"images"', b'"annotations"', b'"categories"', b'"info"', b'"licenses"')


@dataclass(frozen=True)
class CocoFile:
    """What an annotation file holds.

    Args:
        path: of the file.
        images: each with `id` and `file_name`.
        annotations: each, as the file has it.
        names: of the categories, by their numbers.
        pictures: the folder of the pictures.
    """

    path: Path
    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    names: dict[int, str]
    pictures: Path

    def picture(self, name: str) -> Path:
        """Return where a picture lies that the file names."""
        return self.pictures / name


def find_files(path: Path) -> tuple[Path, dict[str, Path]]:
    """Find annotation files, by part; of "all" for a single one that is of no part.

    Returns:
        The folder of the set, and the files.

    Raises:
        DataError: there is none, or two would be of the same part.
    """
    if path.is_file():
        if not is_coco(path):
            raise DataError(
                f"{path} is no COCO file: it should be JSON with images and annotations"
            )
        return path.parent, {"all": path}
    if not path.is_dir():
        raise DataError(f"{path} is not there")
    candidates = _candidates(path)
    if not candidates:
        raise DataError(
            f"{path} holds no COCO file: it should have one in a folder annotations, or in each of "
            "train, valid and test"
        )
    if len(candidates) == 1:
        return path, {"all": candidates[0]}
    found: dict[str, Path] = {}
    for file in candidates:
        part = _part(file, path)
        if part is None or part in found:
            other = f" beside {found[part].name}" if part else ""
            raise DataError(
                f"{file}{other}: it is not clear which part it is of (its name, or that of its "
                "folder, should say train, val or test; or give the path of one file)"
            )
        found[part] = file
    return path, found


def has_files(path: Path) -> bool:
    """Say whether a path is a COCO file, or a folder that holds some where they belong."""
    return is_coco(path) if path.is_file() else path.is_dir() and bool(_candidates(path))


def is_coco(path: Path) -> bool:
    """Say whether a file begins like one of COCO's."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(HEAD).lstrip()
    return head.startswith(b"{") and any(key in head for key in KEYS)


def _candidates(root: Path) -> list[Path]:
    """List the files of the first place that has any; of several kinds, those of objects."""
    inside = walk.folders(root)
    aliases = {alias for names in NAMES.values() for alias in names}
    places = [
        [root / "annotations"],
        [folder for folder in inside if folder.name.lower() in aliases],
        [root],
    ]
    for place in places:
        found = [file for folder in place for file in sorted(folder.glob("[!.]*.json"))]
        found = [file for file in found if is_coco(file)]
        of_objects = [file for file in found if file.name.startswith("instances")]
        if found:
            return of_objects or found
    return []


def _part(file: Path, root: Path) -> str | None:
    """Say of which part a file is, by its own name or by that of its folder."""
    said = file.stem.lower() + ("" if file.parent == root else f" {file.parent.name.lower()}")
    words = set(re.findall(r"[a-z]+", said))
    return next((part for part in ("train", "test", "validation") if words & {*NAMES[part]}), None)


def read(path: Path, root: Path, odd: Oddities) -> CocoFile:
    """Read an annotation file.

    Raises:
        DataError: it is no JSON, or lacks images, annotations or categories.
    """
    try:
        held = json.loads(path.read_bytes())
        images, annotations = list(held["images"]), list(held["annotations"])
        names = {int(one["id"]): str(one["name"]) for one in held["categories"]}
        files = {image["id"]: image["file_name"] for image in images}
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise DataError(f"{path} cannot be read as a COCO file: {what}") from None
    if not images or not names:
        raise DataError(f"{path} has {len(images)} images and {len(names)} categories")
    if len(files) != len(images):
        raise DataError(f"{path} gives {len(images) - len(files):,} images an id that another has")
    for number in _dummies(held["categories"], annotations):
        odd.note("dummy", f"{names.pop(number)} in {path.name}")
    _check_names(path, names)
    return CocoFile(path, images, annotations, names, _pictures(path, root, list(files.values())))


def _dummies(categories: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> list[int]:
    """List categories that have no objects and after which others are grouped."""
    used = {annotation.get("category_id") for annotation in annotations}
    groups = Counter(one.get("supercategory") for one in categories)
    return [
        int(one["id"])
        for one in categories
        if one["id"] not in used and groups[one["name"]] > (one.get("supercategory") == one["name"])
    ]


def _check_names(path: Path, names: dict[int, str]) -> None:
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    if twice:
        raise DataError(f"{path} has two categories of the name {twice[0]}: rename one of them")


def _pictures(path: Path, root: Path, names: list[str]) -> Path:
    """Find the folder in which most of a file's pictures are, of those where they usually are."""
    year = path.stem.removeprefix("instances_")
    above = path.parent.parent if path.parent.name == "annotations" else path.parent
    places = [
        path.parent,
        above,
        above / "images",
        above / year,
        above / "images" / year,
        path.parent / "images",
        root,
        root / "images",
        *walk.folders(above),
    ]
    sample = names[:: max(1, len(names) // 20)]
    # The first of those that have equally many.
    return max(places, key=lambda place: sum((place / name).is_file() for name in sample))
