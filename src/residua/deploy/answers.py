"""What is said of a picture, as data: records for JSON, and the same in rows for a spreadsheet.

Dimension key:
    K classes
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from residua.detect.found import Found

# Digits behind the point of probabilities and of pixels; more would be noise.
DIGITS = 6
PIXEL_DIGITS = 3

Record = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """How records become rows.

    Args:
        columns: their names.
        rows: from a record to its rows.
    """

    columns: Sequence[str]
    rows: Callable[[Record], Iterable[Sequence[Any]]]


def text_of(path: Path) -> str:
    r"""Write a path as text; bytes of a name that are no text become `\x..`."""
    return str(path).encode(errors="surrogateescape").decode(errors="backslashreplace")


def best(probabilities_K: Tensor, classes: Sequence[str], top: int) -> list[Record]:
    """List the most probable classes: their names and probabilities in [0, 1]."""
    found = probabilities_K.topk(min(top, len(classes)))
    return [
        {"class": classes[index], "probability": round(share, DIGITS)}
        for share, index in zip(found.values.tolist(), found.indices.tolist(), strict=True)
    ]


def objects(found: Found, classes: Sequence[str]) -> list[Record]:
    """List what was found: class, score and box of each, x1, y1, x2, y2 in the picture's pixels."""
    return [
        {
            "class": classes[label - 1],
            "score": round(score, DIGITS),
            "box": [round(edge, PIXEL_DIGITS) for edge in box],
        }
        for box, score, label in zip(
            found.boxes_D4.tolist(), found.scores_D.tolist(), found.labels_D.tolist(), strict=True
        )
    ]


def naming(count: int) -> Form:
    """Give every picture one row: its file, and so many classes with their probabilities."""
    pairs = [(f"class{i}", f"probability{i}") for i in range(1, count + 1)]

    def rows(record: Record) -> Iterator[Sequence[Any]]:
        told = [(each["class"], each["probability"]) for each in record["classes"]]
        yield [record["file"], *(cell for pair in told for cell in pair)]

    return Form(["file", *(name for pair in pairs for name in pair)], rows)


def _object_rows(record: Record) -> Iterator[Sequence[Any]]:
    picture = [record["file"], record["width"], record["height"]]
    for each in record["objects"]:
        yield [*picture, each["class"], each["score"], *each["box"]]
    if not record["objects"]:
        yield [*picture, *[""] * 6]


# Every object has a row; a picture without objects has one with nothing behind its size.
FINDING = Form(["file", "width", "height", "class", "score", "x1", "y1", "x2", "y2"], _object_rows)
