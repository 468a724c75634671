"""How a network computes while it is looked at as if it were trained."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from residua.nn.modes import evaluating
from residua.nn.norms import by_batch


@contextmanager
def with_batch_statistics(net: nn.Module) -> Iterator[None]:
    """As `evaluating`, but batch normalization takes its statistics from the batch, as in training.

    Its running statistics stay as they are, and nothing is dropped.
    """
    with evaluating(net), by_batch(net):
        yield
