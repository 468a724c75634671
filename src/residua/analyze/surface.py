"""The surface of the loss around a net's weights, along directions scaled filter by filter.

Sources:
    [L] Li et al., Visualizing the Loss Landscape of Neural Nets, arXiv:1712.09913, section 4:
        `d_ij <- d_ij / |d_ij| * |w_ij|` for filter j of layer i; the authors leave biases and the
        parameters of batch normalization where they are.

Dimension key:
    N pictures   O filters of a layer
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from residua.analyze.gradients import Loss
from residua.data.loading import Batch
from residua.errors import ConfigError, DataError
from residua.nn.modes import evaluating

Direction = Mapping[str, Tensor]


@dataclass(frozen=True)
class Line:
    """The loss along one direction: `L(w + a d)`.

    Attributes:
        steps: a, in units of the norm of the filters.
        losses: the mean over the pictures at each step.
    """

    steps: tuple[float, ...]
    losses: tuple[float, ...]


@dataclass(frozen=True)
class Plane:
    """The loss along two directions: `L(w + a d + b e)`.

    Attributes:
        steps: of a and of b, in units of the norm of the filters.
        losses: one row for each b, one column for each a.
    """

    steps: tuple[float, ...]
    losses: tuple[tuple[float, ...], ...]


def direction(net: nn.Module, generator: Generator) -> dict[str, Tensor]:
    """Draw a direction from a normal distribution, and scale each filter to the net's ([L]).

    A filter is what makes one output channel of a convolution, or one output of a linear layer.
    What has fewer than two axes (biases, batch normalization) has no part in the direction.

    Raises:
        ConfigError: the net has nothing to move.
    """
    found = {
        name: _scaled(torch.randn(weights.shape, generator=generator).to(weights), weights.detach())
        for name, weights in net.named_parameters()
        if weights.ndim > 1
    }
    if not found:
        raise ConfigError(f"{type(net).__name__} has no weights with filters to move")
    return found


def steps(reach: float, points: int) -> tuple[float, ...]:
    """Return so many equal steps from -reach to reach, 0 among them.

    Raises:
        ConfigError: the number is even or below 3, or the reach is not above 0.
    """
    if points < 3 or points % 2 == 0:
        raise ConfigError(f"points must be odd, so that one is the net itself, got {points}")
    if not reach > 0:
        raise ConfigError(f"reach must be above 0, got {reach}")
    half = points // 2
    return tuple(reach * step / half for step in range(-half, half + 1))


def line(
    net: nn.Module, batches: Sequence[Batch], loss: Loss, along: Direction, at: Sequence[float]
) -> Line:
    """Measure the loss along a direction, in eval mode.

    Args:
        net: its weights are moved meanwhile, and are the same bits after.
        batches: pictures as the net takes them, and labels.
        loss: the mean over the pictures of a batch.
        along: what `direction` returned.
        at: the steps.

    Raises:
        DataError: there is no batch.
    """
    with _movable(net, [along]) as mover:
        losses = tuple(_moved_loss(net, batches, loss, mover, (step,)) for step in at)
    return Line(tuple(at), losses)


def plane(
    net: nn.Module,
    batches: Sequence[Batch],
    loss: Loss,
    along: tuple[Direction, Direction],
    at: Sequence[float],
) -> Plane:
    """Measure the loss along two directions, in eval mode; as `line` otherwise."""
    with _movable(net, along) as mover:
        rows = tuple(tuple(_moved_loss(net, batches, loss, mover, (a, b)) for a in at) for b in at)
    return Plane(tuple(at), rows)


class _Mover:
    """Weights of a net, as they were and along which directions they are moved."""

    def __init__(self, net: nn.Module, along: Sequence[Direction]) -> None:
        names = {name for each in along for name in each}
        self.weights = {n: w for n, w in net.named_parameters() if n in names}
        self.kept = {name: weights.detach().clone() for name, weights in self.weights.items()}
        self.along = along

    @torch.no_grad()
    def move(self, by: Sequence[float]) -> None:
        """Set the weights to those kept plus each direction times its step."""
        for name, weights in self.weights.items():
            weights.copy_(self.kept[name])
            for step, each in zip(by, self.along, strict=True):
                if step and name in each:
                    weights.add_(each[name], alpha=step)

    @torch.no_grad()
    def restore(self) -> None:
        """Set the weights to those kept."""
        for name, weights in self.weights.items():
            weights.copy_(self.kept[name])


@contextmanager
def _movable(net: nn.Module, along: Sequence[Direction]) -> Iterator[_Mover]:
    mover = _Mover(net, along)
    with evaluating(net), torch.no_grad():
        try:
            yield mover
        finally:
            mover.restore()


def _moved_loss(
    net: nn.Module, batches: Sequence[Batch], loss: Loss, mover: _Mover, by: Sequence[float]
) -> float:
    if not batches:
        raise DataError("no pictures are given to measure the loss with")
    mover.move(by)
    pictures = sum(len(batch.images) for batch in batches)
    return sum(float(loss(net, b)) * len(b.images) for b in batches) / pictures


def _scaled(drawn_O: Tensor, weights_O: Tensor) -> Tensor:
    """Scale each filter of a direction to the norm of the net's."""
    norms = [each.flatten(1).norm(dim=1) for each in (weights_O, drawn_O)]
    factor = norms[0] / norms[1].clamp_min(1e-12)
    return drawn_O * factor.view(-1, *(1 for _ in weights_O.shape[1:]))
