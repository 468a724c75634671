"""Standard deviations of layer responses: how much each layer changes the signal.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2 and figure 7: a response is
        the output of a 3x3 layer after batch normalization and before what is not linear there or
        is added, ReLU or addition.

Dimension key:
    N pictures   C channels   H, W height and width
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from residua.analyze.weight_layers import weight_layers
from residua.errors import ConfigError, DataError
from residua.nn.frozen import FrozenNorm
from residua.nn.modes import evaluating
from residua.nn.norms import Norm


@dataclass(frozen=True)
class Response:
    """What one layer answers.

    Attributes:
        name: dotted path of the convolution.
        std: standard deviation over all pictures, channels and places.
        normalized: whether batch normalization follows the convolution directly; where it does not,
            as before an addition of pre-activation nets, the response is the convolution's output.
    """

    name: str
    std: float
    normalized: bool


@dataclass(frozen=True)
class Responses:
    """What the 3x3 layers of a net answer, in the order in which they act.

    Attributes:
        layers: one for each layer.
        pictures: how many were shown.
    """

    layers: tuple[Response, ...]
    pictures: int

    @property
    def in_order(self) -> list[float]:
        """The deviations in the order of the layers."""
        return [layer.std for layer in self.layers]

    @property
    def ranked(self) -> list[float]:
        """The deviations, the largest first."""
        return sorted(self.in_order, reverse=True)

    @property
    def mean(self) -> float:
        """The mean deviation."""
        return sum(self.in_order) / len(self.layers)


@torch.no_grad()
def responses(net: nn.Module, batches: Iterable[Tensor]) -> Responses:
    """Measure the responses of all 3x3 convolutions of the main path, in eval mode ([R]).

    Args:
        net: any network; it is left as it was.
        batches: inputs as the net takes them, N, C, H, W.

    Raises:
        ConfigError: the net has no 3x3 convolution.
        DataError: there is no batch.
    """
    layers = {
        name: layer
        for name, layer in weight_layers(net).items()
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)
    }
    if not layers:
        raise ConfigError(
            f"{type(net).__name__} has no 3x3 convolution, and responses are those of 3x3 layers"
        )
    listener, pictures = _Listener(), 0
    handles = [layer.register_forward_hook(listener.weighs(name)) for name, layer in layers.items()]
    norms = [module for module in net.modules() if isinstance(module, Norm | FrozenNorm)]
    handles += [norm.register_forward_hook(listener.normalizes) for norm in norms]
    try:
        with evaluating(net):
            for inputs in batches:
                net(inputs)
                listener.settle()
                pictures += len(inputs)
    finally:
        for handle in handles:
            handle.remove()
    if not pictures:
        raise DataError("no pictures are given to measure the responses of layers with")
    found = tuple(
        Response(name, sums.std, normalized=sums.normalized) for name, sums in listener.sums.items()
    )
    return Responses(found, pictures)


@dataclass
class _Sums:
    """Sums in float64 of all responses of one layer, and of their squares."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    normalized: bool = False

    def add(self, response: Tensor) -> None:
        # Devices without float64 leave the sums to the processor.
        values = response.cpu() if response.device.type == "mps" else response
        wide = values.double()
        self.count += values.numel()
        self.total += float(wide.sum())
        self.squares += float(wide.square().sum())

    @property
    def std(self) -> float:
        mean = self.total / self.count
        return math.sqrt(max(0.0, self.squares / self.count - mean * mean))


class _Listener:
    """Holds the output of a convolution until it is known whether batch norm takes it directly.

    Where no gradient is wanted, what follows may write over it, so sums are taken at once.
    """

    def __init__(self) -> None:
        self.sums: dict[str, _Sums] = {}
        self._held: tuple[str, Tensor, _Sums] | None = None

    def weighs(self, name: str) -> Callable[[nn.Module, object, Tensor], None]:
        """Return what listens to one convolution."""

        def hook(_layer: nn.Module, _args: object, output: Tensor) -> None:
            self.settle()
            self._held = name, output, _summed(output)

        return hook

    def normalizes(self, _norm: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        """Listen to a batch normalization."""
        if self._held is not None and args[0] is self._held[1]:
            summed = _summed(output)
            summed.normalized = True
            self._held = self._held[0], self._held[1], summed

    def settle(self) -> None:
        """Take what is held for the response of its layer."""
        if self._held is None:
            return
        name, _, found = self._held
        sums = self.sums.setdefault(name, _Sums())
        sums.count += found.count
        sums.total += found.total
        sums.squares += found.squares
        sums.normalized = found.normalized
        self._held = None


def _summed(response: Tensor) -> _Sums:
    sums = _Sums()
    sums.add(response)
    return sums
