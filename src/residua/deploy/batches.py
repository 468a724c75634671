"""Picture files in batches, read by threads ahead of the net that takes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from torch import Tensor

from residua import runtime
from residua.data.pictures import each
from residua.errors import DataError


class Reader(Protocol):
    """What reads pictures as a net takes them, such as a `Classifier` or a `Finder`."""

    def read(self, source: Path) -> Tensor:
        """Read one picture: C, H, W of uint8."""
        ...


@dataclass(frozen=True)
class Batch:
    """Some of the files asked for, in their order.

    Args:
        indices: of the files that are pictures, among all that were asked for.
        pictures: these, C, H, W of uint8 each.
        unread: why other files could not be read.
    """

    indices: list[int] = field(default_factory=list)
    pictures: list[Tensor] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many files were tried."""
        return len(self.indices) + len(self.unread)


def batches(reader: Reader, paths: Sequence[Path], size: int) -> Iterator[Batch]:
    """Yield the pictures of files, so many at a time; the last batch may hold fewer.

    While one batch is used, the next is read, and no more than that is held in memory.
    """
    batch = Batch()
    ahead = size + runtime.own_cores()
    for index, found in enumerate(each(paths, reader.read, ahead=ahead)):
        if isinstance(found, DataError):
            batch.unread.append(str(found))
        else:
            batch.indices.append(index)
            batch.pictures.append(found)
        if len(batch.pictures) == size:
            yield batch
            batch = Batch()
    if batch.count:
        yield batch
