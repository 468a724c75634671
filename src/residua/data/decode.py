"""A part of a picture file to a tensor; damaged files are answered in sentences.

Dimension key:
    C channels   H, W height and width of the result
"""

import io
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from residua.data.upright import FORMATS, Choose, part
from residua.errors import DataError, ResiduaError

# What Pillow raises at damaged files, besides its own errors.
FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)

# A picture file: where it lies, what is in it, or what it can be read from.
Source = Path | bytes | BinaryIO


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

    `data.upright.part` says how, and what the other arguments mean.

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
        pixels = part(picture, choose, channels, resample=resample, mirror=mirror)
    return torch.from_numpy(pixels)
