"""Statistics of batch normalization: by strict averaging, or those of the batch at hand.

Sources:
    [N] The notes to the release of He et al., arXiv:1512.03385: after training, mean and variance
        are plain averages over a large training batch, not moving averages.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from residua.errors import ConfigError, DataError
from residua.nn.modes import evaluating

Norm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm

KEPT = ("running_mean", "running_var", "num_batches_tracked")


def norms_of(net: nn.Module) -> dict[str, Norm]:
    """Return every batch normalization of a net that keeps statistics, by its name.

    Raises:
        ConfigError: there is none.
    """
    keeping = _keeping(net)
    if not keeping:
        raise ConfigError(f"{type(net).__name__} has no batch normalization that keeps statistics")
    return keeping


def keeps_statistics(net: nn.Module) -> bool:
    """Tell whether a net has batch normalization that keeps statistics."""
    return bool(_keeping(net))


def _keeping(net: nn.Module) -> dict[str, Norm]:
    layers = {name: layer for name, layer in net.named_modules() if isinstance(layer, Norm)}
    return {name: layer for name, layer in layers.items() if layer.track_running_stats}


@contextmanager
def by_batch(net: nn.Module) -> Iterator[None]:
    """Let a net in evaluation normalize with the statistics of each batch, and keep its own.

    All else stays as in evaluation. A batch needs at least two numbers of every channel.
    """
    layers = [layer for layer in net.modules() if isinstance(layer, Norm)]
    kept = [(layer.running_mean, layer.running_var) for layer in layers]
    try:
        for layer in layers:  # without kept ones, PyTorch takes those of the batch in either mode
            layer.running_mean = layer.running_var = None
        yield
    finally:
        for layer, (mean, variance) in zip(layers, kept, strict=True):
            layer.running_mean, layer.running_var = mean, variance


@dataclass
class _Sums:
    """Sums in float64 of what a layer took: of each channel's numbers and of their squares."""

    count: int = 0
    total: Tensor | float = 0.0
    squares: Tensor | float = 0.0

    def add(self, x: Tensor) -> None:
        """Add a batch; axis 1 has the channels."""
        # Devices without float64 leave the sums to the processor.
        x = x.cpu() if x.device.type == "mps" else x
        axes = [axis for axis in range(x.ndim) if axis != 1]
        wide = x.double()
        self.count += x.numel() // x.shape[1]
        self.total = self.total + wide.sum(axes)
        self.squares = self.squares + wide.square().sum(axes)


@torch.no_grad()
def average_statistics(net: nn.Module, batches: Iterable[Tensor]) -> int:
    """Set the mean and variance of every batch normalization to those over all given inputs.

    Each batch passes once. Batch normalization normalizes with the statistics of that batch, as in
    training, and everything else behaves as in evaluation, so nothing is dropped. What every layer
    takes is summed over all pixels of all batches, in float64: with one batch of everything the
    result is exactly the mean and variance of that batch; with more, the variance is of all pixels
    together and holds the differences between batches. It is divided by the number of pixels, not
    by one less. A layer that does not run keeps what it has.

    Args:
        net: changed in place; its mode is restored.
        batches: inputs as the net takes them, N, C, H, W, from at least two pictures each.

    Returns:
        How many pictures passed.

    Raises:
        ConfigError: the net has no batch normalization that keeps statistics.
        DataError: there is no batch.
    """
    layers = list(norms_of(net).values())
    sums = [_Sums() for _ in layers]
    pictures = 0
    with _measuring(net, layers, sums):
        for inputs in batches:
            net(inputs)
            pictures += len(inputs)
    if not pictures:
        raise DataError("no pictures are given to take the statistics of batch normalization from")
    for layer, found in zip(layers, sums, strict=True):
        if found.count:
            mean = torch.as_tensor(found.total) / found.count
            variance = torch.as_tensor(found.squares) / found.count - mean.square()
            _set(layer.running_mean, mean)
            _set(layer.running_var, variance.clamp_min(0))
    return pictures


@contextmanager
def _measuring(net: nn.Module, layers: list[Norm], sums: list[_Sums]) -> Iterator[None]:
    """Let the layers normalize as in training, without changing what they keep, and listen."""
    kept = [{name: getattr(layer, name) for name in KEPT} for layer in layers]
    handles = []
    with evaluating(net):
        for layer, into in zip(layers, sums, strict=True):
            layer.train()
            handles.append(layer.register_forward_pre_hook(_listener(into)))
            for name in KEPT:  # the moving averages go on in copies
                setattr(layer, name, getattr(layer, name).clone())
        try:
            yield
        finally:
            for layer, handle, values in zip(layers, handles, kept, strict=True):
                handle.remove()
                for name, value in values.items():
                    setattr(layer, name, value)


def _listener(into: _Sums) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def listen(_layer: nn.Module, args: tuple[Tensor, ...]) -> None:
        into.add(args[0])

    return listen


def _set(kept: Tensor | None, value: Tensor) -> None:
    assert kept is not None
    kept.copy_(value)
