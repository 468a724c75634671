"""Nets without some of their residual functions, as settings."""

from collections.abc import Iterable
from typing import Annotated, Literal

from torch import nn

from residua.config import settings, tagged
from residua.errors import ConfigError
from residua.nets.blocks_of import without
from residua.nets.deepened import DeepenedConfig
from residua.nets.families import Family


@settings
class SlimmedConfig:
    """A net in whose blocks the residual functions named are left out: `y = f(h(x))`.

    What is left keeps its names, so that its weights are those of the whole net but for the
    functions that are gone.

    Attributes:
        net: the whole net.
        left_out: names of its blocks.
    """

    kind: Literal["slimmed"] = "slimmed"
    net: Annotated[Family | DeepenedConfig, tagged]
    left_out: tuple[str, ...]

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """C, H, W of the pictures it was made for."""
        return self.net.input_shape

    def build(self) -> nn.Module:
        """Build the network that these settings describe, with freshly drawn weights."""
        return without(self.net.build(), self.left_out)


def slimmer(config: object, names: Iterable[str]) -> SlimmedConfig:
    """Give the settings of a net without the residual functions of the blocks named.

    Raises:
        ConfigError: the settings are of no net that can be slimmed.
    """
    gone = tuple(names)
    match config:
        case SlimmedConfig():
            return SlimmedConfig(net=config.net, left_out=tuple(sorted({*config.left_out, *gone})))
        case _ if isinstance(config, Family | DeepenedConfig):
            return SlimmedConfig(net=config, left_out=tuple(sorted(gone)))
        case _:
            raise ConfigError(
                f"settings of kind {getattr(config, 'kind', type(config).__name__)} are of no net "
                "that can be slimmed: nets of the families and those that were deepened can"
            )
