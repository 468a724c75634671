"""A part of a picture file to a tensor: upright, in one colour space, no more decoded than needed.

Dimension key:
    C channels   H, W height and width of the result

Sources:
    [J] libjpeg's scaled inverse transform: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size without
        computing the rest.
"""

import io
import math
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from residua.errors import DataError, ResiduaError

# The kinds of files that are read. Pillow knows more, among them some that start other programs.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

# What Pillow raises at damaged files, besides its own errors.
FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    OverflowError,
    IndexError,
    KeyError,
    MemoryError,
    struct.error,
    zlib.error,
)

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


class Box(NamedTuple):
    """A part of a picture, in pixels and parts of them: left <= x < right, top <= y < bottom."""

    left: float
    top: float
    right: float
    bottom: float


# A picture file: where it lies, what is in it, or what it can be read from.
Source = Path | bytes | BinaryIO

# From W, H of the upright picture to the part of it, and the w, h that the part becomes.
Choose = Callable[[tuple[int, int]], tuple[Box, tuple[int, int]]]


@contextmanager
def opened(source: Source, *, most_pixels: int | None = None) -> Iterator[Image.Image]:
    """Open a picture without decoding it, and answer all that fails then or later in sentences.

    Args:
        source: of the picture.
        most_pixels: that it may have, by default as many as Pillow allows, which is also the most.

    Raises:
        DataError: the file is missing, is no picture, is cut short, or has too many pixels.
    """
    name = source if isinstance(source, Path) else "the picture"
    if isinstance(source, Path) and not source.is_file():
        raise DataError(
            f"{name} is {'a folder, not a picture' if source.is_dir() else 'not there'}"
        )
    most = min(each for each in (most_pixels, Image.MAX_IMAGE_PIXELS, math.inf) if each)
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with Image.open(file, formats=FORMATS) as picture:
            _check_pixels(picture, most)
            yield picture
    except ResiduaError:
        raise
    except UnidentifiedImageError:
        raise DataError(f"{name} is not a picture that Pillow can read") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"{name} has more than {most:,} pixels (shrink it first)") from None
    except FAULTS as error:
        raise DataError(f"{name} cannot be read as a picture: {error}") from None


def _check_pixels(picture: Image.Image, most: float) -> None:
    """Refuse what Pillow only warns of: few bytes can unpack to more pixels than memory holds."""
    if math.prod(picture.size) > most:
        raise Image.DecompressionBombError


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


def cut(
    source: Source,
    choose: Choose,
    channels: int,
    *,
    resample: Image.Resampling = Image.Resampling.BILINEAR,
    mirror: bool = False,
    most_pixels: int | None = None,
) -> Tensor:
    """Read a part of a picture at a given size.

    A JPEG is decoded at the smallest of its scales that still has as many pixels as are asked for
    ([J]); of what is decoded only the part is resampled. The result is what resizing the whole
    picture and cropping then would give, up to the rounding of that decoding.

    Args:
        source: of the picture.
        choose: from width and height of the upright picture to the part and its size then.
        channels: one is grey, three are red, green and blue.
        resample: how pixels are averaged.
        mirror: swap left and right of the result.
        most_pixels: as `opened` says.

    Returns:
        C, H, W, uint8.

    Raises:
        DataError: as `opened` says.
    """
    with opened(source, most_pixels=most_pixels) as picture:
        turn = orientation(picture)
        part_of, (width, height) = choose(upright_size(picture, turn))
        size = (height, width) if AXES[turn][0] else (width, height)
        box = _draft(picture, _stored(part_of, picture.size, turn), size)
        part = plain(picture).resize(size, resample, box=box, reducing_gap=REDUCING_GAP)
        if turn in TURNS:
            part = part.transpose(TURNS[turn])
        if mirror:
            part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = torch.from_numpy(np.array(part.convert("L" if channels == 1 else "RGB")))
    return pixels[None] if channels == 1 else pixels.permute(2, 0, 1)


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
    values = np.nan_to_num(np.asarray(picture).astype(np.float64), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if picture.mode == "F" and low >= 0 and high <= 1:
        high = 1.0
    elif picture.mode != "F" and low >= 0 and high <= 65_535:
        high = 65_535.0
    low = min(low, 0.0)
    scaled = (values - low) * (255 / max(high - low, 1e-12))
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


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
