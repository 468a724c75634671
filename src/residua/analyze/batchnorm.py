"""The doctor of batch normalization: what of a net's errors is due to its statistics.

In training a layer normalizes with the mean and variance of the batch, in evaluation with averages
that it has kept. A net is examined with both, with exact averages, and with small batches.

Sources:
    [I] Ioffe and Szegedy, Batch Normalization, arXiv:1502.03167, section 3.1.
    [N] The notes to the release of He et al., arXiv:1512.03385: exact averages in place of moving
        ones.

Dimension key:
    N pictures
"""

import copy
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Tensor, nn

from residua.analyze.norm_drift import LayerDrift, drifts
from residua.config import settings
from residua.nn.fold import fold
from residua.nn.frozen import FrozenNorm, freeze
from residua.nn.modes import evaluating
from residua.nn.norms import KEPT, by_batch, norms_of

# Layers that are mended one after another, at most.
MENDED = 5


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a net does on a set of pictures.

    Args:
        loss: mean cross-entropy, in nats.
        wrong_N: of each of N pictures, always in the same order, whether it is named wrongly.
    """

    loss: float
    wrong_N: Tensor

    @property
    def count(self) -> int:
        """Pictures."""
        return len(self.wrong_N)

    @property
    def error(self) -> float:
        """Share of pictures that are named wrongly, in percent."""
        return 100 * self.wrong_N.double().mean().item()


# From a net, pictures in a batch (None for as many as suit) and the number of an order of them.
Measure = Callable[[nn.Module, int | None, int], Measured]


@settings
class Examining:
    """How a net is examined.

    Attributes:
        sizes: of batches whose own statistics are used, in pictures, from 2 on, growing.
        shuffles: in how many orders pictures are put into batches.
        drifted: from how many standard deviations on a layer is said to have drifted.
        trained_with: pictures whose statistics were taken together in training, where it is known.
    """

    sizes: tuple[int, ...]
    shuffles: int = 3
    drifted: float = 0.25
    trained_with: int | None = None


@dataclass(frozen=True, kw_only=True)
class InBatches:
    """What a net does with the statistics of batches of one size.

    Args:
        size: pictures in a batch.
        found: one measurement for each order of the pictures.
    """

    size: int
    found: tuple[Measured, ...]

    @property
    def error(self) -> float:
        """Mean over the orders, in percent."""
        return statistics.mean(each.error for each in self.found)

    @property
    def loss(self) -> float:
        """Mean over the orders, in nats."""
        return statistics.mean(each.loss for each in self.found)


@dataclass(frozen=True, kw_only=True)
class Mended:
    """What exact statistics in one more layer come to.

    Args:
        name: of the layer that was mended last; those listed before it are mended too.
        measured: with running statistics in all other layers.
    """

    name: str
    measured: Measured


@dataclass(frozen=True, kw_only=True)
class Change:
    """What freezing or folding does to a net.

    Args:
        layers: normalizations that it changes.
        left: normalizations that it cannot.
        parameters: numbers that are learned no more, or gone.
        difference: the largest change of an output in evaluation, by the largest output.
    """

    layers: int
    left: int
    parameters: int
    difference: float


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What was found.

    Args:
        how: it was examined.
        running: with the statistics that the net keeps.
        exact: with exact ones.
        batches: with those of batches, small ones first.
        layers: how far each layer's statistics are off, the furthest first.
        mended: those that drifted, mended one after another, the furthest first; at most five.
        frozen: normalizations that had been frozen before, and are not examined.
        freezing: what it would change.
        folding: what it would change.
    """

    how: Examining
    running: Measured
    exact: Measured
    batches: tuple[InBatches, ...]
    layers: tuple[LayerDrift, ...]
    mended: tuple[Mended, ...]
    frozen: int
    freezing: Change
    folding: Change


def examine(
    net: nn.Module, exact: nn.Module, example: Tensor, *, measure: Measure, how: Examining
) -> Examination:
    """Examine the batch normalization of a net; it is as it was afterwards.

    Args:
        net: as it is used.
        exact: a copy with exact statistics, of the same pictures that the net learned from.
        example: inputs of the net, N, C, H, W, to compare outputs with.
        measure: the loss and error of a net in evaluation.
        how: to examine.

    Raises:
        ConfigError: the net has no batch normalization that keeps statistics.
    """
    layers = drifts(net, exact)
    return Examination(
        how=how,
        running=measure(net, None, 0),
        exact=measure(exact, None, 0),
        batches=tuple(_in_batches(net, size, measure, how.shuffles) for size in how.sizes),
        layers=tuple(layers),
        mended=tuple(_mending(net, exact, layers, measure, how.drifted)),
        frozen=sum(isinstance(module, FrozenNorm) for module in net.modules()),
        freezing=_freezing(net, example),
        folding=_folding(net, example),
    )


def _in_batches(net: nn.Module, size: int, measure: Measure, shuffles: int) -> InBatches:
    with by_batch(net):
        found = tuple(measure(net, size, number) for number in range(shuffles))
    return InBatches(size=size, found=found)


def _mending(
    net: nn.Module, exact: nn.Module, layers: list[LayerDrift], measure: Measure, drifted: float
) -> Iterator[Mended]:
    """Give the layers that drifted exact statistics, one after another."""
    made = copy.deepcopy(net)
    mine, theirs = norms_of(made), norms_of(exact)
    for layer in list(takewhile(lambda each: each.drift > drifted, layers))[:MENDED]:
        for name in KEPT:
            setattr(mine[layer.name], name, getattr(theirs[layer.name], name))
        yield Mended(name=layer.name, measured=measure(made, None, 0))


def _freezing(net: nn.Module, example: Tensor) -> Change:
    made = copy.deepcopy(net)
    flat = [layer for layer in norms_of(made).values() if isinstance(layer, nn.BatchNorm2d)]
    parameters = sum(p.numel() for layer in flat for p in layer.parameters())
    left = len(norms_of(made)) - len(flat)
    freeze(made, flat)
    difference = _difference(net, made, example)
    return Change(layers=len(flat), left=left, parameters=parameters, difference=difference)


def _folding(net: nn.Module, example: Tensor) -> Change:
    found = fold(net)
    gone = sum(p.numel() for p in net.parameters()) - sum(p.numel() for p in found.net.parameters())
    difference = _difference(net, found.net, example)
    return Change(
        layers=len(found.folded), left=len(found.left), parameters=gone, difference=difference
    )


@torch.no_grad()
def _difference(net: nn.Module, other: nn.Module, example: Tensor) -> float:
    with evaluating(net, other):
        mine, theirs = net(example), other(example)
    largest = mine.abs().max().item()
    return (mine - theirs).abs().max().item() / largest if largest else 0.0
