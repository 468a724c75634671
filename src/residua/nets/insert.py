"""Blocks put behind the blocks of a network: where they can go, and what they are called then.

A new block is a copy, freshly drawn, of the nearest block of its stage that keeps the shape.
"""

import copy
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import nn

from residua.errors import ConfigError, closest
from residua.nets.blocks_of import blocks_of
from residua.nets.initialize import initialize
from residua.nn.blocks import PlainBlock


@dataclass(frozen=True)
class Stage:
    """Residual or plain blocks in a row.

    Attributes:
        row: the module that holds them.
        names: dotted paths of the blocks, in the order in which they act.
        keeping: those of them that keep the shape of what comes in.
    """

    row: nn.Sequential
    names: tuple[str, ...]
    keeping: tuple[str, ...]

    @property
    def end(self) -> str:
        """The block behind which new ones go: the last that keeps the shape.

        Raises:
            ConfigError: there is none.
        """
        if not self.keeping:
            raise ConfigError(
                f"the stage of {', '.join(self.names)} has no block that keeps the shape, and a "
                "new block is a copy of such a one (start from a deeper net, or leave it out)"
            )
        return self.keeping[-1]


def stages_of(net: nn.Module) -> list[Stage]:
    """List the stages of a net: rows of residual or plain blocks, torchvision's included.

    Raises:
        ConfigError: it has none.
    """
    keeps = {each.name: each.keeps_shape for each in blocks_of(net, foreign=True)}
    found: list[Stage] = []
    for name, row in net.named_modules():
        if not isinstance(row, nn.Sequential):
            continue
        inner = {f"{name}.{key}".lstrip("."): block for key, block in row.named_children()}
        known = {
            path: _keeps_shape(block) if isinstance(block, PlainBlock) else keeps[path]
            for path, block in inner.items()
            if isinstance(block, PlainBlock) or path in keeps
        }
        if known:
            found.append(Stage(row, tuple(known), tuple(p for p, same in known.items() if same)))
    if not found:
        raise ConfigError(
            f"{type(net).__name__} has no residual or plain blocks in a row, so there is no place "
            "for another (nets of the families cifar, wide, imagenet and mnist have them, but not "
            "those with gates)"
        )
    return found


def ends(net: nn.Module, blocks: int | Sequence[int]) -> tuple[str, ...]:
    """Name the blocks behind which so many more go, at the end of each stage.

    Args:
        net: any with stages.
        blocks: new ones in each stage: one number for all of them, or one for each.

    Raises:
        ConfigError: a number below zero, none at all, or more or fewer numbers than stages.
    """
    stages = stages_of(net)
    numbers = [blocks] * len(stages) if isinstance(blocks, int) else list(blocks)
    if len(numbers) == 1:
        numbers *= len(stages)
    if len(numbers) != len(stages):
        raise ConfigError(
            f"the net has {len(stages)} stages, got numbers of blocks for {len(numbers)}: "
            f"{', '.join(map(str, numbers))} (give one number, or one for each stage)"
        )
    if min(numbers) < 0 or not any(numbers):
        raise ConfigError(
            f"a deeper net has at least one block more and none less, got "
            f"{', '.join(map(str, numbers))}"
        )
    return tuple(
        stage.end for stage, number in zip(stages, numbers, strict=True) for _ in range(number)
    )


def behind(net: nn.Module, after: Iterable[str]) -> dict[str, str]:
    """Say which block of the present net each block of the deeper one is, or stands behind.

    Args:
        net: with stages.
        after: names of blocks; each gets one behind it, or several if it is named so often.

    Returns:
        Names in the deeper net to names in this one, of the stages that change. Of several with the
        same name the first is that block itself.

    Raises:
        ConfigError: a name is that of no block in a row.
    """
    counts = Counter(after)
    stages = stages_of(net)
    known = [name for stage in stages for name in stage.names]
    for name in counts:
        if name not in known:
            raise ConfigError(
                f"{name!r} is no block that another can stand behind{closest(name, known)}; "
                f"there are {', '.join(known)}"
            )
    result: dict[str, str] = {}
    for stage in stages:
        if not any(name in counts for name in stage.names):
            continue
        path = stage.names[0].rpartition(".")[0]
        present = [f"{path}.{key}".lstrip(".") for key, _ in stage.row.named_children()]
        row = [name for name in present for _ in range(1 + counts[name])]
        result |= {f"{path}.{index}".lstrip("."): name for index, name in enumerate(row)}
    return result


def insert(net: nn.Module, after: Iterable[str]) -> list[str]:
    """Put new blocks behind the blocks named; what stood behind them moves up.

    Args:
        net: changed in place.
        after: names of blocks, as in `behind`.

    Returns:
        The names of the new blocks.

    Raises:
        ConfigError: a name is that of no block in a row, or there is no block to copy.
    """
    place = behind(net, after)
    stages = stages_of(net)
    models = {
        name: _model(net, next(stage for stage in stages if name in stage.names), name)
        for name in dict.fromkeys(after)
    }
    seen: set[str] = set()
    new: list[str] = []
    for name, source in place.items():
        if source not in seen:
            seen.add(source)
            continue
        parent, _, index = name.rpartition(".")
        row = net.get_submodule(parent)
        assert isinstance(row, nn.Sequential)
        row.insert(int(index), _fresh(models[source]))
        new.append(name)
    return new


def _model(net: nn.Module, stage: Stage, name: str) -> nn.Module:
    """Find the nearest block of a stage that keeps the shape that another puts out."""
    channels = _weighted(net.get_submodule(name))[-1].weight.shape[0]
    fitting = [
        other
        for other in stage.keeping
        if _weighted(net.get_submodule(other))[0].weight.shape[1] == channels
    ]
    if not fitting:
        raise ConfigError(
            f"behind {name} there would be {channels} channels, and its stage has no block that "
            "keeps those, which a new one could be a copy of"
        )
    at = stage.names.index(name)
    nearest = min(fitting, key=lambda other: abs(stage.names.index(other) - at))
    return net.get_submodule(nearest)


def _fresh(block: nn.Module) -> nn.Module:
    """Copy a block and draw its weights anew."""
    made = copy.deepcopy(block)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d | nn.Linear):
            module.reset_parameters()
    initialize(made)
    return made.requires_grad_()


def _weighted(block: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    inner = getattr(block, "residual", block)
    return [module for module in inner.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def _keeps_shape(block: nn.Module) -> bool:
    layers = _weighted(block)
    strides = [layer.stride for layer in layers if isinstance(layer, nn.Conv2d)]
    same = layers[0].weight.shape[1] == layers[-1].weight.shape[0]
    return same and all(stride == (1, 1) for stride in strides)
