"""Sets of pictures in memory.

Dimension key:
    N pictures   C channels   H, W height and width   K classes
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from residua.data.loading import Batch, Serving, View
from residua.errors import ConfigError, DataError, ShapeError
from residua.runtime import generator


@dataclass(frozen=True)
class ImageSet:
    """Labelled pictures of one size, held as bytes.

    Shape:
        images: N, C, H, W, uint8.  labels: N, int64, in [0, K).

    Args:
        images: the pictures.
        labels: the index of each picture's class.
        classes: the names of the K classes.

    Raises:
        ShapeError: the tensors do not belong together.
        DataError: there is no picture, or a label has no class.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != torch.uint8:
            raise ShapeError(
                "images must be N, C, H, W of type uint8, got "
                f"{tuple(self.images.shape)} of {self.images.dtype}"
            )
        if self.labels.shape != self.images.shape[:1] or self.labels.dtype != torch.int64:
            raise ShapeError(
                f"labels must be {len(self.images)} numbers of type int64, got "
                f"{tuple(self.labels.shape)} of {self.labels.dtype}"
            )
        if not len(self.images):
            raise DataError("a set of pictures is empty")
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < 0 or high >= len(self.classes):
            raise DataError(
                f"labels lie in [{low}, {high}], but the classes are numbered 0 to "
                f"{len(self.classes) - 1}"
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """C, H, W."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    def select(self, indices: Tensor) -> Self:
        """Return the pictures with these indices, in their order."""
        return type(self)(self.images[indices], self.labels[indices], self.classes)

    def to(self, device: torch.device) -> Self:
        """Return the set on a device; itself, if it is there."""
        if self.images.device == device:
            return self
        return type(self)(self.images.to(device), self.labels.to(device), self.classes)

    def viewed(self, view: View, batch_size: int) -> Iterator[Tensor]:
        """Yield views of all pictures in their order: N, V, C, h, w of uint8."""
        return map(view, self.images.split(batch_size))

    def __getitem__(self, index: int) -> Tensor:
        """Return one picture: C, H, W, on the processor."""
        return self.images[index].cpu()

    def sample(self) -> Tensor:
        """Return all pictures: N, C, H, W."""
        return self.images

    def batches(self, serving: Serving) -> "Batches":
        """Return what gives the batch of every iteration."""
        return Batches(self, serving)

    def fingerprint(self) -> str:
        """Name the content: twelve hexadecimal digits of pictures and labels together."""
        content = hashlib.sha256(self.images.cpu().contiguous().numpy().tobytes())
        content.update(self.labels.cpu().numpy().tobytes())
        return content.hexdigest()[:12]


class Batches:
    """`batches[i]` is the batch of iteration i, whatever was asked for before.

    Args:
        images: the training pictures, on the device where the batches shall be.
        serving: how.
    """

    def __init__(self, images: ImageSet, serving: Serving) -> None:
        self.images = images
        self.serving = serving
        prepare = serving.prepare
        self.prepared = images.images if prepare is None else prepare(images.images)
        self.indices = serving.order(images.labels).indices

    def __getitem__(self, iteration: int) -> Batch:
        serving = self.serving
        indices = self.indices(iteration).to(self.images.images.device)
        random = generator(serving.seed, "augment", iteration)
        images = serving.augment(self.prepared[indices], random)[serving.share]
        return Batch(serving.normalize(images), self.images.labels[indices][serving.share])

    def close(self) -> None:
        """Do nothing: nothing is prepared ahead."""


def hold_out(images: ImageSet, count: int) -> tuple[ImageSet, ImageSet | None]:
    """Split a set in two, the same number of every class in the second part to the nearest.

    The split depends on the number and on the labels alone, so it is the same everywhere.

    Args:
        images: the set.
        count: how many pictures the second part gets.

    Returns:
        The rest and the part, each in the order of the set; None for a part without pictures.

    Raises:
        ConfigError: there are not that many, or none would be left.
    """
    if not 0 <= count < len(images):
        raise ConfigError(f"holdout must be in [0, {len(images)}), got {count}")
    if not count:
        return images, None
    order = torch.randperm(len(images), generator=generator(0, "holdout"))
    # Rank the pictures of each class in a random order; the lowest ranks of all are held out.
    by_class = order[images.labels[order].argsort(stable=True)]
    counts = torch.bincount(images.labels, minlength=len(images.classes))
    starts = (counts.cumsum(0) - counts)[images.labels[by_class]]
    share = (torch.arange(len(images)) - starts) / counts[images.labels[by_class]]
    held = torch.zeros(len(images), dtype=torch.bool)
    held[by_class[share.argsort(stable=True)[:count]]] = True
    return images.select((~held).nonzero().flatten()), images.select(held.nonzero().flatten())
