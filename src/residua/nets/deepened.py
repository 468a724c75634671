"""Nets that are deeper by some blocks than one of a family, as settings."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from torch import nn

from residua.config import settings, tagged
from residua.errors import ConfigError
from residua.nets.cifar import CifarConfig
from residua.nets.dense import DenseConfig
from residua.nets.families import Family
from residua.nets.imagenet import LAYOUTS, ImagenetConfig
from residua.nets.insert import behind, insert, stages_of
from residua.nets.mnist import MnistConfig
from residua.nets.wide import WideConfig
from residua.nn.unit import KERNELS


@settings
class DeepenedConfig:
    """A net of a family with more blocks, where the family itself has no such net.

    Attributes:
        net: of the family.
        after: names of its blocks; each gets a new one behind it, or several if it stands here so
            often.
    """

    kind: Literal["deepened"] = "deepened"
    net: Annotated[Family, tagged]
    after: tuple[str, ...]

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """C, H, W of the pictures it was made for."""
        return self.net.input_shape

    def build(self) -> nn.Module:
        """Build the network that these settings describe, with freshly drawn weights."""
        net = self.net.build()
        insert(net, self.after)
        return net


def deeper(config: object, after: Sequence[str]) -> Family | DeepenedConfig:
    """Give the settings of a net with more blocks: those of its own family where it has such a net.

    ResNet-20 with two blocks more in each stage is ResNet-32, with the names of its weights.

    Args:
        config: settings of the net.
        after: names of blocks, each of which gets one behind it.

    Raises:
        ConfigError: a name is that of no block in a row, or the net is slimmed.
    """
    if isinstance(config, DeepenedConfig):
        with torch.device("meta"):
            known = behind(config.net.build(), config.after)
        again = [known.get(name, name) for name in after]
        return deeper(config.net, (*config.after, *again))
    if not isinstance(config, Family):
        raise ConfigError(
            f"settings of kind {getattr(config, 'kind', type(config).__name__)} are of no family "
            "that blocks can be added to (deepen a net before it is slimmed)"
        )
    result = DeepenedConfig(net=config, after=tuple(sorted(after)))
    with torch.device("meta"):
        shallow, made = config.build(), result.build()
        counts = Counter(after)
        more = [sum(counts[name] for name in stage.names) for stage in stages_of(shallow)]
        member = _member(config, more)
        if member is not None and _shapes(member.build()) == _shapes(made):
            return member
    return result


def _shapes(net: nn.Module) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in net.state_dict().items()}


def _member(config: Family, more: Sequence[int]) -> Family | None:
    """Find the net of the same family with so many more blocks in each stage."""
    if isinstance(config, ImagenetConfig):
        block, counts = LAYOUTS[config.depth]
        wanted = (block, tuple(a + b for a, b in zip(counts, more, strict=True)))
        depths = [depth for depth, layout in LAYOUTS.items() if layout == wanted]
        return dataclasses.replace(config, depth=depths[0]) if depths else None
    if len(set(more)) != 1:
        return None
    match config:
        # With stochastic depth every survival depends on the depth, and so what the net computes.
        case CifarConfig() if config.survival == 1:
            step = 3 * len(KERNELS[config.block])
        case WideConfig() if config.units is None:
            step = 3 * len(config.kernels)
        case MnistConfig():
            step = 6
        case DenseConfig():
            step = 2 if config.join == "residual" else 1
        case _:
            return None
    return dataclasses.replace(config, depth=config.depth + step * more[0])
