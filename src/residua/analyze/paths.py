"""How much gradient comes through paths of each length: a net as an ensemble of its paths.

`n` blocks `h(x) + F(x)` make 2^n paths from the loss to the input, each through `F` in some of the
blocks and through `h` in the others. Their gradients add up to that of the net, exactly.

Sources:
    [V] Veit et al., Residual Networks Behave Like Ensembles of Relatively Shallow Networks,
        arXiv:1605.06431, section 5 and figure 6: a path of length k is drawn by letting the
        gradient through the residual function alone in k blocks drawn at random, and through the
        shortcut alone in the others; the forward pass is that of the whole net.

Dimension key:
    N pictures
"""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn

from residua.analyze.gradients import Loss
from residua.analyze.modes import with_batch_statistics
from residua.data.loading import Batch
from residua.errors import ConfigError, DataError
from residua.nets.blocks_of import blocks_of
from residua.nn.blocks import ResidualBlock, StochasticBlock
from residua.nn.modes import evaluating

JOINED = (ResidualBlock, StochasticBlock)


@dataclass(frozen=True)
class PathLength:
    """Paths of one length.

    Attributes:
        length: residual functions that the path goes through.
        share: of all paths, those of this length: binomial, in [0, 1].
        norms: L2 norm of the gradient of one picture's loss by the input (root mean square over the
            pictures), one for each path that was drawn.
    """

    length: int
    share: float
    norms: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean norm of a path of this length."""
        return sum(self.norms) / len(self.norms)

    @property
    def contribution(self) -> float:
        """Share of all paths times mean norm of one ([V] figure 6c)."""
        return self.share * self.mean


@dataclass(frozen=True)
class Paths:
    """Paths of all lengths that were looked at.

    Attributes:
        blocks: n, of which there are 2^n paths.
        lengths: in increasing order.
        pictures: how many.
    """

    blocks: int
    lengths: tuple[PathLength, ...]
    pictures: int

    @property
    def contributions(self) -> list[float]:
        """The contribution of each length as a share of all that were looked at, in [0, 1]."""
        whole = sum(each.contribution for each in self.lengths)
        return [each.contribution / whole if whole else 0.0 for each in self.lengths]

    def bulk(self, most: float = 0.95) -> tuple[int, int]:
        """Return the narrowest range of lengths that contributes at least so much."""
        shares = self.contributions
        ranges = [
            (stop - start, start, stop)
            for start in range(len(shares))
            for stop in range(start, len(shares))
            if sum(shares[start : stop + 1]) >= most - 1e-12
        ]
        _, start, stop = min(ranges, default=(0, 0, len(shares) - 1))
        return self.lengths[start].length, self.lengths[stop].length


def paths(
    net: nn.Module,
    batch: Batch,
    loss: Loss,
    *,
    samples: int,
    generator: Generator,
    lengths: Sequence[int] | None = None,
    batch_statistics: bool = True,
) -> Paths:
    """Measure the gradient at the input through paths of each length ([V]).

    Args:
        net: with residual blocks; it is left as it was.
        batch: pictures as the net takes them, and labels.
        loss: the mean over the pictures of a batch.
        samples: paths that are drawn of each length; where there are fewer, each of them is taken.
        generator: on the processor, draws the paths.
        lengths: to look at; all from 0 to the number of blocks if not given.
        batch_statistics: whether batch normalization takes its statistics from the batch, as in
            training, or its running ones.

    Raises:
        ConfigError: the net has no residual blocks, or a length is longer than it has blocks.
        DataError: the batch is empty.
    """
    names = [each.name for each in blocks_of(net)]
    if not names:
        raise ConfigError(
            f"{type(net).__name__} has no residual blocks, so there is one path through it, and it "
            "has all layers"
        )
    if not len(batch.images):
        raise DataError("no pictures are given to measure the gradient of paths with")
    wanted = range(len(names) + 1) if lengths is None else lengths
    if any(not 0 <= length <= len(names) for length in wanted):
        raise ConfigError(f"lengths of paths lie in [0, {len(names)}] here, got {list(wanted)}")
    mode = with_batch_statistics if batch_statistics else evaluating
    with mode(net), _gated(net, names) as switch, torch.enable_grad():
        inputs = batch.images.detach().requires_grad_()
        found = loss(net, batch._replace(images=inputs))

        def norm(path: Collection[int]) -> float:
            switch.through = {names[index] for index in path}
            (gradient,) = torch.autograd.grad(
                found, inputs, retain_graph=True, materialize_grads=True
            )
            return float(gradient.norm()) * math.sqrt(len(inputs))

        every = [
            PathLength(
                length,
                math.comb(len(names), length) / 2 ** len(names),
                tuple(norm(path) for path in _drawn(len(names), length, samples, generator)),
            )
            for length in sorted(wanted)
        ]
    return Paths(len(names), tuple(every), len(batch.images))


def _drawn(blocks: int, length: int, samples: int, generator: Generator) -> list[tuple[int, ...]]:
    """Draw different sets of `length` blocks, or list all where there are not more than asked."""
    most = min(samples, math.comb(blocks, length))
    found: dict[tuple[int, ...], None] = {}
    while len(found) < most:
        order = torch.randperm(blocks, generator=generator)[:length]
        found[tuple(sorted(order.tolist()))] = None
    return list(found)


@dataclass
class _Switch:
    """The blocks that the gradient goes through F of; in the others it takes the shortcut."""

    through: set[str]


class _Gate(torch.autograd.Function):
    """`y = x`; the gradient passes if a switch says so at the time of the backward pass."""

    @staticmethod
    def forward(*args: Any, **_: Any) -> Tensor:
        ctx, x, ctx.is_open = args
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> tuple[Tensor | None, None]:
        # None is not multiplied through the closed branch, as zeros would be.
        return (grad_outputs[0] if ctx.is_open() else None), None


@contextmanager
def _gated(net: nn.Module, names: Sequence[str]) -> Iterator[_Switch]:
    """Put a gate behind both branches of every block."""
    switch = _Switch(set())
    handles: list[torch.utils.hooks.RemovableHandle] = []

    def gate(name: str, *, residual: bool) -> Callable[[nn.Module, object, Tensor], Tensor]:
        def is_open() -> bool:
            return (name in switch.through) is residual

        return lambda _module, _args, output: _Gate.apply(output, is_open)

    for name in names:
        block = net.get_submodule(name)
        assert isinstance(block, JOINED)
        handles.append(block.residual.register_forward_hook(gate(name, residual=True)))
        handles.append(block.shortcut.register_forward_hook(gate(name, residual=False)))
    try:
        yield switch
    finally:
        for handle in handles:
            handle.remove()
