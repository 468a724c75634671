"""Detections in files: the JSON in which COCO takes results, from any detector.

    [{"image_id": 42, "category_id": 18, "bbox": [x, y, width, height], "score": 0.236}, ...]

`image_id` is the name of a picture: of a VOC tree the file's name without its ending, of a COCO set
the number of the image. `category_id` is that of the COCO set; a VOC tree has none, so there k
stands for the k-th class, from 1. Read are also names of classes and numbers written as text.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import torch

from residua import files
from residua.detect.found import Found
from residua.errors import DataError, closest

KEYS = ("image_id", "category_id", "bbox", "score")


# The corners of a box, its score and its label.
Detection = tuple[list[float], float, int]


class _Fault(Exception):  # noqa: N818
    """What is wrong with one detection."""


def write(
    path: Path,
    found: Sequence[Found],
    names: Sequence[str],
    *,
    categories: Sequence[int] | None = None,
) -> None:
    """Write the detections of a set, so that `read` gives them back bit for bit.

    Args:
        path: of the file.
        found: detections of each picture.
        names: of the pictures; numbers are written as numbers.
        categories: the number of each class; by default 1 to K.

    Raises:
        RunError: it could not be written; an older file of that name is as it was.
    """
    lines = [
        json.dumps(
            {
                "image_id": int(name) if _is_number(name) else name,
                "category_id": categories[label - 1] if categories else label,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "score": score,
            }
        )
        for each, name in zip(found, names, strict=True)
        for (x1, y1, x2, y2), score, label in zip(
            each.boxes_D4.double().tolist(),
            each.scores_D.double().tolist(),
            each.labels_D.tolist(),
            strict=True,
        )
    ]
    files.write(path, "[" + ",\n".join(lines) + "]\n")


def read(
    path: Path,
    names: Sequence[str],
    classes: Sequence[str],
    *,
    categories: Sequence[int] | None = None,
) -> list[Found]:
    """Read the detections of a set.

    Args:
        path: of the file.
        names: of the pictures, in the order of what is returned.
        classes: K names, in the order of the labels.
        categories: the number of each class; by default 1 to K.

    Returns:
        What was found in each picture; nothing in those that the file does not speak of.

    Raises:
        DataError: the file is not there or holds something else; or a detection is of an unknown
            picture or class, has a score that is not a number, or a box that is none.
    """
    items = _items(path)
    pictures, labels = _pictures(names), _labels(classes, categories)
    parts: list[list[Detection]] = [[] for _ in names]
    faults: dict[str, list[tuple[int, str]]] = {}
    for number, item in enumerate(items, start=1):
        try:
            picture, detection = _detection(item, pictures, labels)
            parts[picture].append(detection)
        except _Fault as fault:
            kind, words = fault.args
            faults.setdefault(kind, []).append((number, words))
    if faults:
        raise DataError(_sentence(path, faults, len(items)))
    return [_found(part) for part in parts]


def _items(path: Path) -> list[Any]:
    if not path.is_file():
        raise DataError(f"{path} is not there")
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not JSON: {error}") from None
    if isinstance(held, dict) and isinstance(held.get("annotations"), list):
        held = held["annotations"]
    if not isinstance(held, list):
        raise DataError(
            f"{path} holds no list of detections: it should be [{{{', '.join(KEYS)}}}, ...], as "
            "COCO takes results"
        )
    return held


def _detection(
    item: Any, pictures: Callable[[Any], int], labels: Callable[[Any], int]
) -> tuple[int, Detection]:
    if not isinstance(item, dict) or not set(KEYS) <= item.keys():
        lacking = [key for key in KEYS if not isinstance(item, dict) or key not in item]
        raise _Fault("incomplete", f"lacks {', '.join(lacking)}")
    score, box = _number(item["score"]), item["bbox"]
    if not math.isfinite(score):
        raise _Fault("score", f"has the score {item['score']!r}, which is not a finite number")
    sides = [_number(side) for side in box] if isinstance(box, list) else []
    if len(sides) != 4 or not all(map(math.isfinite, sides)):
        raise _Fault("box", f"has the bbox {box!r}, which is not x, y, width and height in numbers")
    x, y, width, height = sides
    if min(width, height) < 0:
        raise _Fault(
            "size",
            f"has the bbox {box!r}, which is {width:g} wide and {height:g} high (is it x1, y1, x2, "
            "y2? COCO's is x, y, width, height)",
        )
    picture, label = pictures(item["image_id"]), labels(item["category_id"])
    return picture, ([x, y, x + width, y + height], score, label)


def _number(value: Any) -> float:
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return math.nan


def _pictures(names: Sequence[str]) -> Callable[[Any], int]:
    """Find a picture by its name, with the ending of a file or not, or by its number."""
    exact = {name: index for index, name in enumerate(names)}
    numbers = Counter(int(name) for name in names if name.isdecimal())
    by_number = {
        int(name): index
        for name, index in exact.items()
        if name.isdecimal() and numbers[int(name)] == 1
    }

    def find(given: Any) -> int:
        text = str(given)
        for word in (text, PurePath(text).stem):
            if word in exact:
                return exact[word]
            if word.isdecimal() and int(word) in by_number:
                return by_number[int(word)]
        hint = closest(text, names)
        raise _Fault(
            "picture", f"is of the picture {text!r}, which is not among the {len(names):,}{hint}"
        )

    return find


def _labels(classes: Sequence[str], categories: Sequence[int] | None) -> Callable[[Any], int]:
    """Find a class by its number, or by its name, which goes before a number written as text."""
    ids = categories or range(1, len(classes) + 1)
    by_number = {number: label for label, number in enumerate(ids, start=1)}
    by_name = {name: label for label, name in enumerate(classes, start=1)}
    small = Counter(name.casefold() for name in classes)
    by_small = {
        name.casefold(): label for name, label in by_name.items() if small[name.casefold()] == 1
    }

    def find(given: Any) -> int:
        if isinstance(given, str):
            if given in by_name:
                return by_name[given]
            if given.casefold() in by_small:
                return by_small[given.casefold()]
        number = _number(given)
        if number in by_number:
            return by_number[int(number)]
        hint = closest(str(given), classes)
        known = f"{min(ids)} to {max(ids)}" if len(classes) else "none"
        raise _Fault(
            "class",
            f"is of the class {given!r}, which is neither a name nor a number ({known}) of one of "
            f"the {len(classes)}{hint}",
        )

    return find


def _sentence(path: Path, faults: Mapping[str, Sequence[tuple[int, str]]], count: int) -> str:
    """Say the first fault of each kind, and how many there are."""
    told = []
    for of_kind in faults.values():
        number, words = of_kind[0]
        more = f" ({len(of_kind) - 1:,} more such)" if len(of_kind) > 1 else ""
        told.append(f"detection {number:,} of {count:,} {words}{more}")
    return f"{path}: {'; '.join(told)}"


def _found(part: Sequence[Detection]) -> Found:
    boxes, scores, labels = zip(*part, strict=True) if part else ((), (), ())
    return Found.of(
        torch.tensor(boxes, dtype=torch.float64), torch.tensor(scores), torch.tensor(labels)
    )


def _is_number(name: str) -> bool:
    return name.isdecimal() and str(int(name)) == name
