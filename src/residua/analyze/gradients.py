"""How large gradients are at every depth of a network.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 4.1: with batch normalization
        the gradients of plain nets have healthy norms too.

Dimension key:
    N pictures
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from residua.analyze.modes import with_batch_statistics
from residua.analyze.weight_layers import WeightLayer, weight_layers
from residua.data.loading import Batch
from residua.errors import DataError
from residua.nn.modes import evaluating

# The mean loss of the pictures of a batch.
Loss = Callable[[nn.Module, Batch], Tensor]


@dataclass(frozen=True)
class LayerGradient:
    """The gradient at one layer.

    Attributes:
        name: dotted path of the convolution or linear layer.
        weights: L2 norm of the gradient of the mean loss by its weights.
        relative: the same as a share of the L2 norm of these weights.
        output: L2 norm of the gradient of one picture's loss by the layer's output; root mean
            square over the pictures.
    """

    name: str
    weights: float
    relative: float
    output: float


@dataclass(frozen=True)
class Gradients:
    """The gradients of a net, in the order in which its layers act.

    Attributes:
        layers: one for each layer with weights on the main path.
        loss: mean over the pictures, in the unit of the loss.
        pictures: how many.
    """

    layers: tuple[LayerGradient, ...]
    loss: float
    pictures: int


def gradients(
    net: nn.Module, batches: Sequence[Batch], loss: Loss, *, batch_statistics: bool = True
) -> Gradients:
    """Measure the gradient of the mean loss over all batches at every layer.

    The parameters' own `grad` is not touched.

    Args:
        net: any network; it is left as it was.
        batches: pictures as the net takes them, and labels.
        loss: the mean over the pictures of a batch.
        batch_statistics: whether batch normalization takes its statistics from each batch, as in
            training, or its running ones.

    Raises:
        ConfigError: the net has no layer with weights.
        DataError: there is no batch.
    """
    if not batches:
        raise DataError("no pictures are given to measure gradients with")
    layers = weight_layers(net)
    pictures, total = sum(len(batch.images) for batch in batches), 0.0
    sums = {name: torch.zeros_like(layer.weight) for name, layer in layers.items()}
    mode = with_batch_statistics if batch_statistics else evaluating
    with mode(net), _listening(layers) as outputs, torch.enable_grad():
        for batch in batches:
            share = len(batch.images) / pictures
            outputs.pictures = len(batch.images)
            found = loss(net, batch)
            weights = [layer.weight for layer in layers.values()]
            by_weights = torch.autograd.grad(found, weights, materialize_grads=True)
            for name, gradient in zip(sums, by_weights, strict=True):
                sums[name] += share * gradient
            total += share * float(found.detach())
    order = [name for name in outputs.order if name in layers]
    return Gradients(
        tuple(_layer(name, layers[name], sums[name], outputs, pictures) for name in order),
        total,
        pictures,
    )


def _layer(
    name: str, layer: WeightLayer, gradient: Tensor, outputs: "_Outputs", pictures: int
) -> LayerGradient:
    norm = float(gradient.norm())
    own = float(layer.weight.detach().norm())
    output = math.sqrt(outputs.squares.get(name, 0.0) / pictures)
    return LayerGradient(name, norm, norm / own if own else math.nan, output)


@dataclass
class _Outputs:
    """What comes back at the outputs of layers: sums over pictures of squared norms."""

    pictures: int = 0
    order: list[str] = field(default_factory=list)
    squares: dict[str, float] = field(default_factory=dict)

    def listen(self, name: str) -> Callable[[nn.Module, object, Tensor], None]:
        """Return what listens to the output of one layer."""

        def hook(_layer: nn.Module, _args: object, output: Tensor) -> None:
            if name not in self.order:
                self.order.append(name)
            output.register_hook(partial(self._add, name))

        return hook

    def _add(self, name: str, gradient: Tensor) -> None:
        # Of the sum of the losses, each of which is one picture's.
        square = float(gradient.norm()) ** 2 * self.pictures**2
        self.squares[name] = self.squares.get(name, 0.0) + square


@contextmanager
def _listening(layers: dict[str, WeightLayer]) -> Iterator[_Outputs]:
    """Listen to the outputs of layers, whose weights take part in gradients meanwhile."""
    outputs = _Outputs()
    trained = {layer: layer.weight.requires_grad for layer in layers.values()}
    handles = [layer.register_forward_hook(outputs.listen(n)) for n, layer in layers.items()]
    try:
        for layer in trained:
            layer.weight.requires_grad_()
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
        for layer, wanted in trained.items():
            layer.weight.requires_grad_(wanted)
