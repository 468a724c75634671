"""Labels that stand in a file beside a flat folder of pictures.

Sources:
    [I] ILSVRC2012 development kit, readme.txt: ILSVRC2012_validation_ground_truth.txt has one
        number per line, ILSVRC2012_ID in 1..1000, in the order of the files' names; meta.mat says
        which synset has which number.
"""

import csv
import os
import re
from collections.abc import Sequence
from pathlib import Path

from residua.data.pictures import SUFFIXES
from residua.errors import DataError

# Where such a file lies, from the folder of the pictures or the one above it.
PLACES = (
    "{part}.txt",
    "{part}_labels.txt",
    "{part}_annotations.txt",
    "{part}.csv",
    "{part}_map.txt",
    "labels.txt",
    "labels.csv",
    "LOC_{part}_solution.csv",
    "ILSVRC2012_validation_ground_truth.txt",
    "ILSVRC2012_validation_synset_labels.txt",
    "imagenet_2012_validation_synset_labels.txt",
    "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt",
    "devkit/data/ILSVRC2012_validation_ground_truth.txt",
    "data/ILSVRC2012_validation_ground_truth.txt",
)


def beside(folder: Path, *, up_to: Path) -> Path | None:
    """Find the label file of a flat folder of pictures, in it or above it up to a folder."""
    names = {"validation": "val", "valid": "val"}
    part = names.get(folder.name.lower(), folder.name.lower())
    places, here = [folder], folder
    while here != up_to and up_to in here.parents:
        here = here.parent
        places.append(here)
    candidates = (place / name.format(part=part) for place in places for name in PLACES)
    return next((path for path in candidates if path.is_file()), None)


def read(path: Path, pictures: Sequence[str], classes: Sequence[str]) -> dict[str, int]:
    """Read which picture has which class.

    A line is a class for the picture of that rank by name, or a picture and its class. A class is
    named, or numbered: from 1 by the order of meta.mat beside ILSVRC2012's ground truth ([I]), else
    from 0 by the order of the names.

    Args:
        path: of the label file.
        pictures: paths of the pictures; their names are what the file speaks of.
        classes: names, in the order of the labels.

    Returns:
        The label of every picture that the file speaks of, by its path.

    Raises:
        DataError: the file has another number of lines, or names a class that is not there.
    """
    rows = _rows(path)
    if not rows:
        raise DataError(f"{path} is empty: it should say the class of each picture")
    if all(len(row) == 1 for row in rows):
        ordered = sorted(pictures, key=os.path.basename)
        if len(rows) != len(ordered):
            raise DataError(
                f"{path} has {len(rows):,} lines for {len(ordered):,} pictures: it needs one for "
                "each, in the order of their names"
            )
        pairs = [(name, row[0]) for name, row in zip(ordered, rows, strict=True)]
    else:
        known = {_stem(name): name for name in pictures}
        # A first line of headings speaks of no picture; nor do lines about pictures not here.
        pairs = [(known[_stem(row[0])], row[1]) for row in rows if _stem(row[0]) in known]
    number = _numbering(path, [word for _, word in pairs], classes)
    try:
        return {name: number[word] for name, word in pairs}
    except KeyError as missing:
        raise DataError(
            f"{path} has the class {missing.args[0]}, which no folder to learn from is named after"
        ) from None


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text: {error}") from None
    lines = [line for line in text.splitlines() if line.strip()]
    if path.suffix.lower() == ".csv":
        # Kaggle's file of ImageNet goes on with boxes after the first class.
        return [
            [cell.split()[0] if cell.split() else "" for cell in row] for row in csv.reader(lines)
        ]
    return [line.split("\t") if "\t" in line else line.split() for line in lines]


def _numbering(path: Path, words: Sequence[str], classes: Sequence[str]) -> dict[str, int]:
    """Say which label a word of the file stands for."""
    named = {name: label for label, name in enumerate(classes)}
    if not all(re.fullmatch(r"\d+", word) for word in words) or all(w in named for w in words):
        return named
    if path.name == "ILSVRC2012_validation_ground_truth.txt":
        synsets = _synsets(path)
        return {str(i): named[name] for i, name in synsets.items() if name in named}
    return {str(label): label for label in range(len(classes))}


def _synsets(truth: Path) -> dict[int, str]:
    """Read which synset has which ILSVRC2012_ID from the meta.mat beside the ground truth ([I])."""
    path = truth.with_name("meta.mat")
    if not path.is_file():
        raise DataError(
            f"{truth} numbers the classes by ILSVRC2012_ID, and {path.name} that says which these "
            f"are is not beside it: put it there (both are in ILSVRC2012_devkit_t12.tar.gz)"
        )
    from scipy.io import loadmat

    try:
        table = loadmat(path, squeeze_me=True)["synsets"]
        return {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in table}
    except Exception as error:  # A damaged file fails in SciPy in many ways.
        raise DataError(f"{path} is not the meta.mat of ILSVRC2012: {error}") from None


def _stem(name: str) -> str:
    """Return the name of a file without its folder, and without the ending of a picture."""
    stem, ending = os.path.splitext(os.path.basename(name))  # noqa: PTH119, PTH122
    return stem if ending.lower() in SUFFIXES else stem + ending
