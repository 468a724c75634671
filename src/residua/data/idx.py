"""Files of the IDX format, packed or not: bytes with their shape before them.

Two bytes of zeros, the code of the type (8 for bytes), the number of dimensions, the size of each
dimension as a big-endian integer of four bytes, then the content, the last dimension running
fastest.

Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998.
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.errors import DataError

BYTES = 8


def read(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read an array of bytes, which can be written to.

    Args:
        path: of the file; packed, if it ends in .gz.
        shape: that the array must have.

    Raises:
        DataError: the file cannot be read, is damaged, or has another shape.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is damaged: {error} (move it away to have it fetched again)"
        ) from None
    start = 4 + 4 * len(shape)
    if content[:4] != bytes([0, 0, BYTES, len(shape)]):
        raise DataError(
            f"{path} begins with {content[:4].hex()}, not with 000008{len(shape):02x}: it is no "
            f"IDX file of bytes in {len(shape)} dimensions"
        )
    found = tuple(np.frombuffer(content[4:start].ljust(start - 4, b"\0"), ">u4").tolist())
    if found != shape:
        raise DataError(f"{path} says it holds {found}: there must be {shape}")
    if len(content) - start != math.prod(shape):
        raise DataError(
            f"{path} is damaged: it has {len(content) - start:,} bytes of content instead of "
            f"{math.prod(shape):,} (move it away to have it fetched again)"
        )
    return np.frombuffer(bytearray(content), np.uint8, offset=start).reshape(shape)
