"""Sets of pictures in memory, and batches of them as a pure function of the iteration.

Dimension key:
    N pictures   C channels   H, W height and width   K classes
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self

import torch
from torch import Generator, Tensor

from residua.data.order import Order
from residua.errors import ConfigError, DataError, ShapeError
from residua.runtime import generator


class Batch(NamedTuple):
    """Pictures as the network takes them, and their labels.

    Shape:
        images: N, C, H, W, normalized.  labels: N, in [0, K).
    """

    images: Tensor
    labels: Tensor

    def split(self, parts: int) -> list[Self]:
        """Cut into parts of equal size."""
        images, labels = self.images.chunk(parts), self.labels.chunk(parts)
        return [type(self)(*part) for part in zip(images, labels, strict=True)]


# From pictures in [0, 255] and a generator to pictures in [0, 255].
Augment = Callable[[Tensor, Generator], Tensor]
# From pictures in [0, 255] to what the network takes.
Step = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How batches are made of a set of pictures.

    Args:
        batch_size: pictures per batch.
        seed: of the run.
        augment: from pictures in [0, 255] and a generator to pictures in [0, 255].
        normalize: the last step.
        balance: show every class equally often, as `Order` says.
        share: which pictures of each batch are wanted, where several processes share it. All are
            augmented, so that each is the same picture however many processes there are.
        prepare: done once to every picture, before augmentation. Of pictures in memory what it
            returns is held instead of the bytes.
    """

    batch_size: int
    seed: int
    augment: Augment
    normalize: Step
    balance: bool = False
    share: slice = field(default_factory=lambda: slice(None))
    prepare: Step | None = None

    def order(self, labels: Tensor) -> Order:
        """Return which pictures each batch holds."""
        return Order(labels, batch_size=self.batch_size, seed=self.seed, balance=self.balance)


@dataclass(frozen=True)
class View:
    """What of a picture a network looks at.

    Args:
        take: N, C, H, W of uint8 to N, V, C, h, w for V views of each; it resizes what has not yet
            the shorter side that it wants.
        short_side: of the picture that views are taken of, in pixels: files are read at this size.
            Without it views are taken of a picture as it is tested.
        one_size: whether views of pictures of any proportions have one size.
    """

    take: Callable[[Tensor], Tensor]
    short_side: int | None = None
    one_size: bool = False

    def __call__(self, images: Tensor) -> Tensor:
        """Return views of N, C, H, W pictures: N, V, C, h, w."""
        return self.take(images)


def _all_of_it(images: Tensor) -> Tensor:
    return images[:, None]


# One view of each picture, all of it: N, C, H, W to N, 1, C, H, W.
whole = View(_all_of_it)


class Pictures(Protocol):
    """Labelled pictures, in memory or in files.

    Attributes:
        labels: N, int64, in [0, K).
        classes: the names of the K classes.
        shape: C, H, W of a picture as it is learned from.
    """

    @property
    def labels(self) -> Tensor: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def shape(self) -> tuple[int, int, int]: ...

    def __len__(self) -> int: ...

    def to(self, device: torch.device) -> Self:
        """Return the set with its tensors on a device."""
        ...

    def fingerprint(self) -> str:
        """Name the content: twelve hexadecimal digits."""
        ...

    def viewed(self, view: View, batch_size: int) -> Iterator[Tensor]:
        """Yield views of all pictures in their order: N, V, C, h, w of uint8.

        Pictures of different sizes come in different batches.
        """
        ...

    def __getitem__(self, index: int) -> Tensor:
        """Return one picture as it is tested: C, H, W of uint8, on the processor."""
        ...

    def sample(self) -> Tensor:
        """Return the pictures, or enough of them to take statistics: N, C, H, W of uint8."""
        ...

    def select(self, indices: Tensor) -> Self:
        """Return the pictures with these indices, in their order."""
        ...

    def batches(self, serving: Serving) -> "Served":
        """Return what gives the batch of every iteration."""
        ...


class Served(Protocol):
    """Batches, as a pure function of the iteration."""

    def __getitem__(self, iteration: int) -> Batch: ...
    def close(self) -> None:
        """Let go of what prepares batches ahead."""
        ...


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


@dataclass(frozen=True)
class Splits:
    """The three parts of a data set.

    Args:
        train: to learn from.
        validation: to choose with; None where nothing is chosen.
        test: looked at once, when everything is chosen.
    """

    train: Pictures
    validation: Pictures | None
    test: Pictures


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
