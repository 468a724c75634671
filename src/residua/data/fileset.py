"""Sets of pictures that stay in their files and are read when they are needed.

Dimension key:
    N pictures   C channels   H, W height and width   V views
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from residua import runtime
from residua.data.filebatches import FileBatches, Reading
from residua.data.fit import Crop, Fit, ScaleJitterCrop, Whole
from residua.data.loading import Serving, View
from residua.data.pictures import each, read, read_short_side
from residua.data.recognise import Part
from residua.errors import DataError

# Pictures that statistics are taken of.
SAMPLE = 2000
LEARNED_FROM = ScaleJitterCrop()


@dataclass(frozen=True, eq=False)
class FileSet:
    """Labelled pictures of any size, read when they are needed.

    Args:
        root: what the paths begin at.
        names: N paths, as an array of bytes: workers share it, where each would copy a list.
        labels: N, int64.
        classes: the names of the K classes.
        shape: C, H, W of a picture as the network sees it.
        fit: which part of a picture is tested.
        crop: which part of a picture is learned from.
        workers: processes that read batches.
        max_unreadable: share of the files that may turn out to be no pictures.
    """

    root: Path
    names: np.ndarray
    labels: Tensor
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    fit: Fit
    crop: Crop = LEARNED_FROM
    workers: int = 0
    max_unreadable: float = 0.0

    @classmethod
    def of(cls, part: Part, **settings: object) -> Self:
        """Make a set of a part of a folder; the other arguments are those of the class."""
        names = np.array([os.fsencode(name) for name in part.names])
        return cls(names=names, labels=torch.tensor(part.labels), **settings)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.labels)

    def path(self, index: int) -> Path:
        """Return where a picture lies."""
        return self.root / os.fsdecode(self.names[index])

    def to(self, device: torch.device) -> Self:
        """Return the set with its labels on a device; so are its batches and views then."""
        return replace(self, labels=self.labels.to(device))

    def fingerprint(self) -> str:
        """Name the files by their paths, lengths and labels; the pixels are not looked at.

        Raises:
            DataError: a file is not there any more.
        """
        content = hashlib.sha256()
        labels = self.labels.tolist()
        for index, label in enumerate(labels):
            try:
                length = self.path(index).stat().st_size
            except OSError:
                raise DataError(f"{self.path(index)} is not there any more") from None
            content.update(b"%b\0%d\0%d\0" % (self.names[index], length, label))
        return content.hexdigest()[:12]

    def viewed(self, view: View, batch_size: int) -> Iterator[Tensor]:
        """Yield views of all pictures in their order: N, V, C, h, w of uint8.

        A view that wants no shorter side is of the part that `fit` says. Others are of all of the
        picture, read from its file at the shorter side that they want (and stretched, if that is
        what `fit` says). Where views of all pictures have one size, all batches but the last have
        `batch_size` pictures; else pictures of different proportions come in different batches.

        Raises:
            DataError: a file cannot be read.
        """

        def seen(path: Path) -> Tensor:
            picture = self._read(path, view.short_side)
            return view(picture[None])[0] if view.one_size else picture

        def finished(gathered: list[Tensor]) -> Tensor:
            stacked = torch.stack(gathered).to(self.labels.device)
            return stacked if view.one_size else view(stacked)

        gathered: list[Tensor] = []
        for found in each(map(self.path, range(len(self))), seen):
            if isinstance(found, DataError):
                raise DataError(
                    f"{found}; every picture of this part counts, so remove the file or mend it"
                )
            if gathered and (len(gathered) == batch_size or found.shape != gathered[0].shape):
                yield finished(gathered)
                gathered = []
            gathered.append(found)
        if gathered:
            yield finished(gathered)

    def _read(self, path: Path, short_side: int | None) -> Tensor:
        channels, height, width = self.shape
        if short_side is None:
            return read(path, self.shape, self.fit)
        if isinstance(self.fit, Whole):
            least = min(height, width)
            scaled = (channels, short_side * height // least, short_side * width // least)
            return read(path, scaled, self.fit)
        return read_short_side(path, channels, short_side)

    def __getitem__(self, index: int) -> Tensor:
        """Return one picture as it is tested: C, H, W."""
        return read(self.path(index), self.shape, self.fit)

    def sample(self) -> Tensor:
        """Read some pictures, the same every time, to take statistics: n, C, H, W.

        Raises:
            DataError: none of them can be read.
        """
        order = torch.randperm(len(self), generator=runtime.generator(0, "sample"))[:SAMPLE]
        paths = map(self.path, order.tolist())
        found = each(paths, lambda path: read(path, self.shape, self.fit))
        pictures = [picture for picture in found if isinstance(picture, Tensor)]
        if not pictures:
            raise DataError(f"none of the pictures below {self.root} that were tried can be read")
        return torch.stack(pictures)

    def select(self, indices: Tensor) -> Self:
        """Return the pictures with these indices, in their order."""
        return replace(self, names=self.names[indices.cpu().numpy()], labels=self.labels[indices])

    def batches(self, serving: Serving) -> FileBatches:
        """Return what gives the batch of every iteration."""
        return FileBatches(
            Reading(
                root=self.root,
                names=self.names,
                shape=self.shape,
                crop=self.crop,
                seed=serving.seed,
            ),
            self.labels,
            serving,
            workers=self.workers,
            max_unreadable=self.max_unreadable,
        )
