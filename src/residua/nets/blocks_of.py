"""The residual blocks of any module: list them, leave their residual functions out, reorder them.

Sources:
    [V] Veit et al., Residual Networks Behave Like Ensembles of Relatively Shallow Networks,
        arXiv:1605.06431, sections 4.1 (deleting) and 4.3 (reordering).
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from residua.errors import ConfigError, closest
from residua.nets.shortcuts_found import shortcuts_found
from residua.nn.blocks import ResidualBlock, StochasticBlock
from residua.nn.chain import chain

OURS = (ResidualBlock, StochasticBlock)


@dataclass(frozen=True)
class BlockOf:
    """One residual block of a net.

    Attributes:
        name: dotted path of the block.
        block: the module itself.
        keeps_shape: whether its output has the shape of its input.
    """

    name: str
    block: nn.Module
    keeps_shape: bool


def blocks_of(net: nn.Module, *, foreign: bool = False) -> list[BlockOf]:
    """List the blocks of a net that add `h(x)` and `F(x)`, in the order in which they were made.

    That is the order of depth in our nets and in torchvision's. Plain, gated and highway blocks
    have no residual function that can be left out, and are not listed.

    Args:
        net: any module.
        foreign: list the blocks of torchvision's residual nets too.
    """
    changes = {found.name: found.changes_shape for found in shortcuts_found(net)}
    return [
        BlockOf(name, block, keeps_shape=not changes[name])
        for name, block in net.named_modules()
        if name and (isinstance(block, OURS) or (foreign and _is_torchvisions(block)))
    ]


def without(net: nn.Module, names: Iterable[str]) -> nn.Module:
    """Copy a net and leave out residual functions: `y = f(h(before(x)))` in the blocks named ([V]).

    What is left of a block keeps its place and its names, so that the state dict of the copy is
    that of the net without the residual functions.

    Args:
        net: stays as it is.
        names: of blocks, as `blocks_of` says them.

    Raises:
        ConfigError: a name is that of no residual block.
    """
    result = copy.deepcopy(net)
    found = _named(result, names)
    for name in sorted(found, key=lambda name: -name.count(".")):
        parts = {
            part: module for part, module in parts_around(found[name]).items() if _acts(module)
        }
        result.set_submodule(name, chain(**parts) if parts else nn.Identity())
    return result


@contextmanager
def bypassed(net: nn.Module, names: Iterable[str]) -> Iterator[nn.Module]:
    """Leave out residual functions within a `with`: as `without`, of the net itself.

    The modules, their names and their modes stay where they are; only what the blocks compute
    changes, so that a net may be put into eval mode meanwhile.

    Raises:
        ConfigError: a name is that of no residual block.
    """
    found = _named(net, names)
    try:
        for block in found.values():
            block.forward = _passing(block)
        yield net
    finally:
        for block in found.values():
            block.__dict__.pop("forward", None)


@contextmanager
def reordered(net: nn.Module, order: Sequence[str]) -> Iterator[nn.Module]:
    """Let blocks change places within a `with` ([V] section 4.3).

    Args:
        net: is changed meanwhile, and its state dict with it.
        order: names of blocks. Where the first of them by depth was acts the first that is named
            here, and so on; blocks that are not named stay.

    Raises:
        ConfigError: a name is that of no residual block or stands there twice, or the blocks do not
            keep the shape or work on different numbers of channels.
    """
    found = _named(net, order)
    if len(found) != len(order):
        raise ConfigError(f"an order names every block once, got {', '.join(order)}")
    _check_exchangeable(net, found)
    places = [each.name for each in blocks_of(net, foreign=True) if each.name in found]
    try:
        for place, name in zip(places, order, strict=True):
            net.set_submodule(place, found[name])
        yield net
    finally:
        for name, block in found.items():
            net.set_submodule(name, block)


def parts_around(block: nn.Module) -> dict[str, nn.Module]:
    """Return what of a residual block acts where its F is left out, in its order."""
    match block:
        case ResidualBlock():
            parts = {
                "before": block.before,
                "shortcut": block.shortcut,
                "after": block.after,
            }
        case StochasticBlock():
            parts = {"shortcut": block.shortcut, "after": block.after}
        case _:
            # A shortcut of torchvision's that is the identity is no module but None.
            shortcut = getattr(block, "downsample", None)
            parts = {
                "downsample": shortcut if isinstance(shortcut, nn.Module) else nn.Identity(),
                "relu": nn.ReLU(),
            }
    # What comes in may be wanted by others too, and no sum stands between it and the activation.
    return {
        name: nn.ReLU() if isinstance(module, nn.ReLU) else module for name, module in parts.items()
    }


def channels_in(block: nn.Module) -> int:
    """Return on how many channels the first layer of a block works."""
    first = next(m for m in block.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    return first.weight.shape[1]


def _named(net: nn.Module, names: Iterable[str]) -> dict[str, nn.Module]:
    known = {each.name: each.block for each in blocks_of(net, foreign=True)}
    found: dict[str, nn.Module] = {}
    for name in names:
        if name not in known:
            there = f"it has {', '.join(known)}" if known else "it has none"
            raise ConfigError(
                f"{name!r} is no residual block of this net{closest(name, known)}; {there}"
            )
        found[name] = known[name]
    return found


def _check_exchangeable(net: nn.Module, found: dict[str, nn.Module]) -> None:
    keeps = {each.name: each.keeps_shape for each in blocks_of(net, foreign=True)}
    channels: dict[int, str] = {}
    for name, block in found.items():
        if not keeps[name]:
            raise ConfigError(
                f"{name} changes the shape and fits its own place alone: leave it out of the order"
            )
        channels.setdefault(channels_in(block), name)
    if len(channels) > 1:
        told = [f"{name} on {count}" for count, name in channels.items()]
        raise ConfigError(
            f"blocks change places only among the same number of channels: {', '.join(told)} "
            "(order the blocks of one stage)"
        )


def _passing(block: nn.Module) -> Callable[[Tensor], Tensor]:
    parts = [module for module in parts_around(block).values() if _acts(module)]

    def forward(x: Tensor) -> Tensor:
        for part in parts:
            x = F.relu(x) if isinstance(part, nn.ReLU) else part(x)
        return x

    return forward


def _acts(module: nn.Module) -> bool:
    return not isinstance(module, nn.Identity)


def _is_torchvisions(block: nn.Module) -> bool:
    home = type(block).__module__
    return home == "torchvision.models.resnet" and hasattr(block, "downsample")
