"""Lesions: what a trained net loses without one of its blocks, without several, or in disorder.

Sources:
    [V] Veit et al., Residual Networks Behave Like Ensembles of Relatively Shallow Networks,
        arXiv:1605.06431: section 4.1 and figures 3 and 4 (one block deleted), 4.2 and figure 5a
        (several), 4.3 and figure 5b (blocks swapped, against Kendall's rank correlation).
"""

import itertools
import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

import torch
from torch import Generator, nn

from residua.errors import ConfigError
from residua.nets.blocks_of import BlockOf, blocks_of, bypassed, channels_in, reordered
from residua.nets.plain_blocks import plain_blocks_of, plain_bypassed

# The error of a net in percent.
Measure = Callable[[nn.Module], float]


@dataclass(frozen=True)
class Deleted:
    """What one block is worth.

    Attributes:
        name: dotted path of the block.
        keeps_shape: whether its output has the shape of its input.
        error: of the net without it, in percent.
    """

    name: str
    keeps_shape: bool
    error: float


@dataclass(frozen=True)
class SeveralDeleted:
    """What remains without several blocks.

    Attributes:
        count: blocks deleted at a time.
        errors: in percent, one for each set of blocks that was drawn.
    """

    count: int
    errors: tuple[float, ...]


@dataclass(frozen=True)
class Reordered:
    """What remains in another order.

    Attributes:
        swaps: pairs of blocks that changed places.
        correlation: Kendall's rank correlation of the new order with the old one, in [-1, 1].
        error: in percent.
    """

    swaps: int
    correlation: float
    error: float


@dataclass(frozen=True, kw_only=True)
class Lesions:
    """What became of a net; errors in percent.

    Attributes:
        whole: the error of the net as it is.
        each: without each block, in the order of depth.
        several: without several, by their number.
        reordered: in another order; empty where no blocks can change places.
    """

    whole: float
    each: tuple[Deleted, ...]
    several: tuple[SeveralDeleted, ...]
    reordered: tuple[Reordered, ...]

    @property
    def middle(self) -> float:
        """The median error without one block."""
        return statistics.median(block.error for block in self.each)


def lesions(
    net: nn.Module,
    measure: Measure,
    *,
    most: int,
    samples: int,
    generator: Generator,
) -> Lesions:
    """Delete every block in turn, several at a time, and let pairs change places ([V]).

    Args:
        net: is left as it was.
        measure: returns the error of a net in percent.
        most: blocks deleted and pairs swapped at the most; fewer where the net has fewer.
        samples: draws for each number of blocks and pairs.
        generator: on the processor.

    Raises:
        ConfigError: the net has no blocks.
    """
    blocks = deletable(net)
    counts = range(1, min(most, len(blocks)) + 1)
    return Lesions(
        whole=measure(net),
        each=delete_each(net, measure),
        several=delete_several(net, measure, counts=counts, samples=samples, generator=generator),
        reordered=reorder(net, measure, swaps=counts, samples=samples, generator=generator)
        if _pairs(net)
        else (),
    )


def deletable(net: nn.Module) -> list[BlockOf]:
    """List what of a net can be deleted: residual blocks, or else plain ones.

    Raises:
        ConfigError: it has neither.
    """
    found = blocks_of(net, foreign=True) or plain_blocks_of(net)
    if not found:
        raise ConfigError(
            f"{type(net).__name__} has neither residual nor plain blocks, so there is nothing to "
            "delete in it"
        )
    return found


def deleted(net: nn.Module, names: Sequence[str]) -> AbstractContextManager[nn.Module]:
    """Leave blocks of a net out within a `with`: of residual ones F, of plain ones all layers."""
    leave_out = bypassed if blocks_of(net, foreign=True) else plain_bypassed
    return leave_out(net, names)


def delete_each(net: nn.Module, measure: Measure) -> tuple[Deleted, ...]:
    """Delete every block in turn, in the order of depth ([V] figures 3 and 4).

    Args:
        net: is left as it was.
        measure: returns the error of a net in percent.

    Raises:
        ConfigError: the net has no blocks.
    """
    found: list[Deleted] = []
    for block in deletable(net):
        with deleted(net, [block.name]):
            found.append(Deleted(block.name, block.keeps_shape, measure(net)))
    return tuple(found)


def delete_several(
    net: nn.Module,
    measure: Measure,
    *,
    counts: Sequence[int],
    samples: int,
    generator: Generator,
) -> tuple[SeveralDeleted, ...]:
    """Delete blocks drawn at random, so many at a time ([V] figure 5a).

    Args:
        net: is left as it was.
        measure: returns the error of a net in percent.
        counts: blocks at a time.
        samples: draws for each count.
        generator: on the processor.

    Raises:
        ConfigError: the net has no blocks, or fewer than shall be deleted.
    """
    names = [block.name for block in deletable(net)]
    if any(not 0 <= count <= len(names) for count in counts):
        raise ConfigError(f"of {len(names)} blocks 0 to {len(names)} can be deleted, got {counts}")
    return tuple(
        SeveralDeleted(
            count,
            tuple(
                _without(net, measure, [names[i] for i in _draw(len(names), count, generator)])
                for _ in range(samples)
            ),
        )
        for count in counts
    )


def reorder(
    net: nn.Module,
    measure: Measure,
    *,
    swaps: Sequence[int],
    samples: int,
    generator: Generator,
) -> tuple[Reordered, ...]:
    """Let pairs of residual blocks change places, drawn from all pairs that fit ([V] figure 5b).

    Pairs fit that keep the shape and work on the same number of channels. The correlation is that
    of all blocks of the net, those included that cannot move.

    Args:
        net: is left as it was.
        measure: returns the error of a net in percent.
        swaps: pairs, one after the other; each number of them is tried.
        samples: draws for each number.
        generator: on the processor.

    Raises:
        ConfigError: no two blocks of the net can change places.
    """
    names = [block.name for block in blocks_of(net, foreign=True)]
    groups, pairs = _exchangeable(net), _pairs(net)
    if not pairs:
        raise ConfigError(
            f"{type(net).__name__} has no two residual blocks of the same shape that could change "
            "places"
        )
    found: list[Reordered] = []
    for count in swaps:
        for _ in range(samples):
            order = {name: name for name in names}
            for index in torch.randint(len(pairs), (count,), generator=generator).tolist():
                one, other = pairs[index]
                order[one], order[other] = order[other], order[one]
            ranks = [names.index(order[name]) for name in names]
            with ExitStack() as stack:
                for group in groups:
                    stack.enter_context(reordered(net, [order[name] for name in group]))
                found.append(Reordered(count, kendall(ranks), measure(net)))
    return tuple(found)


def kendall(ranks: Sequence[int]) -> float:
    """Return Kendall's tau of an order without ties: 1 as it was, -1 the other way round."""
    pairs = list(itertools.combinations(ranks, 2))
    agreeing = sum(1 if one < other else -1 for one, other in pairs)
    return agreeing / len(pairs) if pairs else 1.0


def _exchangeable(net: nn.Module) -> list[list[str]]:
    """Group the blocks that keep the shape by the channels that they work on."""
    groups: dict[int, list[str]] = {}
    for each in blocks_of(net, foreign=True):
        if each.keeps_shape:
            groups.setdefault(channels_in(each.block), []).append(each.name)
    return list(groups.values())


def _pairs(net: nn.Module) -> list[tuple[str, str]]:
    """List the pairs of blocks that can change places."""
    return [pair for group in _exchangeable(net) for pair in itertools.combinations(group, 2)]


def _draw(blocks: int, count: int, generator: Generator) -> list[int]:
    return torch.randperm(blocks, generator=generator)[:count].tolist()


def _without(net: nn.Module, measure: Measure, names: Sequence[str]) -> float:
    with deleted(net, names):
        return measure(net)
