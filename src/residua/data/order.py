"""Which pictures a batch holds, as a pure function of the iteration.

Dimension key:
    N pictures
"""

from functools import lru_cache

import torch
from torch import Generator, Tensor

from residua.runtime import generator


class Order:
    """Which pictures the batch of every iteration holds.

    The pictures are shuffled anew for every epoch, and the epochs are joined to one stream that is
    cut into batches of equal size; so every picture is seen once per epoch, no batch is short, and
    a run can go on at any iteration.

    Args:
        labels: N, the class of every picture.
        batch_size: pictures per batch.
        seed: of the run.
        balance: show every class equally often instead: an epoch is as long, but holds pictures of
            small classes several times, and a part of those of large classes, another one each
            epoch.
    """

    def __init__(
        self, labels: Tensor, *, batch_size: int, seed: int, balance: bool = False
    ) -> None:
        self.count = len(labels)
        self.batch_size = batch_size
        self.seed = seed
        self._members = _members(labels.cpu()) if balance else None
        self._epoch_order = lru_cache(maxsize=2)(self._shuffle)

    def indices(self, iteration: int) -> Tensor:
        """List which pictures the batch of an iteration holds, in their order."""
        first = iteration * self.batch_size
        positions = range(first, first + self.batch_size)
        epochs = range(positions[0] // self.count, positions[-1] // self.count + 1)
        stream = torch.cat([self._epoch_order(epoch) for epoch in epochs])
        start = first - epochs[0] * self.count
        return stream[start : start + self.batch_size]

    def _shuffle(self, epoch: int) -> Tensor:
        random = generator(self.seed, "order", epoch)
        if self._members is None:
            return torch.randperm(self.count, generator=random)
        k = len(self._members)
        # What does not divide evenly goes to other classes every epoch.
        shares = [(self.count + (label + epoch) % k) // k for label in range(k)]
        drawn = [
            _repeated(members, share, random)
            for members, share in zip(self._members, shares, strict=True)
        ]
        shown = torch.cat(drawn)
        return shown[torch.randperm(self.count, generator=random)]


def _members(labels: Tensor) -> list[Tensor]:
    """List the indices of every class that has pictures."""
    return [(labels == label).nonzero().flatten() for label in labels.unique()]


def _repeated(members: Tensor, share: int, random: Generator) -> Tensor:
    """Draw as many as asked for, none of them again before all were drawn."""
    rounds = -(-share // len(members))
    drawn = [members[torch.randperm(len(members), generator=random)] for _ in range(rounds)]
    return torch.cat(drawn)[:share]
