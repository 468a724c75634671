"""Picture files to tensors of one shape, and many of them at once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from residua import runtime
from residua.data.decode import Source, cut
from residua.data.fit import Fit, Whole
from residua.data.upright import Box
from residua.errors import DataError

T = TypeVar("T")

# What a picture's name may end in; other files in a folder of pictures are left alone.
SUFFIXES = frozenset(
    {
        ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pgm", ".png", ".ppm",
        ".tif", ".tiff", ".webp",
    }
)  # fmt: skip


def read(
    source: Source,
    shape: tuple[int, int, int],
    fit: Fit | None = None,
    *,
    most_pixels: int | None = None,
) -> Tensor:
    """Read a picture as a tensor of the given shape, shrunk or enlarged to fit.

    Args:
        source: where the file is, or what is in it.
        shape: C, H, W; one channel is grey, three are red, green and blue.
        fit: which part of it; all of it by default.
        most_pixels: that the picture may have; Pillow's limit by default.

    Returns:
        C, H, W, uint8.

    Raises:
        DataError: the file is missing, is no picture, is cut short, or has too many pixels.
    """
    chosen = fit or Whole()
    out = (shape[2], shape[1])
    return cut(
        source,
        lambda size: (chosen.box(size, out), out),
        shape[0],
        resample=chosen.resample,
        most_pixels=most_pixels,
    )


def read_short_side(path: Path, channels: int, short_side: int) -> Tensor:
    """Read all of a picture, its shorter side so many pixels long, the longer one rounded down.

    `read` says what it raises.
    """

    def choose(size: tuple[int, int]) -> tuple[Box, tuple[int, int]]:
        width, height = (short_side * length // min(size) for length in size)
        return Box(0, 0, *size), (width, height)

    return cut(path, choose, channels)


class Unread(NamedTuple):
    """A file that is no picture: where it stands among those asked for, and why not."""

    index: int
    why: str


def read_all(
    paths: Sequence[Path], shape: tuple[int, int, int], fit: Fit | None = None
) -> tuple[Tensor, list[Unread]]:
    """Read pictures with all cores into one tensor.

    Args:
        paths: of N files.
        shape: C, H, W of each.
        fit: which part of each; all of it by default.

    Returns:
        N, C, H, W of uint8, black where a file could not be read; and which these are.
    """
    images = torch.zeros(len(paths), *shape, dtype=torch.uint8)
    unread = []
    for index, found in enumerate(each(paths, lambda path: read(path, shape, fit))):
        if isinstance(found, DataError):
            unread.append(Unread(index, str(found)))
        else:
            images[index] = found
    return images, unread


def each(
    paths: Iterable[Path], read_one: Callable[[Path], T], *, ahead: int | None = None
) -> Iterator[T | DataError]:
    """Yield what files hold (or why they cannot be read) in order, read ahead by all cores.

    Args:
        paths: of the files.
        read_one: from a path to what the file holds.
        ahead: how many files are read, or being read, before what they hold is asked for; by
            default 16 for each core.
    """

    def attempt(path: Path) -> T | DataError:
        try:
            return read_one(path)
        except DataError as error:
            return error

    # Pillow decodes outside of Python's lock, so threads are enough.
    threads = runtime.own_cores()
    waiting = iter(paths)
    with ThreadPoolExecutor(threads) as pool:
        begun = deque(pool.submit(attempt, path) for path in islice(waiting, ahead or 16 * threads))
        while begun:
            yield begun.popleft().result()
            begun.extend(pool.submit(attempt, path) for path in islice(waiting, 1))
