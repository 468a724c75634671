"""What a set of pictures is asked for, and batches of it as a pure function of the iteration.

Dimension key:
    N pictures   C channels   H, W height and width   K classes
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self, TypeVar

import torch
from torch import Generator, Tensor

from residua.data.order import Order


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


Batch_co = TypeVar("Batch_co", covariant=True)

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

    def batches(self, serving: Serving) -> "Served[Batch]":
        """Return what gives the batch of every iteration."""
        ...


class Served(Protocol[Batch_co]):
    """Batches, as a pure function of the iteration."""

    def __getitem__(self, iteration: int) -> Batch_co: ...
    def close(self) -> None:
        """Let go of what prepares batches ahead."""
        ...


@dataclass(frozen=True)
class Origin:
    """The files that a data set was read from.

    Args:
        title: of the set as its authors distribute it.
        md5: of each file, by its name.
        foreign: names of the files that are not byte for byte the authors'.
    """

    title: str
    md5: Mapping[str, str]
    foreign: tuple[str, ...]


@dataclass(frozen=True)
class Splits:
    """The three parts of a data set.

    Args:
        train: to learn from.
        validation: to choose with; None where nothing is chosen.
        test: looked at once, when everything is chosen.
        origin: of sets that their authors distribute.
    """

    train: Pictures
    validation: Pictures | None
    test: Pictures
    origin: Origin | None = None
