"""One annotation file of the VOC kind, read and written, and what its pixels mean.

VOC numbers pixels from 1 and names the last one that is inside: the box of a whole picture is
(1, 1, W, H). Many programs write the same files with other pixels; which, is seen from all boxes of
a set together.

Dimension key:
    H, W height and width in pixels
"""

import math
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from residua.data.objects import Objects
from residua.errors import DataError

# VOC's own: from 1, the last inside. From 0, the last inside. From 0, the first outside.
Pixels = Literal["voc", "zero", "half_open"]
EDGES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class Marked:
    """One object as the file has it; `box` in the pixels of the file."""

    name: str
    box: tuple[float, float, float, float]
    difficult: bool


@dataclass(frozen=True)
class Annotation:
    """What an annotation file says.

    Args:
        filename: of the picture; "" if it does not say.
        size: height and width; None if it does not say, or says 0.
        marked: its objects.
        nameless: how many objects have no name or no readable box.
    """

    filename: str
    size: tuple[int, int] | None
    marked: list[Marked] = field(default_factory=list)
    nameless: int = 0


def read_annotation(path: Path) -> Annotation:
    """Read an annotation file; tags that are not known are passed over.

    Raises:
        DataError: it is not there, or no XML.
    """
    try:
        root = ET.parse(path).getroot()
    except (OSError, ET.ParseError, ValueError) as error:
        raise DataError(f"{path} cannot be read as an annotation: {error}") from None
    objects = root.findall("object")
    marked = [found for found in map(_marked, objects) if found is not None]
    return Annotation(
        filename=_text(root, "filename"),
        size=_size(root),
        marked=marked,
        nameless=len(objects) - len(marked),
    )


def _text(element: ET.Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def _number(element: ET.Element, tag: str) -> float:
    """Return a number that is written in a tag; NaN if none is."""
    try:
        return float(_text(element, tag))
    except ValueError:
        return math.nan


def _size(root: ET.Element) -> tuple[int, int] | None:
    found = root.find("size")
    if found is None:
        return None
    height, width = _number(found, "height"), _number(found, "width")
    return (int(height), int(width)) if 0 < height < math.inf and 0 < width < math.inf else None


def _marked(element: ET.Element) -> Marked | None:
    box, name = element.find("bndbox"), _text(element, "name")
    if box is None or not name:
        return None
    left, top, right, bottom = (_number(box, edge) for edge in EDGES)
    if not all(map(math.isfinite, (left, top, right, bottom))):
        return None
    difficult = _text(element, "difficult").lower() in {"1", "true"}
    return Marked(name, (left, top, right, bottom), difficult)


def guess_pixels(annotations: Iterable[Annotation]) -> Pixels:
    """Say in which pixels a set is annotated, by the boxes that touch the edges of pictures.

    In VOC's pixels such boxes begin at 1 and end at W or H. Where more begin at 0, pixels are
    numbered from 0, and the ends say whether the last pixel is inside: W - 1 then.
    """
    begins, ends = Counter[float](), Counter[float]()
    for annotation in annotations:
        height, width = annotation.size or (math.nan, math.nan)
        for left, top, right, bottom in (marked.box for marked in annotation.marked):
            begins.update((left, top))
            ends.update((right - width, bottom - height))
    if begins[0] <= begins[1]:
        return "voc"
    return "zero" if ends[-1] > ends[0] else "half_open"


def has_area(box: Sequence[float], pixels: Pixels) -> bool:
    """Say whether a box holds pixels; a single one, in VOC's numbers, is a slip of the mouse."""
    left, top, right, bottom = box
    if pixels == "half_open":
        return right > left and bottom > top
    return right > left - 1 and bottom > top - 1 and (right, bottom) != (left, top)


def to_half_open(box: Sequence[float], pixels: Pixels) -> tuple[float, float, float, float]:
    """Turn a box of a file into half-open pixels from 0; one without area keeps none."""
    left, top, right, bottom = box
    if not has_area(box, pixels):
        return left, top, left, top
    begin, end = {"voc": (1, 0), "zero": (0, 1), "half_open": (0, 0)}[pixels]
    return left - begin, top - begin, right + end, bottom + end


def to_voc(box: Sequence[float]) -> tuple[float, float, float, float]:
    """Turn half-open pixels into VOC's."""
    left, top, right, bottom = box
    return left + 1, top + 1, right, bottom


def written(filename: str, size: tuple[int, int], objects: Objects, classes: Sequence[str]) -> str:
    """Write an annotation as VOC does; crowds, which VOC does not know, become difficult objects.

    Args:
        filename: of the picture.
        size: its height and width.
        objects: in it.
        classes: names; label k is `classes[k - 1]`.
    """
    root = ET.Element("annotation")
    ET.SubElement(root, "filename").text = filename
    pixels = ET.SubElement(root, "size")
    for tag, value in (("width", size[1]), ("height", size[0]), ("depth", 3)):
        ET.SubElement(pixels, tag).text = str(value)
    rows = zip(
        objects.boxes_R4.tolist(),
        objects.labels_R.tolist(),
        (objects.difficult_R | objects.crowd_R).tolist(),
        strict=True,
    )
    for box, label, difficult in rows:
        one = ET.SubElement(root, "object")
        ET.SubElement(one, "name").text = classes[label - 1]
        ET.SubElement(one, "difficult").text = str(int(difficult))
        edges = ET.SubElement(one, "bndbox")
        for tag, value in zip(EDGES, to_voc(box), strict=True):
            ET.SubElement(edges, tag).text = repr(int(value) if value == int(value) else value)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"
