"""Sets of pictures with objects: held as bytes, or read from their files when they are needed.

Dimension key:
    N pictures   T objects of all pictures   R objects of one   H, W height and width in pixels
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from residua.data.decode import cut
from residua.data.objects import TYPES, Objects, check_labels
from residua.data.upright import whole
from residua.errors import DataError, ShapeError


@dataclass(frozen=True, eq=False)
class ObjectTable:
    """The objects of many pictures in five tensors: few, where each picture would have its own.

    Args:
        held: of all pictures, in their order.
        starts: N + 1, int64: where the objects of each picture begin, and the number of all.
    """

    held: Objects
    starts: Tensor

    @classmethod
    def of(cls, pictures: Sequence[Objects]) -> Self:
        """Join the objects of N pictures."""
        counts = torch.tensor([0, *map(len, pictures)])
        joined = [
            torch.cat([getattr(Objects.none(), name), *(getattr(each, name) for each in pictures)])
            for name in TYPES
        ]
        return cls(Objects(*joined), counts.cumsum(0))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> Objects:
        """Return the objects of one picture."""
        first, last = self.starts[index : index + 2].tolist()
        return Objects(*(getattr(self.held, name)[first:last] for name in TYPES))

    def select(self, indices: Tensor) -> Self:
        """Return the pictures with these indices, in their order."""
        return type(self).of([self[index] for index in indices.tolist()])

    def picture_of(self) -> Tensor:
        """Say for each of the T objects which picture it is in."""
        return torch.repeat_interleave(self.starts.diff())

    def content(self) -> bytes:
        """Return all that is known of all objects."""
        parts = [getattr(self.held, field.name) for field in fields(self.held)]
        return b"".join(part.numpy().tobytes() for part in (*parts, self.starts))


@dataclass(frozen=True, eq=False)
class AnnotatedImages:
    """Pictures with their objects, held as bytes.

    Args:
        pictures: N of 3, H, W, uint8; sizes may differ.
        table: the objects of each.
        classes: K names; that of label k is `classes[k - 1]`.
        names: of the pictures, each another.

    Raises:
        ShapeError: a picture is no such tensor, or the numbers differ.
        DataError: there is no picture, two have one name, or a label has no class.
    """

    pictures: Sequence[Tensor]
    table: ObjectTable
    classes: tuple[str, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        _check(self.names, self.table, self.classes)
        if len(self.pictures) != len(self.names):
            raise ShapeError(f"{len(self.pictures)} pictures have {len(self.names)} names")
        for each in self.pictures:
            if each.ndim != 3 or each.shape[0] != 3 or each.dtype != torch.uint8:
                raise ShapeError(
                    f"a picture must be 3, H, W of type uint8, got {tuple(each.shape)} of "
                    f"{each.dtype}"
                )

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of each picture."""
        return [(each.shape[1], each.shape[2]) for each in self.pictures]

    def __len__(self) -> int:
        return len(self.names)

    def picture(self, index: int) -> Tensor:
        """Return a picture: 3, H, W of uint8."""
        return self.pictures[index]

    def objects(self, index: int) -> Objects:
        """Return what is in a picture."""
        return self.table[index]

    def select(self, indices: Tensor) -> Self:
        """Return the pictures with these indices, in their order."""
        chosen = indices.tolist()
        return replace(
            self,
            pictures=[self.pictures[index] for index in chosen],
            table=self.table.select(indices),
            names=tuple(self.names[index] for index in chosen),
        )

    def fingerprint(self) -> str:
        """Name pixels, names, classes and objects together: twelve hexadecimal digits."""
        content = _started(self.names, self.classes, self.table)
        for each in self.pictures:
            content.update(b"%d %d " % (each.shape[1], each.shape[2]))
            content.update(each.contiguous().numpy().tobytes())
        return content.hexdigest()[:12]


@dataclass(frozen=True, eq=False)
class AnnotatedFiles:
    """Pictures with their objects that are read from their files when they are needed.

    Args:
        paths: of N files.
        table: the objects of each, in pixels of the upright picture.
        classes: K names; that of label k is `classes[k - 1]`.
        names: of the pictures, each another.
        sizes: height and width of each as one looks at it.
        category_ids: the numbers that the annotation gives the K classes, where it numbers them.

    Raises:
        ShapeError: the numbers differ.
        DataError: there is no picture, two have one name, or a label has no class.
    """

    paths: tuple[Path, ...]
    table: ObjectTable
    classes: tuple[str, ...]
    names: tuple[str, ...]
    sizes: list[tuple[int, int]]
    category_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check(self.names, self.table, self.classes)
        if not len(self.paths) == len(self.names) == len(self.sizes):
            raise ShapeError(
                f"{len(self.paths)} paths have {len(self.names)} names and {len(self.sizes)} sizes"
            )

    def __len__(self) -> int:
        return len(self.names)

    def picture(self, index: int) -> Tensor:
        """Read a picture: 3, H, W of uint8.

        Raises:
            DataError: the file cannot be read, or the picture has another size than before.
        """
        path = self.paths[index]
        picture = cut(path, whole, 3)
        if tuple(picture.shape[1:]) != self.sizes[index]:
            height, width = self.sizes[index]
            raise DataError(
                f"{path} has {picture.shape[2]}x{picture.shape[1]} pixels, but {width}x{height} "
                "were expected: its boxes would lie wrong (`residua doctor` looks at all pictures)"
            )
        return picture

    def objects(self, index: int) -> Objects:
        """Return what is in a picture."""
        return self.table[index]

    def select(self, indices: Tensor) -> Self:
        """Return the pictures with these indices, in their order."""
        chosen = indices.tolist()
        return replace(
            self,
            paths=tuple(self.paths[index] for index in chosen),
            table=self.table.select(indices),
            names=tuple(self.names[index] for index in chosen),
            sizes=[self.sizes[index] for index in chosen],
        )

    def fingerprint(self) -> str:
        """Name names, classes, objects, and the lengths of the files; pixels are not looked at.

        Raises:
            DataError: a file is not there any more.
        """
        content = _started(self.names, self.classes, self.table)
        for path, (height, width) in zip(self.paths, self.sizes, strict=True):
            try:
                content.update(b"%d %d %d " % (path.stat().st_size, height, width))
            except OSError:
                raise DataError(f"{path} is not there any more") from None
        return content.hexdigest()[:12]


def _check(names: tuple[str, ...], table: ObjectTable, classes: tuple[str, ...]) -> None:
    if not names:
        raise DataError("a set of pictures is empty")
    if len(table) != len(names):
        raise ShapeError(f"{len(names)} pictures have the objects of {len(table)}")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"two pictures have the name {twice}: every picture needs its own")
    check_labels(table.held.labels_R, classes)


def _started(
    names: tuple[str, ...], classes: tuple[str, ...], table: ObjectTable
) -> "hashlib._Hash":
    content = hashlib.sha256("\0".join((*names, "", *classes)).encode())
    content.update(table.content())
    return content
