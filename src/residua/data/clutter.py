"""Small grey patterns enlarged and laid on a ground: digits, and what is there to confuse them.

All of it is arithmetic on integers, so that the same seed gives the same bytes on every machine.

Dimension key:
    P patterns   F, G height and width of a frame that holds the largest of them   H, W of a ground
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Generator, Tensor

# Height and width of a pattern, in cells; fractions of a cell are counted in 256ths.
CELLS, FINE = 8, 256
# The ink, of 255, from which on a pixel belongs to what is drawn.
VISIBLE = 48
# Half the width of a stroke, in cells.
STROKE = 0.7

Array = np.ndarray


def integers(random: Generator, low: int, high: int, *shape: int) -> Array:
    """Draw integers in [low, high)."""
    return torch.randint(low, high, shape, generator=random).numpy()


def enlarge(patterns_Pcc: Array, sizes_P2: Array, frame: tuple[int, int]) -> Array:
    """Enlarge square patterns, linearly between the middles of their cells.

    Args:
        patterns_Pcc: of 0 to 255.
        sizes_P2: height and width in pixels of each when enlarged; at most those of the frame.
        frame: F, G.

    Returns:
        P, F, G of 0 to 255: each in the upper left corner of its frame, zero beside it.
    """
    cells = patterns_Pcc.shape[1]
    rows_PFc, columns_PGc = (
        _weights(length, cells)[torch.from_numpy(sizes_P2[:, axis])]
        for axis, length in enumerate(frame)
    )
    values_Pcc = torch.from_numpy(patterns_Pcc.astype(np.float64))
    # Whole numbers below 2**24: exact, in whatever order they are added.
    drawn_PFG = rows_PFc @ values_Pcc @ columns_PGc.mT
    return drawn_PFG.mul_(1 / FINE**2).to(torch.uint8).numpy()


@lru_cache(maxsize=16)
def _weights(length: int, cells: int) -> Tensor:
    """Say how much of each cell is seen in each pixel: by size up to a length, pixel and cell."""
    size = torch.arange(length + 1)[:, None]
    pixel = torch.arange(length)
    place = (2 * pixel + 1) * cells * FINE // (2 * size.clamp_min(1)) - FINE // 2
    place = place.clamp(0, (cells - 1) * FINE)
    weights = (FINE - (place[:, :, None] - FINE * torch.arange(cells)).abs()).clamp_min(0)
    return (weights * (pixel < size)[:, :, None]).double()


def extent(drawn_PFG: Array) -> Array:
    """Return the boxes of what is visible in frames: P, 4, XYXY, half-open; zeros for nothing."""
    visible = drawn_PFG >= VISIBLE
    edges = []
    for axis in (1, 2):
        line: Array = np.any(visible, axis=axis)
        first = np.argmax(line, axis=1)
        last = line.shape[1] - np.argmax(line[:, ::-1], axis=1)
        edges.append((first, np.where(np.any(line, axis=1), last, 0)))
    (left, right), (top, bottom) = edges
    return np.stack([left, top, right, bottom], axis=1)


def distractors(digits_Ncc: Array, count: int, random: Generator) -> Array:
    """Make patterns that are no digits: strokes, quarters of digits, and specks.

    Args:
        digits_Ncc: digits to take quarters of, 0 to 255.
        count: of the patterns.
        random: what draws.

    Returns:
        count, 8, 8 of 0 to 255.
    """
    kind = integers(random, 0, 3, count)
    strokes = _strokes(integers(random, 0, CELLS * FINE, count, 4))
    quarters = digits_Ncc[integers(random, 0, len(digits_Ncc), count)].copy()
    half = CELLS // 2
    corner = integers(random, 0, 4, count)
    cell = np.arange(CELLS)
    in_row = (cell[None] >= half) == (corner % 2 == 1)[:, None]
    in_column = (cell[None] >= half) == (corner // 2 == 1)[:, None]
    quarters *= in_row[:, :, None] & in_column[:, None]
    specks = integers(random, 0, 256, count, CELLS, CELLS) * (
        integers(random, 0, 4, count, CELLS, CELLS) == 0
    )
    found = np.stack([strokes, quarters, specks.astype(np.uint8)])
    return found[kind, np.arange(count)]


def _strokes(ends_P4: Array) -> Array:
    """Draw straight strokes between points in 256ths of a cell: P, 8, 8."""
    x0, y0, x1, y1 = (ends_P4[:, i].astype(np.int64)[:, None, None] for i in range(4))
    middle = np.arange(CELLS) * FINE + FINE // 2
    y, x = middle[None, :, None], middle[None, None]
    dx, dy = x1 - x0, y1 - y0
    squared = np.maximum(dx * dx + dy * dy, 1)
    # How far along the stroke the nearest point lies, in 1024ths.
    along = (((x - x0) * dx + (y - y0) * dy) * 1024 // squared).clip(0, 1024)
    away_x, away_y = x - x0 - dx * along // 1024, y - y0 - dy * along // 1024
    width = int(STROKE * FINE) ** 2
    ink = 255 - 255 * (away_x * away_x + away_y * away_y) // width
    return ink.clip(0, 255).astype(np.uint8)


def grounds(count: int, size: tuple[int, int], random: Generator) -> Array:
    """Make grounds to draw on: dim, uneven, slightly coloured, with noise.

    Returns:
        count, 3, H, W of int16, from 0 to about 140.
    """
    height, width = size
    coarse = integers(random, 10, 110, count, 5, 5)
    smooth = enlarge(coarse, np.full((count, 2), size), size).astype(np.int16)
    amplitude = integers(random, 2, 16, count)[:, None, None].astype(np.int16)
    noise = torch.randint(-128, 128, (count, height, width), dtype=torch.int16, generator=random)
    smooth += (noise.numpy() * amplitude) >> 7
    tint = integers(random, -20, 21, count, 3)[:, :, None, None].astype(np.int16)
    coloured = smooth[:, None] + tint
    return coloured.clip(0, 255, out=coloured)


def lay(ground_3HW: Array, ink_FG: Array, place: tuple[int, int], colour_3: Array) -> None:
    """Lay a pattern on a ground, in place: its colour where there is ink.

    Args:
        ground_3HW: int16.
        ink_FG: how much of the colour is seen, 0 to 255; what reaches over the edge is cut off.
        place: x, y of its upper left corner; may be negative.
        colour_3: of the ink, 0 to 255.
    """
    x, y = place
    left, top = max(x, 0), max(y, 0)
    part = ground_3HW[:, top : y + ink_FG.shape[0], left : x + ink_FG.shape[1]]
    ink = ink_FG[top - y :, left - x :][: part.shape[1], : part.shape[2]].astype(np.int32)
    part += (((colour_3[:, None, None] - part) * ink) >> 8).astype(np.int16)
