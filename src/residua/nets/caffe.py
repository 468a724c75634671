"""The arrays in a `.caffemodel`: a reader of the few protobuf fields that hold them.

Sources:
    [C] BVLC Caffe, src/caffe/proto/caffe.proto: NetParameter, LayerParameter, V1LayerParameter,
        BlobProto, BlobShape.
    [B] Protocol Buffers, "Encoding": varints, wire types 0, 1, 2 and 5.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from residua.errors import CheckpointError

Field = tuple[int, int, memoryview | int]

NET_LAYER, NET_V1_LAYER = 100, 2
LAYER_NAME, LAYER_BLOBS = 1, 7
V1_NAME, V1_BLOBS = 4, 6
BLOB_DATA, BLOB_DOUBLES, BLOB_SHAPE = 5, 8, 7
BLOB_LEGACY_SHAPE = (1, 2, 3, 4)


def read_caffemodel(path: Path) -> dict[str, Tensor]:
    """Read the arrays of a trained Caffe net as `layer/position`.

    The statistics of a BatchNorm layer are divided by the factor that Caffe stores beside them.

    Raises:
        CheckpointError: the file is not a Caffe net, or holds no weights.
    """
    arrays: dict[str, Tensor] = {}
    try:
        for number, _, content in _fields(memoryview(path.read_bytes())):
            if number in (NET_LAYER, NET_V1_LAYER) and isinstance(content, memoryview):
                arrays |= _layer(content, v1=number == NET_V1_LAYER)
    except (IndexError, ValueError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} is not a Caffe net, or damaged: {error}") from None
    if not arrays:
        raise CheckpointError(
            f"{path} holds no layers with weights: it is no .caffemodel, or damaged"
        )
    return arrays


def _layer(message: memoryview, *, v1: bool) -> dict[str, Tensor]:
    name_field, blobs_field = (V1_NAME, V1_BLOBS) if v1 else (LAYER_NAME, LAYER_BLOBS)
    name = ""
    blobs: list[np.ndarray] = []
    for number, _, content in _fields(message):
        if isinstance(content, memoryview):
            if number == name_field:
                name = bytes(content).decode()
            elif number == blobs_field:
                blobs.append(_blob(content))
    if name.startswith("bn") and len(blobs) == 3:
        factor = float(blobs.pop().ravel()[0])
        blobs = [blob / factor if factor else blob for blob in blobs]
    return {f"{name}/{position}": torch.from_numpy(blob) for position, blob in enumerate(blobs)}


def _blob(message: memoryview) -> np.ndarray:
    data: list[np.ndarray] = []
    shape: list[int] = []
    legacy: dict[int, int] = {}
    for number, wire, content in _fields(message):
        if number in BLOB_LEGACY_SHAPE and isinstance(content, int):
            legacy[number] = content
        elif number == BLOB_SHAPE and isinstance(content, memoryview):
            shape = _dimensions(content)
        elif number in (BLOB_DATA, BLOB_DOUBLES) and isinstance(content, memoryview):
            doubles = number == BLOB_DOUBLES or wire == 1
            data.append(np.frombuffer(content, "<f8" if doubles else "<f4"))
    values = np.concatenate(data).astype(np.float32) if data else np.zeros(0, np.float32)
    return values.reshape(shape or [n for _, n in sorted(legacy.items())] or [-1])


def _dimensions(message: memoryview) -> list[int]:
    sizes: list[int] = []
    for number, _, content in _fields(message):
        if number == 1 and isinstance(content, int):
            sizes.append(content)
        elif number == 1 and isinstance(content, memoryview):
            at = 0
            while at < len(content):
                size, at = _varint(content, at)
                sizes.append(size)
    return sizes


def _fields(message: memoryview) -> Iterator[Field]:
    """Yield number, wire type and content of each field of a protobuf message ([B])."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, wire, value
            continue
        if wire == 2:
            length, at = _varint(message, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"unknown wire type {wire} at byte {at}")
        if at + length > len(message):
            raise ValueError(f"a field of {length} bytes at byte {at} ends beyond the file")
        yield number, wire, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError(f"a number longer than 64 bits at byte {at}")
