"""How far the running statistics of batch normalization are from exact ones, layer by layer.

Dimension key:
    C channels
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from residua.nn.norms import Norm, norms_of


@dataclass(frozen=True, kw_only=True)
class LayerDrift:
    """How far the statistics of one layer are off, in exact standard deviations.

    Of a channel that is `sqrt(d^2 + (r - 1)^2)`, for a mean that is off by d exact standard
    deviations and a running deviation of r exact ones: the distance of the two normal
    distributions with these moments (Wasserstein's of order 2), in units of the exact deviation.

    Args:
        name: of the layer.
        place: in the order in which layers stand in the net, from 0.
        channels: C.
        drift: root mean square over the channels.
        shift: the part of it that is due to the means.
        spread: the part of it that is due to the deviations.
        worst: the largest of a channel.
        untouched: whether the layer has the statistics it was made with, mean 0 and variance 1.
        finite: whether all that it keeps are numbers.
    """

    name: str
    place: int
    channels: int
    drift: float
    shift: float
    spread: float
    worst: float
    untouched: bool
    finite: bool


def drifts(net: nn.Module, exact: nn.Module) -> list[LayerDrift]:
    """Compare the statistics that a net keeps with those of a twin, the furthest layer first.

    Args:
        net: with running statistics.
        exact: the same net with exact ones.
    """
    twins = norms_of(exact)
    found = [
        _drift(name, place, layer, twins[name])
        for place, (name, layer) in enumerate(norms_of(net).items())
    ]
    return sorted(found, key=lambda layer: -layer.drift)


def _drift(name: str, place: int, layer: Norm, exact: Norm) -> LayerDrift:
    mean_C, deviation_C = _moments(layer)
    exact_mean_C, exact_deviation_C = _moments(exact)
    shift_C = (mean_C - exact_mean_C) / exact_deviation_C
    spread_C = deviation_C / exact_deviation_C - 1
    finite = bool((shift_C.isfinite() & spread_C.isfinite()).all())
    drift_C = (shift_C.square() + spread_C.square()).sqrt()
    return LayerDrift(
        name=name,
        place=place,
        channels=len(drift_C),
        drift=_root_mean_square(drift_C),
        shift=_root_mean_square(shift_C),
        spread=_root_mean_square(spread_C),
        worst=_numbers(drift_C).max().item(),
        untouched=_untouched(layer),
        finite=finite,
    )


def _moments(layer: Norm) -> tuple[Tensor, Tensor]:
    """Return what a layer subtracts and what it divides by."""
    mean, variance = layer.running_mean, layer.running_var
    assert mean is not None
    assert variance is not None
    return mean.double().cpu(), (variance.double().cpu() + layer.eps).sqrt()


def _untouched(layer: Norm) -> bool:
    mean, variance = layer.running_mean, layer.running_var
    assert mean is not None
    assert variance is not None
    return not mean.any() and torch.equal(variance, torch.ones_like(variance))


def _root_mean_square(values_C: Tensor) -> float:
    return _numbers(values_C).square().mean().sqrt().item()


def _numbers(values_C: Tensor) -> Tensor:
    """Take what is no number for something infinitely far away."""
    return values_C.nan_to_num(nan=torch.inf, posinf=torch.inf, neginf=-torch.inf)
