"""A picture with named boxes drawn into its pixels, to be kept as a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont
    from torch import Tensor

    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Smaller pictures are enlarged by whole factors until their longer side is at least so long.
READABLE = 480
# Height of the letters and width of the lines, as shares of the longer side, and the least of them.
LETTER, LEAST_LETTER = 1 / 42, 12
STROKE, LEAST_STROKE = 1 / 280, 2
# Bright colours, for black words.
COLORS = ("#ffd166", "#06d6a0", "#4cc9f0", "#ff8fab", "#c77dff", "#f77f00", "#80ed99", "#ffffff")

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True)
class Named:
    """A box with words.

    Args:
        box: x1, y1, x2, y2 in pixels, half-open.
        words: written at it.
        number: those of equal number have one colour.
    """

    box: Rectangle
    words: str
    number: int


def drawn(picture: "Tensor", boxes: Sequence[Named]) -> "Image.Image":
    """Draw boxes into a copy of a picture, the first ones above the others.

    Shape:
        picture: 3, H, W, uint8, red, green and blue.

    Args:
        picture: a small one is enlarged, so that words can be read.
        boxes: words are moved where they would lie on others, as far as there is room, and cut
            where they are longer than the picture is wide.
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture.permute(1, 2, 0).contiguous().cpu().numpy())
    factor = max(1, -(-READABLE // max(image.size)))
    image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    longest = max(image.size)
    font = _font(max(LEAST_LETTER, round(longest * LETTER)))
    stroke = max(LEAST_STROKE, round(longest * STROKE))
    pen = ImageDraw.Draw(image)
    inside = [_inside(each.box, factor, image.size) for each in boxes]
    for each, box in reversed(list(zip(boxes, inside, strict=True))):
        _outline(pen, box, COLORS[each.number % len(COLORS)], stroke)
    taken: list[Rectangle] = []
    for each, box in zip(boxes, inside, strict=True):
        words = _cut(each.words, font, image.width)
        taken.append(_place(box, _size(words, font), image.size, taken))
        _write(pen, words, taken[-1], COLORS[each.number % len(COLORS)], font)
    return image


def _inside(box: Rectangle, factor: int, size: tuple[int, int]) -> Rectangle:
    """Bring a box into the pixels of the drawing, and cut off what lies outside of it."""
    x1, y1, x2, y2 = (edge * factor for edge in box)
    width, height = size[0] - 1, size[1] - 1
    left, top = min(max(x1, 0), width), min(max(y1, 0), height)
    return left, top, min(max(x2 - 1, left), width), min(max(y2 - 1, top), height)


def _outline(pen: "ImageDraw.ImageDraw", box: Rectangle, color: str, stroke: int) -> None:
    """Draw a box with a dark border around it, so that it is seen on whatever is there."""
    x1, y1, x2, y2 = box
    pen.rectangle((x1 - 1, y1 - 1, x2 + 1, y2 + 1), outline="#000000", width=stroke + 2)
    pen.rectangle(box, outline=color, width=stroke)


def _size(words: str, font: "Font") -> tuple[float, float]:
    """Return width and height of the strip that words stand on, the same height for all words."""
    _, top, _, bottom = font.getbbox("Ág")
    return font.getlength(words) + (bottom - top) * 0.5, (bottom - top) * 1.3


def _cut(words: str, font: "Font", width: int) -> str:
    """Leave out the middle of words that are too long; the score at their end stays."""
    if _size(words, font)[0] <= width:
        return words
    name, _, score = words.rpartition(" ")
    while name and _size(f"{name}… {score}", font)[0] > width:
        name = name[:-1]
    return f"{name}… {score}"


def _place(
    box: Rectangle,
    strip: tuple[float, float],
    size: tuple[int, int],
    taken: Sequence[Rectangle],
) -> Rectangle:
    """Find room for words: above the box, below it, or inside at its upper or lower edge."""
    wide, high = strip
    x = min(max(0.0, box[0]), max(0.0, size[0] - wide))
    heights = (box[1] - high, box[3], box[1], box[3] - high)
    within = [min(max(0.0, y), max(0.0, size[1] - high)) for y in heights]
    places = [(x, y, x + wide, y + high) for y in within]
    free = (each for each in places if not any(_meet(each, other) for other in taken))
    return next(free, places[0])


def _meet(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _write(
    pen: "ImageDraw.ImageDraw", words: str, strip: Rectangle, color: str, font: "Font"
) -> None:
    x1, y1, _, y2 = strip
    pen.rectangle(strip, fill=color)
    _, top, _, bottom = font.getbbox("Ág")
    pen.text((x1 + (bottom - top) * 0.25, (y1 + y2 - top - bottom) / 2), words, "#000000", font)


@lru_cache(maxsize=8)
def _font(height: int) -> "Font":
    """Load the letters that matplotlib brings along: Latin, Greek, Cyrillic and more."""
    import matplotlib as mpl
    from PIL import ImageFont

    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(path), height)
