"""A net with a few of the equal units that follow one another, to learn from them of the others."""

import copy
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from residua.nn.blocks import StochasticBlock
from residua.train.recompute import chains

# Equal units in a row that stay: fewer would be found in the caches of the processor.
KEPT = 6
# Of them the one whose bytes stand for those left out, well inside the row.
TYPICAL = 2


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One unit of a chain, or what is kept between two chains, in the order of the forward pass.

    Attributes:
        chain: name of the chain; empty if `index` is -1, outside all chains.
        index: in the chain.
        inside: bytes kept for the backward pass without what `input` and `output` count.
        input: bytes of its input.
        keeps_input: whether plain training keeps the input, for this unit or the one before; it
            is not said of the first unit of a chain, whose input counts as inside.
        output: bytes of its output if the unit itself keeps it and another follows, else 0.
        fixed: whether it cannot be run again.
        attached: whether it writes over its input, so that no segment can begin with it.
        forward: seconds.
        backward: seconds.
    """

    chain: str = ""
    index: int = -1
    inside: int = 0
    input: int = 0
    keeps_input: bool = False
    output: int = 0
    fixed: bool = False
    attached: bool = False
    forward: float = 0.0
    backward: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Shortened:
    """A short copy of a net, and what its units stand for.

    Attributes:
        net: the copy, with weights of its own.
        stands_for: of each chain, for each unit of the whole net the units of the copy that it is
            like: one for its bytes, and if it is one of many those for its seconds.
        survival: of each chain, for each unit of the whole net the share of steps that it takes
            part in.
    """

    net: nn.Module
    stands_for: dict[str, list[tuple[int, ...]]]
    survival: dict[str, list[float]]

    def expand(self, units: Sequence[Unit]) -> list[Unit]:
        """Put in the place of the copy's units those of the whole net."""
        result: list[Unit] = []
        for chain, group in itertools.groupby(units, key=lambda unit: unit.chain):
            short = list(group)
            if short[0].index < 0:
                result += short
                continue
            shares = zip(self.stands_for[chain], self.survival[chain], strict=True)
            for index, (like, share) in enumerate(shares):
                alike = [short[number] for number in like[1:] or like]
                result.append(
                    replace(
                        short[like[0]],
                        index=index,
                        forward=share * sum(u.forward for u in alike) / len(alike),
                        backward=share * sum(u.backward for u in alike) / len(alike),
                    )
                )
        return result

    def sharing(self) -> set[tuple[str, int]]:
        """Find units of the copy whose parameters others use too."""
        uses = Counter(
            id(parameter)
            for module in self.net.modules()
            for parameter in module._parameters.values()
            if parameter is not None
        )
        places = Counter(
            id(module)
            for parent in self.net.modules()
            for module in parent._modules.values()
            if module is not None
        )
        return {
            (name, index)
            for name, units in chains(self.net).items()
            for index, unit in enumerate(units)
            if any(uses[id(p)] > 1 for p in unit.parameters())
            or any(places[id(m)] > 1 for m in unit.modules())
        }


def shorten(net: nn.Module, device: torch.device) -> Shortened:
    """Copy a net to a device with arbitrary weights, leaving out most of equal units in a row.

    Stochastic depth is off in the copy: every unit takes part in every step.
    """
    short = _without_numbers(net)
    whole = chains(short)
    survival = {
        name: [u.survival if isinstance(u, StochasticBlock) else 1.0 for u in units]
        for name, units in whole.items()
    }
    for module in short.modules():
        if isinstance(module, StochasticBlock):
            module.survival = 1.0
    alike: dict[int, list[nn.Module]] = {}
    for name in whole:
        for module in list(short.get_submodule(name).modules()):
            if type(module) is nn.Sequential:
                alike |= _leave_out(module)
    kept = {name: {id(u): i for i, u in enumerate(us)} for name, us in chains(short).items()}
    stands_for = {
        name: [tuple(kept[name][id(m)] for m in alike.get(id(unit), [unit])) for unit in units]
        for name, units in whole.items()
    }
    return Shortened(net=_with_numbers(short, device), stands_for=stands_for, survival=survival)


def _leave_out(sequence: nn.Sequential) -> dict[int, list[nn.Module]]:
    """Take units out of a sequence; return for each one that runs the units that it is like."""
    alike: dict[int, list[nn.Module]] = {}
    names = list(sequence._modules)
    keys = [_signature(sequence._modules[name]) for name in names]
    rows = itertools.groupby(zip(keys, names, strict=True), key=lambda pair: pair[0])
    for key, pairs in rows:
        row = [name for _, name in pairs]
        if key is None or len(row) <= KEPT:
            continue
        stay = [*row[: KEPT - 1], row[-1]]
        modules = [sequence._modules[name] for name in stay]
        timed = [m for m in modules[1:] if m is not None]
        for name in row:
            module = sequence._modules[name]
            stands = module if name in stay else sequence._modules[stay[TYPICAL]]
            alike[id(module)] = [m for m in (stands, *timed) if m is not None]
            if name not in stay:
                # The copy keeps it alive elsewhere: an address must not be given out twice.
                sequence.__dict__.setdefault("left_out", []).append(module)
                del sequence._modules[name]
    return alike


def _signature(module: nn.Module | None) -> str | None:
    """Describe a residual unit up to its numbers; None for what may change the size at its turn."""
    if module is None:
        return None
    convolutions = [m for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    shapes = [tuple(p.shape) for p in module.parameters()]
    changes = any(_strided(m) for m in module.modules())
    return None if changes or not convolutions else f"{module}{shapes}"


def _strided(module: nn.Module) -> bool:
    """Tell whether a module may halve the size each time that it is repeated."""
    stride = getattr(module, "stride", 1)
    return any(
        step not in (1, None) for step in (stride if isinstance(stride, tuple) else [stride])
    )


def _without_numbers(net: nn.Module) -> nn.Module:
    """Copy a module onto the meta device without ever copying its storage."""
    memo: dict[int, Any] = {}
    for parameter in net.parameters():
        empty = torch.empty_like(parameter, device="meta")
        memo[id(parameter)] = nn.Parameter(empty, requires_grad=parameter.requires_grad)
    for buffer in net.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(net, memo)


@torch.no_grad()
def _with_numbers(net: nn.Module, device: torch.device) -> nn.Module:
    """Give a net without numbers small ones: values do not matter, but must stay finite."""
    net = net.to_empty(device=device).to(memory_format=torch.channels_last)
    for name, tensor in [*net.named_parameters(), *net.named_buffers()]:
        _fill(name, tensor)
    return net


def _fill(name: str, tensor: Tensor) -> None:
    if tensor.ndim > 1 and tensor.is_floating_point():
        fan_in = tensor[0].numel()
        tensor.normal_(std=(2 / fan_in) ** 0.5)
    elif name.endswith(("weight", "running_var")):
        tensor.fill_(1)
    else:
        tensor.zero_()
