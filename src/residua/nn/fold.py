"""Batch normalization folded into the layer before it, for nets that are trained no more."""

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from torch import nn
from torch.fx import Tracer
from torch.nn.utils import fusion

from residua.nn.frozen import FrozenNorm

Weighted = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
Fixed = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | FrozenNorm


@dataclass(frozen=True, kw_only=True)
class Folded:
    """A net in which what could be folded is.

    Args:
        net: a copy in eval mode; it has the names of the net, with the identity for each
            normalization that was folded and a bias in the layer before it.
        folded: names of these normalizations.
        left: names of the others, which no layer with weights stands directly before, or one that
            others use too.
    """

    net: nn.Module
    folded: tuple[str, ...]
    left: tuple[str, ...]


def fold(net: nn.Module) -> Folded:
    """Fold normalization: `gamma (W x + b - mean) / sigma + beta = W' x + b'`.

    `W' = gamma W / sigma` and `b' = gamma (b - mean) / sigma + beta`, with `sigma` the square root
    of the variance and eps. In evaluation the output is the same but for rounding.

    Args:
        net: is not changed.
    """
    made = copy.deepcopy(net).eval()
    modules = dict(made.named_modules())
    pairs = [
        (before, norm)
        for before, norm in _pairs(made)
        if isinstance(modules[before], Weighted) and _keeps(modules[norm])
    ]
    for before, norm in pairs:
        made.set_submodule(before, _joined(modules[before], modules[norm]))
        made.set_submodule(norm, nn.Identity())
    done = tuple(norm for _, norm in pairs)
    fixed = [name for name, module in modules.items() if isinstance(module, Fixed)]
    return Folded(net=made, folded=done, left=tuple(name for name in fixed if name not in done))


class _Names(Tracer):
    """Follows a forward pass from module to module; a `FrozenNorm` is one."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, FrozenNorm) or super().is_leaf_module(m, module_qualified_name)


def _pairs(net: nn.Module) -> list[tuple[str, str]]:
    """Name the modules that follow directly on one another, with nobody else in between.

    Nets that cannot be traced are searched for neighbours in a `Sequential`.
    """
    try:
        nodes = list(_Names().trace(net).nodes)
    except Exception:  # whatever a stranger's forward raises when it is traced
        return list(_neighbours(net))
    called = [node for node in nodes if node.op == "call_module"]
    calls = Counter(str(node.target) for node in called)
    return [
        (str(before.target), str(node.target))
        for node in called
        for before in node.all_input_nodes
        if before.op == "call_module"
        and list(before.users) == [node]
        and calls[str(before.target)] == calls[str(node.target)] == 1
    ]


def _neighbours(net: nn.Module) -> Iterator[tuple[str, str]]:
    for path, module in net.named_modules():
        if isinstance(module, nn.Sequential):
            names = [".".join(filter(None, (path, name))) for name, _ in module.named_children()]
            yield from pairwise(names)


def _keeps(module: nn.Module) -> bool:
    return isinstance(module, Fixed) and module.running_mean is not None


def _joined(before: nn.Module, norm: nn.Module) -> nn.Module:
    linear = isinstance(before, nn.Linear)
    join: Callable[..., nn.Module] = (
        fusion.fuse_linear_bn_eval if linear else fusion.fuse_conv_bn_eval
    )
    return join(before, norm)
