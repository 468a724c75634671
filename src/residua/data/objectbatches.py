"""Batches of pictures with objects, as a pure function of the iteration.

Dimension key:
    N pictures of a batch   M pictures of the set   H, W height and width of all, padded
"""

from bisect import bisect
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

from residua.data.objects import Annotated, Objects
from residua.data.order import Order
from residua.data.resize import ResizeConfig, Resized, resized
from residua.errors import ConfigError
from residua.runtime import generator

# The most that resized pictures may take in memory, in bytes, to be kept from epoch to epoch.
MEMORY = 1 << 30
# Batches whose pictures are read before they are asked for.
AHEAD = 2


@dataclass(frozen=True, eq=False)
class ObjectBatch:
    """Pictures as the network takes them, and what is in them.

    Shape:
        images_NCHW: normalized; zero to the right of and below each picture.
        sizes_N2: int64, height and width of each picture inside the padding.
        scales_N: float32, by what each was enlarged before its sides were rounded.

    Args:
        images_NCHW: the pictures.
        sizes_N2: see above.
        objects: of each picture, in its resized pixels.
        scales_N: see above.
    """

    images_NCHW: Tensor
    sizes_N2: Tensor
    objects: tuple[Objects, ...]
    scales_N: Tensor

    def __len__(self) -> int:
        return len(self.objects)

    def split(self, parts: int) -> list["ObjectBatch"]:
        """Cut into parts of equal size; all keep the padding of the whole."""
        cuts = [len(self) * part // parts for part in range(parts + 1)]
        return [self._between(first, last) for first, last in pairwise(cuts) if first < last]

    def _between(self, first: int, last: int) -> "ObjectBatch":
        return ObjectBatch(
            self.images_NCHW[first:last],
            self.sizes_N2[first:last],
            self.objects[first:last],
            self.scales_N[first:last],
        )


@dataclass(frozen=True, kw_only=True)
class ObjectServing:
    """How batches are made of a set of pictures with objects.

    Args:
        batch_size: pictures per batch.
        seed: of the run.
        normalize: from N, C, H, W of uint8 to what the network takes.
        resize: how large pictures become.
        flip: how often left and right are swapped, from 0 to 1.
        multiple: height and width of a batch are multiples of it.
        grouped: batches hold wide or tall pictures, and only few both, so that padding is little.
        share: which pictures of each batch are wanted, where several processes share it. They are
            padded as the whole batch, so that each is the same however many processes there are.
        device: where batches shall be.
        threads: that read ahead; 0 reads when a batch is asked for.
        memory: the most bytes of resized pictures to keep; larger sets are read every time.
    """

    batch_size: int
    seed: int
    normalize: Callable[[Tensor], Tensor]
    resize: ResizeConfig = field(default_factory=ResizeConfig)
    flip: float = 0.5
    multiple: int = 32
    grouped: bool = True
    share: slice = field(default_factory=lambda: slice(None))
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    threads: int = 1
    memory: int = MEMORY

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.multiple < 1 or self.threads < 0 or not 0 <= self.flip <= 1:
            raise ConfigError(
                "batch_size and multiple must be at least 1, threads at least 0 and flip in [0, 1],"
                f" got {self.batch_size}, {self.multiple}, {self.threads} and {self.flip}"
            )
        if not range(self.batch_size)[self.share]:
            raise ConfigError(
                f"a batch of {self.batch_size} leaves a process without pictures: use a larger "
                "batch_size, or fewer processes"
            )


class ObjectBatches:
    """`batches[i]` is the batch of iteration i, whatever was asked for before.

    Args:
        images: the training pictures.
        serving: how.
    """

    def __init__(self, images: Annotated, serving: ObjectServing) -> None:
        self.images = images
        self.serving = serving
        self.sizes = [serving.resize.size(size) for size in images.sizes]
        self.scales = [serving.resize.scale(size) for size in images.sizes]
        needed = sum(3 * height * width for height, width in self.sizes)
        self._kept: dict[int, Resized] | None = {} if needed <= serving.memory else None
        tall = torch.tensor([height > width for height, width in images.sizes])
        orders = GroupedOrder if serving.grouped else Order
        order = orders(tall.long(), batch_size=serving.batch_size, seed=serving.seed)
        self.indices = order.indices
        self._pool = ThreadPoolExecutor(serving.threads) if serving.threads else None
        self._ahead: dict[int, list[Future[Resized]]] = {}

    def __getitem__(self, iteration: int) -> ObjectBatch:
        serving = self.serving
        indices = self.indices(iteration).tolist()
        random = generator(serving.seed, "flip", iteration)
        flips = (torch.rand(len(indices), generator=random) < serving.flip).tolist()
        size = _common([self.sizes[index] for index in indices], serving.multiple)
        wanted = indices[serving.share]
        return self._batch(wanted, self._read(iteration, wanted), flips[serving.share], size)

    def _read(self, iteration: int, wanted: Sequence[int]) -> list[Resized]:
        """Take what was read ahead, and have the next batches read."""
        if self._pool is None:
            return [self._picture(index) for index in wanted]
        reading = {
            number: self._ahead.get(number) or self._start(number)
            for number in range(iteration, iteration + AHEAD + 1)
        }
        self._ahead = {number: reading[number] for number in reading if number > iteration}
        return [future.result() for future in reading[iteration]]

    def _start(self, iteration: int) -> list[Future[Resized]]:
        assert self._pool is not None
        wanted = self.indices(iteration).tolist()[self.serving.share]
        return [self._pool.submit(self._picture, index) for index in wanted]

    def _picture(self, index: int) -> Resized:
        """Read and resize a picture, or return it as it was kept."""
        if self._kept is not None and index in self._kept:
            return self._kept[index]
        found = resized(self.images.picture(index), self.serving.resize)
        if self._kept is not None:
            self._kept[index] = found
        return found

    def _batch(
        self,
        indices: Sequence[int],
        pictures: Sequence[Resized],
        flips: Sequence[bool],
        size: tuple[int, int],
    ) -> ObjectBatch:
        serving = self.serving
        images: list[Tensor] = []
        objects: list[Objects] = []
        for index, (picture, ratios), flip in zip(indices, pictures, flips, strict=True):
            normal = serving.normalize(picture[None].to(serving.device))
            found = self.images.objects(index).scaled(ratios)
            images.append(normal.flip(3) if flip else normal)
            objects.append(found.flipped(picture.shape[2]) if flip else found)
        return ObjectBatch(
            padded(images, size),
            torch.tensor([self.sizes[index] for index in indices], device=serving.device),
            tuple(each.to(serving.device) for each in objects),
            torch.tensor([self.scales[index] for index in indices], device=serving.device),
        )

    def close(self) -> None:
        """Let go of the threads that read ahead."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._ahead = {}


class SteppedBatches:
    """Batches of a training in steps, each with batches of its own size.

    Args:
        steps: what gives the batches of each step.
        starts: the first iteration of each.
    """

    def __init__(self, steps: Sequence[ObjectBatches], starts: Sequence[int]) -> None:
        self.steps = steps
        self.starts = starts

    def __getitem__(self, iteration: int) -> ObjectBatch:
        number = bisect(self.starts, iteration) - 1
        return self.steps[number][iteration - self.starts[number]]

    def close(self) -> None:
        """Let go of the threads that read ahead."""
        for step in self.steps:
            step.close()


def _common(sizes: Sequence[tuple[int, int]], multiple: int) -> tuple[int, int]:
    """Return the least height and width that hold all, rounded up to a multiple."""
    height, width = (-(-max(sides) // multiple) * multiple for sides in zip(*sizes, strict=True))
    return height, width


def padded(images: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """Lay pictures of 1, C, h, w into the upper left corners of one tensor of zeros: N, C, H, W."""
    like = images[0]
    shape = (len(images), like.shape[1], *size)
    whole = torch.zeros(shape, dtype=like.dtype, device=like.device)
    whole = whole.contiguous(memory_format=torch.channels_last)
    for place, image in zip(whole, images, strict=True):
        place[:, : image.shape[2], : image.shape[3]] = image[0]
    return whole


class GroupedOrder:
    """The order of `Order`, but with pictures of one kind side by side in batches.

    Every picture is seen once per epoch and no batch is short. What does not fill a batch of its
    kind goes to the ends of the epoch, in batches that may be mixed.

    Args:
        labels: M, the kind of every picture.
        batch_size: pictures per batch.
        seed: of the run.
    """

    def __init__(self, labels: Tensor, *, batch_size: int, seed: int) -> None:
        self.labels = labels
        self.batch_size = batch_size
        self.seed = seed
        self._epoch_order = lru_cache(maxsize=2)(self._shuffle)

    def indices(self, iteration: int) -> Tensor:
        """List which pictures the batch of an iteration holds, in their order."""
        count, first = len(self.labels), iteration * self.batch_size
        epochs = range(first // count, (first + self.batch_size - 1) // count + 1)
        stream = torch.cat([self._epoch_order(epoch) for epoch in epochs])
        start = first - epochs[0] * count
        return stream[start : start + self.batch_size]

    def _shuffle(self, epoch: int) -> Tensor:
        random = generator(self.seed, "order", epoch)
        order = torch.randperm(len(self.labels), generator=random)
        batches: list[Tensor] = []
        rest: list[Tensor] = []
        for kind in self.labels.unique().tolist():
            members = order[self.labels[order] == kind]
            whole = len(members) // self.batch_size * self.batch_size
            batches.extend(members[:whole].split(self.batch_size))
            rest.append(members[whole:])
        # The batch that the epoch before began is filled first.
        begun = -epoch * len(self.labels) % self.batch_size
        shuffled = torch.randperm(len(batches), generator=random).tolist()
        if begun > sum(map(len, rest)) and batches:
            rest.append(batches[shuffled.pop()])
        left = torch.cat(rest)
        return torch.cat([left[:begun], *(batches[index] for index in shuffled), left[begun:]])
