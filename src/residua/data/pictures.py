"""Picture files to tensors of one shape, and folders of them to labelled sets."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from residua.data.loading import ImageSet
from residua.errors import DataError

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def read(path: Path, shape: tuple[int, int, int]) -> Tensor:
    """Read a picture as a tensor of the given shape, shrunk or enlarged to fit.

    Args:
        path: of the file.
        shape: C, H, W; one channel is grey, three are red, green and blue.

    Returns:
        C, H, W, uint8.

    Raises:
        DataError: the file is missing, is no picture, or is cut short.
    """
    channels, height, width = shape
    mode = "L" if channels == 1 else "RGB"
    if not path.is_file():
        raise DataError(f"{path} is {'a folder, not a picture' if path.is_dir() else 'not there'}")
    try:
        with warnings.catch_warnings(), Image.open(path) as picture:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            upright = _on_white(ImageOps.exif_transpose(picture))
            fitted = upright.convert(mode).resize((width, height), Image.Resampling.BOX)
    except UnidentifiedImageError:
        raise DataError(f"{path} is not a picture that Pillow can read") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(
            f"{path} has more than {Image.MAX_IMAGE_PIXELS or 0:,} pixels (shrink it first)"
        ) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a picture: {error}") from None
    pixels = torch.from_numpy(np.array(fitted))
    return pixels[None] if channels == 1 else pixels.permute(2, 0, 1)


def _on_white(picture: Image.Image) -> Image.Image:
    """Lay a picture with transparent parts on white, as browsers show it."""
    if not picture.has_transparency_data:
        return picture
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture.convert("RGBA"))
    return ground


def read_all(paths: Iterable[Path], shape: tuple[int, int, int]) -> Tensor:
    """Read pictures into one tensor N, C, H, W of uint8; `read` says what it raises."""
    return torch.stack([read(path, shape) for path in paths])


def read_folder(folder: Path, shape: tuple[int, int, int], classes: Sequence[str]) -> ImageSet:
    """Read labelled pictures from `folder/CLASS/file`.

    Args:
        folder: has one sub-folder per class.
        shape: C, H, W of one picture.
        classes: all class names, in the order of the labels; sub-folders must be among them.

    Raises:
        DataError: the folder is missing or empty, a sub-folder is none of the classes, or a picture
            cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder")
    found = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    foreign = [entry.name for entry in found if entry.name not in classes]
    if foreign:
        raise DataError(
            f"{folder} has the class {foreign[0]}, which the network does not know (it knows "
            f"{', '.join(classes[:12])}{', ...' if len(classes) > 12 else ''})"
        )
    files = [
        (path, classes.index(entry.name))
        for entry in found
        for path in sorted(entry.iterdir())
        if path.suffix.lower() in SUFFIXES
    ]
    if not files:
        raise DataError(f"{folder} holds no pictures in sub-folders named after their classes")
    return ImageSet(
        read_all((path for path, _ in files), shape),
        torch.tensor([label for _, label in files]),
        tuple(classes),
    )
