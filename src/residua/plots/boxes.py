"""A picture with boxes on it, as SVG: hits, false alarms and misses differ without colour, too."""

import base64
import io
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

# Longest side of the picture that is put into the page, in pixels.
LONGEST = 640
QUALITY = 82
# Letters, as high as they are set, that fill a picture's width.
LETTERS = 34

# Width of a letter and of the space beside words, in heights of a letter.
LETTER_WIDE, SPACE = 0.53, 0.6

# Left, top, width and height of written words.
Strip = tuple[float, float, float, float]

Look = Literal["hit", "alarm", "miss", "ignored"]

# Colours that stand on photographs, lengths of strokes and gaps, widths in pixels of the screen.
LOOKS: dict[Look, tuple[str, str, float]] = {
    "hit": ("#7dffb0", "", 1.8),
    "alarm": ("#ffb347", "9 5", 2.6),
    "miss": ("#ff8ad8", "0.1 5.5", 3.4),
    "ignored": ("#d0d4da", "2 4", 1.4),
}


@dataclass(frozen=True)
class Mark:
    """A box on a picture.

    Args:
        box: x1, y1, x2, y2 in pixels, half-open.
        look: how it is drawn.
        words: shown when it is pointed at, and written beside it if `written`.
        written: whether they are.
    """

    box: tuple[float, float, float, float]
    look: Look
    words: str
    written: bool = True


def boxes_on(picture: "Tensor", marks: Sequence[Mark], *, name: str) -> str:
    """Draw boxes on a picture.

    Shape:
        picture: 3, H, W, uint8, red, green and blue.

    Args:
        picture: is shrunk to at most 640 pixels.
        marks: later ones lie above earlier ones, and their words have the first choice of a place:
            words that would lie on others are shown only when the box is pointed at.
        name: what the drawing is of, for those who do not see it.
    """
    height, width = picture.shape[1:]
    root = ET.Element(
        "svg",
        {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": name, "class": "boxes"},
    )
    sides = {"width": f"{width}", "height": f"{height}"}
    ET.SubElement(root, "image", {**sides, "href": _uri(picture), "preserveAspectRatio": "none"})
    # Letters are as large on a page whatever the picture's size.
    letter = max(width, 0.6 * height) / LETTERS
    for mark in marks:
        _box(root, mark, (width, height))
    taken: list[Strip] = []
    for mark in reversed(marks):
        words = _cut(mark.words, letter, width)
        strip = _strip(mark, words, letter, (width, height))
        if mark.written and words and not any(_meet(strip, other) for other in taken):
            taken.append(strip)
            _words(root, mark, words, letter, strip)
    return ET.tostring(root, encoding="unicode")


def _box(root: ET.Element, mark: Mark, size: tuple[int, int]) -> None:
    x1, y1, x2, y2 = _inside(mark.box, size)
    group = ET.SubElement(root, "g", {"fill": "none", "pointer-events": "all"})
    ET.SubElement(group, "title").text = mark.words
    color, dashes, stroke = LOOKS[mark.look]
    place = {"x": f"{x1:.1f}", "y": f"{y1:.1f}", "width": f"{x2 - x1:.1f}"}
    place |= {"height": f"{y2 - y1:.1f}", "vector-effect": "non-scaling-stroke"}
    # Dark below, so that the line is seen on whatever the picture shows.
    dark = {"stroke": "#000", "stroke-opacity": "0.6", "stroke-width": f"{stroke + 1.6:.1f}"}
    ET.SubElement(group, "rect", {**place, **dark})
    bright = {"stroke": color, "stroke-width": f"{stroke}", "stroke-dasharray": dashes}
    ends = {"stroke-linecap": "round"} if mark.look == "miss" else {}
    kept = {key: value for key, value in bright.items() if value}
    ET.SubElement(group, "rect", {**place, **kept, **ends})


def _cut(words: str, letter: float, width: int) -> str:
    """Cut words that are longer than the picture is wide; pointed at, the box tells all of them."""
    most = max(1, int((width / letter - SPACE) / LETTER_WIDE))
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _strip(mark: Mark, words: str, letter: float, size: tuple[int, int]) -> Strip:
    """Place words at the upper edge of a box, a miss's at its lower edge, inside the picture."""
    x1, y1, _, y2 = _inside(mark.box, size)
    wide, high = letter * (LETTER_WIDE * len(words) + SPACE), 1.3 * letter
    x = min(max(0.0, x1), max(0.0, size[0] - wide))
    y = min(y2, size[1] - high) if mark.look == "miss" else max(0.0, y1 - high)
    return x, y, wide, high


def _meet(one: Strip, other: Strip) -> bool:
    return all(
        one[axis] < other[axis] + other[axis + 2] and other[axis] < one[axis] + one[axis + 2]
        for axis in (0, 1)
    )


def _words(root: ET.Element, mark: Mark, words: str, letter: float, strip: Strip) -> None:
    """Write words on a dark strip."""
    x, y, wide, high = strip
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{wide:.1f}", "height": f"{high:.1f}"}
    ET.SubElement(root, "rect", {**place, "fill": "#000", "fill-opacity": "0.72"})
    place = {"x": f"{x + 0.3 * letter:.1f}", "y": f"{y + letter:.1f}"}
    style = {"font-size": f"{letter:.1f}", "fill": LOOKS[mark.look][0], "font-family": "sans-serif"}
    fitted = {"textLength": f"{wide - SPACE * letter:.1f}", "lengthAdjust": "spacingAndGlyphs"}
    ET.SubElement(root, "text", {**place, **style, **fitted}).text = words


def _inside(
    box: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Cut off what of a box lies outside of the picture."""
    x1, y1, x2, y2 = box
    width, height = size
    return (
        min(max(x1, 0.0), width),
        min(max(y1, 0.0), height),
        min(max(x2, 0.0), width),
        min(max(y2, 0.0), height),
    )


def _uri(picture: "Tensor") -> str:
    """Write a picture as a data URI: a photograph as JPEG, a small one as PNG."""
    from PIL import Image

    image = Image.fromarray(picture.permute(1, 2, 0).contiguous().cpu().numpy())
    small = max(image.size) <= LONGEST // 4
    image.thumbnail((LONGEST, LONGEST))
    file = io.BytesIO()
    image.save(file, "png" if small else "jpeg", quality=QUALITY)
    kind = "png" if small else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
