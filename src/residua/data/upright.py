"""A part of an opened picture: upright, in one colour space, no more decoded than needed.

Needs nothing but Pillow and NumPy, so that what is written to be used without Residua reads
pictures by these very lines.

Dimension key:
    C channels   H, W height and width of the result

Sources:
    [J] libjpeg's scaled inverse transform: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size without
        computing the rest.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from PIL import Image

# The kinds of files that are read. Pillow knows more, among them some that start other programs.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

ORIENTATION = 0x0112

# How the stored picture becomes upright, by the value of the EXIF orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Whether an orientation swaps the axes, and then mirrors the stored x and the stored y.
AXES = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
# What is left of the picture when it is shrunk by whole pixels first, against the size asked for.
REDUCING_GAP = 2.0
# Rows of a picture of more than 8 bits that are scaled at a time.
STRIP = 256


class Box(NamedTuple):
    """A part of a picture, in pixels and parts of them: left <= x < right, top <= y < bottom."""

    left: float
    top: float
    right: float
    bottom: float


# From W, H of the upright picture to the part of it, and the w, h that the part becomes.
Choose = Callable[[tuple[int, int]], tuple[Box, tuple[int, int]]]


def orientation(picture: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) where there is none that makes sense."""
    with suppress(Exception):  # EXIF is written by a thousand programs, and may hold anything.
        found = picture.getexif().get(ORIENTATION, 1)
        return found if found in TURNS else 1
    return 1


def upright_size(picture: Image.Image, turn: int) -> tuple[int, int]:
    """Return width and height of a picture of some orientation as one looks at it."""
    width, height = picture.size
    return (height, width) if AXES[turn][0] else (width, height)


def whole(size: tuple[int, int]) -> tuple[Box, tuple[int, int]]:
    """Choose all of a picture, at its own size."""
    return Box(0, 0, *size), size


def part(
    picture: Image.Image,
    choose: Choose,
    channels: int,
    *,
    resample: Image.Resampling,
    mirror: bool = False,
) -> np.ndarray:
    """Decode a part of an opened picture and bring it to a size.

    A JPEG is decoded at the smallest of its scales that still has as many pixels as are asked for
    ([J]); of what is decoded only the part is resampled. The result is what resizing the whole
    picture and cropping then would give, up to the rounding of that decoding.

    Args:
        picture: not decoded yet.
        choose: from width and height of the upright picture to the part and its size then.
        channels: one is grey, three are red, green and blue.
        resample: how pixels are averaged.
        mirror: swap left and right of the result.

    Returns:
        C, H, W, uint8.
    """
    turn = orientation(picture)
    part_of, (width, height) = choose(upright_size(picture, turn))
    size = (height, width) if AXES[turn][0] else (width, height)
    box = _draft(picture, _stored(part_of, picture.size, turn), size)
    found = plain(picture).resize(size, resample, box=box, reducing_gap=REDUCING_GAP)
    if turn in TURNS:
        found = found.transpose(TURNS[turn])
    if mirror:
        found = found.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = np.array(found.convert("L" if channels == 1 else "RGB"))
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def plain(picture: Image.Image) -> Image.Image:
    """Bring a picture of any mode to 8 bits of grey or of red, green and blue.

    Transparent parts are laid on white, as browsers show them; more than 8 bits are scaled by their
    range and not clipped; of an animation it is the first frame.
    """
    if picture.mode.startswith("I") or picture.mode == "F":
        return _deep(picture)
    if picture.has_transparency_data:
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture.convert("RGBA"))
        return ground.convert("RGB")
    if picture.mode in {"L", "RGB"}:
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _deep(picture: Image.Image) -> Image.Image:
    """Scale integers of 16 bits by 65535, larger ones and fractions by their own range."""
    values = np.asarray(picture)
    if picture.mode == "F":
        values = np.nan_to_num(values, posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if picture.mode == "F" and low >= 0 and high <= 1:
        high = 1.0
    elif picture.mode != "F" and low >= 0 and high <= 65_535:
        high = 65_535.0
    low = min(low, 0.0)
    scaled = np.empty(values.shape, np.uint8)
    # By strips, since a picture may have 40 million values.
    for start in range(0, len(values), STRIP):
        strip = values[start : start + STRIP].astype(np.float64)
        scaled[start : start + STRIP] = np.rint((strip - low) * (255 / max(high - low, 1e-12)))
    return Image.fromarray(scaled)


def _stored(box: Box, size: tuple[int, int], turn: int) -> Box:
    """Say which part of the stored picture is this part of the upright one."""
    swap, mirror_x, mirror_y = AXES[turn]
    left, top, right, bottom = (box.top, box.left, box.bottom, box.right) if swap else box
    width, height = size
    if mirror_x:
        left, right = width - right, width - left
    if mirror_y:
        top, bottom = height - bottom, height - top
    return Box(left, top, right, bottom)


def _draft(picture: Image.Image, box: Box, size: tuple[int, int]) -> Box:
    """Let a JPEG be decoded small, and return where the part lies then; it must fit inside."""
    width, height = picture.size
    # Rounding up, so that no scale is taken that has less than a pixel for a pixel.
    needed_width = math.ceil(width * size[0] / (box.right - box.left) - 1e-6)
    needed_height = math.ceil(height * size[1] / (box.bottom - box.top) - 1e-6)
    drafted = picture.draft(None, (max(needed_width, 1), max(needed_height, 1)))
    scale = 1.0 if drafted is None else drafted[1][2] / width
    edges = (picture.size[0], picture.size[1]) * 2
    return Box(*(min(max(v * scale, 0.0), edge) for v, edge in zip(box, edges, strict=True)))
