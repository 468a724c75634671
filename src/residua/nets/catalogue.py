"""Every network by name, as settings: `find("imagenet.resnet50")` or `find("resnet50")`.

A name is `family.name`; the short name will do where only one family has it.
"""

from typing import Annotated

from residua.config import tagged
from residua.errors import ConfigError, closest
from residua.nets.cifar import CifarConfig
from residua.nets.vgg import VggConfig

NetConfig = Annotated[CifarConfig | VggConfig, tagged]

CIFAR_DEPTHS = (20, 32, 44, 56, 110, 1202)

NETS: dict[str, NetConfig] = {
    **{f"cifar.resnet{depth}": CifarConfig(depth=depth) for depth in CIFAR_DEPTHS},
    **{f"cifar.plain{depth}": CifarConfig(depth=depth, shortcut="none") for depth in CIFAR_DEPTHS},
    "vgg.vgg16": VggConfig(depth=16),
    "vgg.vgg19": VggConfig(depth=19),
}


def find(name: str) -> NetConfig:
    """Return the settings of a network by its name, or by its short name where that is unique.

    Raises:
        ConfigError: no network has the name, or several have the short name.
    """
    if name in NETS:
        return NETS[name]
    matches = [full for full in NETS if full.partition(".")[2] == name]
    if len(matches) > 1:
        raise ConfigError(f"{name!r} names several networks: {', '.join(matches)} (choose one)")
    if not matches:
        known = {*NETS, *(full.partition(".")[2] for full in NETS)}
        raise ConfigError(
            f"no network is called {name!r}{closest(name, known)}; `residua list` shows all"
        )
    return NETS[matches[0]]
