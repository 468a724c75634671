"""Batches of pictures that workers read from files, as a pure function of the iteration.

Dimension key:
    N pictures of the set   B pictures of a batch   C channels   H, W height and width
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from residua import runtime
from residua.data.decode import cut
from residua.data.fit import Crop
from residua.data.loading import Batch, Serving
from residua.data.upright import Box
from residua.data.workers import Workers
from residua.errors import DataError, DataWarning

# Batches that are prepared beyond the one asked for.
AHEAD = 2
# Files tried in the place of one that cannot be read.
ATTEMPTS = 16


class Stretch(NamedTuple):
    """Some places in a batch that are next to one another, and which pictures belong there."""

    iteration: int
    first: int
    indices: list[int]


class Filled(NamedTuple):
    """The pictures of a stretch, which of the set they are, and what could not be read.

    Shape:
        pixels: n, C, H, W, uint8.
    """

    pixels: np.ndarray
    indices: list[int]
    unread: list[tuple[int, str]]


@dataclass(frozen=True, eq=False)
class Reading:
    """How the pictures of a batch are read; an object that workers get a copy of.

    In the place of a file that cannot be read stands the next one that can, with its own label.

    Args:
        root: what the paths begin at.
        names: N paths, as bytes.
        shape: C, H, W of the result.
        crop: which part of a picture is taken.
        seed: of the run.
    """

    root: Path
    names: np.ndarray
    shape: tuple[int, int, int]
    crop: Crop
    seed: int

    def __call__(self, stretch: Stretch) -> Filled:
        pixels = np.empty((len(stretch.indices), *self.shape), dtype=np.uint8)
        used: list[int] = []
        unread: list[tuple[int, str]] = []
        for row, index in enumerate(stretch.indices):
            seed = runtime.derive(self.seed, "picture", stretch.iteration, stretch.first + row)
            for attempt in range(ATTEMPTS):
                other = (index + attempt) % len(self.names)
                try:
                    pixels[row] = self._picture(other, Random(seed))
                except DataError as error:
                    unread.append((other, str(error)))
                else:
                    used.append(other)
                    break
            else:
                raise DataError(f"{ATTEMPTS} files in a row cannot be read: {unread[-1][1]}")
        return Filled(pixels, used, unread)

    def _picture(self, index: int, random: Random) -> Tensor:
        channels, height, width = self.shape
        out = (width, height)

        def choose(size: tuple[int, int]) -> tuple[Box, tuple[int, int]]:
            return self.crop.draw(size, out, random), out

        path = self.root / os.fsdecode(self.names[index])
        mirror = self.crop.flip and random.random() < 0.5
        return cut(path, choose, channels, resample=Image.Resampling.BILINEAR, mirror=mirror)


class FileBatches:
    """`batches[i]` is the batch of iteration i, whatever was asked for before.

    The random part of a picture depends on the seed, the iteration and the place in the batch, so
    neither the number of workers nor where a run goes on changes it.

    Args:
        reading: how pictures are read.
        labels: N, on the device where the batches shall be.
        serving: which pictures each batch holds, and what is done to them on that device.
        workers: processes that read; with 0 the batch is read when it is asked for.
        max_unreadable: share of the N files that may turn out to be no pictures.
    """

    def __init__(
        self,
        reading: Reading,
        labels: Tensor,
        serving: Serving,
        *,
        workers: int,
        max_unreadable: float,
    ) -> None:
        self.labels = labels
        self.serving = serving
        self.indices = serving.order(labels).indices
        self.max_unreadable = max_unreadable
        self.unread: dict[int, str] = {}
        self._shape = reading.shape
        self._pieces = max(1, workers)
        self._ahead = AHEAD if workers else 0
        self._workers: Workers[Stretch, Filled] = Workers(reading, workers)
        self._asked: dict[int, list[Callable[[], Filled]]] = {}

    def __getitem__(self, iteration: int) -> Batch:
        """Return a batch, and have the next ones prepared.

        Raises:
            DataError: more files than allowed are no pictures.
            RunError: a worker has died.
        """
        serving, device = self.serving, self.labels.device
        wanted = range(iteration, iteration + self._ahead + 1)
        self._asked = {i: self._asked.get(i) or self._ask(i) for i in wanted}
        parts = [answer() for answer in self._asked.pop(iteration)]
        self._note([fault for part in parts for fault in part.unread])
        read = torch.from_numpy(np.concatenate([part.pixels for part in parts])).to(device)
        indices = torch.tensor([index for part in parts for index in part.indices], device=device)
        random = runtime.generator(serving.seed, "augment", iteration)
        placed = self._placed(read)
        prepared = placed if serving.prepare is None else serving.prepare(placed)
        images = serving.augment(prepared, random)[serving.share]
        return Batch(serving.normalize(images), self.labels[indices])

    def _placed(self, read: Tensor) -> Tensor:
        """Put the pictures of this process in their places in the batch; the others are black."""
        if len(read) == self.serving.batch_size:
            return read
        batch = read.new_zeros(self.serving.batch_size, *self._shape)
        batch[self.serving.share] = read
        return batch

    def close(self) -> None:
        """End the workers."""
        self._workers.close()

    def _ask(self, iteration: int) -> list[Callable[[], Filled]]:
        indices = self.indices(iteration).tolist()
        places = range(len(indices))[self.serving.share]
        size = -(-len(places) // self._pieces)
        stretches = [places[first : first + size] for first in range(0, len(places), size)]
        return [
            self._workers.ask(Stretch(iteration, part[0], [indices[place] for place in part]))
            for part in stretches
        ]

    def _note(self, faults: list[tuple[int, str]]) -> None:
        """Warn of files that are no pictures, once each; too many end the training."""
        for index, why in faults:
            if index not in self.unread:
                self.unread[index] = why
                warnings.warn(f"{why}; the next file takes its place", DataWarning, stacklevel=3)
        allowed = self.max_unreadable * len(self.labels)
        if len(self.unread) > allowed:
            raise DataError(
                f"{len(self.unread)} of {len(self.labels):,} files cannot be read, and "
                f"max_unreadable allows {100 * self.max_unreadable:g} %: the first is "
                f"{next(iter(self.unread.values()))}"
            )
