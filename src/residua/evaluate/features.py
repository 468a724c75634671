"""What stands before the last linear layer: pooled features, and where in a picture they are from.

Sources:
    [Z] Zhou et al., Learning Deep Features for Discriminative Localization, arXiv:1512.04150.

Dimension key:
    N pictures   D features   K classes   h, w height and width of the last feature maps
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from residua.errors import ConfigError
from residua.nn.modes import evaluating

# Rounding that an identity may have, against the largest number in it; autocast is off.
TOLERANCE = 1e-3

# How many of the last tensors that could be feature maps are looked at.
DEEPEST = 12


@torch.no_grad()
def pooled(net: nn.Module, inputs: Tensor) -> Tensor:
    """Return what the last linear layer takes.

    Args:
        net: ends in a linear layer.
        inputs: N, C, H, W, normalized.

    Returns:
        N, D, float32.

    Raises:
        ConfigError: the network does not end in a linear layer.
    """
    return _last_linear(net, inputs)[1].float()


@torch.no_grad()
def activation_maps(net: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Say how much each place of a picture contributes to each class ([Z]).

    `map_k(y, x) = sum over c of w_kc f_c(y, x)`, for features f and weights w of the linear layer;
    `logit_k = b_k + mean over y, x of map_k(y, x)` is exact, and checked.

    Args:
        net: ends in global average pooling of feature maps and a linear layer.
        inputs: N, C, H, W, normalized.

    Returns:
        The maps, N, K, h, w, and the bias, K, both float32.

    Raises:
        ConfigError: the network does not end so; for others no map is exact.
    """
    head, pooled_ND, maps = _last_linear(net, inputs)
    # Pooling that keeps its axes gives a map of one pixel, which says nothing of places.
    wide = [found for found in maps if found[0, 0].numel() > 1]
    averaged = [found for found in wide if _close(found.mean(dim=(2, 3)), pooled_ND)]
    if averaged:
        features_NDhw = averaged[-1].float()
        weighted = torch.einsum("ndhw,kd->nkhw", features_NDhw, head.weight.float())
        bias = weighted.new_zeros(len(head.weight)) if head.bias is None else head.bias.float()
        return weighted, bias
    raise ConfigError(
        f"{type(net).__name__} does not end in global average pooling and a linear layer, so no "
        "class activation map of it is exact"
    )


def _last_linear(net: nn.Module, inputs: Tensor) -> tuple[nn.Linear, Tensor, list[Tensor]]:
    """Run a net in eval mode; return its last layer, what that took, and maps as deep as that."""
    linear = [module for module in net.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ConfigError(f"{type(net).__name__} has no linear layer, so it has no pooled features")
    head = linear[-1]
    taken: list[Tensor] = []
    maps: deque[Tensor] = deque(maxlen=DEEPEST)

    def watch(module: nn.Module, args: tuple[Tensor, ...], output: object) -> None:
        if module is head:
            taken.extend(args)
        for tensor in (*args, output):
            if isinstance(tensor, Tensor) and tensor.ndim == 4:
                maps.extend([tensor] if tensor.shape[1] == head.in_features else [])

    with _watched(net, watch):
        logits = net(inputs)
    if len(taken) != 1 or taken[0].ndim != 2 or not _close(head(taken[0]), logits):
        raise ConfigError(
            f"{type(net).__name__} does not end in one linear layer, so what its pooled features "
            "are is not known"
        )
    return head, taken[0], list(maps)


@contextmanager
def _watched(net: nn.Module, watch: Callable[..., None]) -> Iterator[None]:
    handles = [module.register_forward_hook(watch) for module in net.modules()]
    try:
        with evaluating(net):
            yield
    finally:
        for handle in handles:
            handle.remove()


def _close(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    scale = max(float(other.abs().max()), 1e-6)
    return float((one - other).abs().max()) <= TOLERANCE * scale
