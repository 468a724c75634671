"""How a network computes while it is looked at; its modes are restored after."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from residua.nn.norms import Norm


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Let a net compute as in evaluation within a `with`."""
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def with_batch_statistics(net: nn.Module) -> Iterator[None]:
    """As `evaluating`, but batch normalization takes its statistics from the batch, as in training.

    Its running statistics stay as they are, and nothing is dropped.
    """
    norms = [module for module in net.modules() if isinstance(module, Norm)]
    tracks = [norm.track_running_stats for norm in norms]
    with evaluating(net):
        try:
            for norm in norms:
                norm.training, norm.track_running_stats = True, False
            yield
        finally:
            for norm, track in zip(norms, tracks, strict=True):
                norm.track_running_stats = track
