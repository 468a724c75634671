"""Every network by name, as settings: `find("imagenet.resnet50")` or `find("resnet50_v1.5")`.

A name is `family.name`; the short name will do where only one family has it.
"""

import dataclasses
from typing import Annotated

from residua.config import tagged
from residua.errors import ConfigError, closest
from residua.nets.cifar import CifarConfig
from residua.nets.deepened import DeepenedConfig
from residua.nets.dense import DenseConfig
from residua.nets.families import Family
from residua.nets.highway import HighwayConfig
from residua.nets.imagenet import LAYOUTS, ImagenetConfig
from residua.nets.mnist import MnistConfig
from residua.nets.slimmed import SlimmedConfig
from residua.nets.vgg import VggConfig
from residua.nets.wide import WideConfig
from residua.nn.residuals import Order
from residua.nn.unit import Connection

NetConfig = Annotated[Family | DeepenedConfig | SlimmedConfig, tagged]

_CIFAR_DEPTHS = (20, 32, 44, 56, 110, 1202)
_WIDE = (
    *((16, 4), (16, 8), (16, 10), (22, 8), (22, 10), (28, 2), (28, 10), (28, 12)),
    *((40, 1), (40, 2), (40, 4), (40, 8), (40, 10), (52, 1)),
)


def _imagenet() -> dict[str, NetConfig]:
    bottlenecks = [depth for depth, (block, _) in LAYOUTS.items() if block == "bottleneck"]
    slides: dict[str, Connection] = {
        "": "conv2x2",
        "_no_norm": "conv2x2_bare",
        "_bias": "conv2x2_bias",
    }
    return {
        **{f"resnet{depth}": ImagenetConfig(depth=depth) for depth in LAYOUTS},
        **{f"plain{depth}": ImagenetConfig(depth=depth, shortcut="none") for depth in (18, 34)},
        **{
            f"resnet{depth}_v1.5": ImagenetConfig(depth=depth, stride_on="3x3")
            for depth in bottlenecks
        },
        **{
            f"preresnet{depth}": ImagenetConfig(depth=depth, order="full_preact")
            for depth in LAYOUTS
        },
        "resnet50_caffe": ImagenetConfig(depth=50, stem_bias=True, pool_rounding="ceil"),
        "resnet101_caffe": ImagenetConfig(depth=101, pool_rounding="ceil"),
        "resnet152_caffe": ImagenetConfig(depth=152, pool_rounding="ceil"),
        **{
            f"resnet18_slides{name}": ImagenetConfig(depth=18, shortcut=shortcut)
            for name, shortcut in slides.items()
        },
        "resnet18_slides_literal": ImagenetConfig(depth=18, shortcut="conv2x2_bias", norm=False),
        "resnet34_slides": ImagenetConfig(depth=34, shortcut="conv2x2"),
        **{
            f"wrn{depth}-{widen:g}": ImagenetConfig(depth=depth, widen=widen)
            for depth, widen in ((18, 1.5), (18, 2.0), (18, 3.0), (34, 1.5), (34, 2.0))
        },
        "wrn50-2": ImagenetConfig(depth=50, widen=2.0, stride_on="3x3"),
    }


def _cifar() -> dict[str, NetConfig]:
    bottleneck = {
        f"{name}{depth}": CifarConfig(depth=depth, block="bottleneck", shortcut="B", order=order)
        for depth in (164, 1001)
        for name, order in (("preresnet", "full_preact"), ("resnet", "post"))
    }
    return {
        **{f"resnet{depth}": CifarConfig(depth=depth) for depth in _CIFAR_DEPTHS},
        **{f"plain{depth}": CifarConfig(depth=depth, shortcut="none") for depth in _CIFAR_DEPTHS},
        **{
            f"preresnet{depth}": CifarConfig(depth=depth, order="full_preact")
            for depth in _CIFAR_DEPTHS[:-1]
        },
        **bottleneck,
        "resnet110_single": CifarConfig(depth=110, block="single"),
        "preresnet110_single": CifarConfig(depth=110, block="single", order="full_preact"),
        "stochastic110": CifarConfig(depth=110, shortcut="average_pad", survival=0.5),
        **_comparisons(),
    }


def _comparisons() -> dict[str, NetConfig]:
    """Name the rows of He et al. 2016, table 1 (shortcuts) and table 2 (orders)."""
    rows: dict[str, Connection] = {
        "constant_scaling": "constant_scaling",
        "exclusive_gating": "exclusive_gating",
        "shortcut_only_gating": "shortcut_only_gating",
        "conv1x1_shortcut": "C",
        "dropout_shortcut": "dropout",
    }
    orders: tuple[Order, ...] = ("bn_after_add", "relu_before_add", "relu_preact")
    return {
        **{f"resnet110_{row}": CifarConfig(depth=110, shortcut=name) for row, name in rows.items()},
        **{f"resnet110_{order}": CifarConfig(depth=110, order=order) for order in orders},
        **{
            f"resnet164_{order}": CifarConfig(
                depth=164, block="bottleneck", shortcut="B", order=order
            )
            for order in orders
        },
    }


def _named(family: str, nets: dict[str, NetConfig]) -> dict[str, NetConfig]:
    return {f"{family}.{name}": config for name, config in nets.items()}


NETS: dict[str, NetConfig] = {
    **_named("cifar", _cifar()),
    **_named(
        "wide",
        {f"wrn{depth}-{k}": WideConfig(depth=depth, widen=float(k)) for depth, k in _WIDE},
    ),
    **_named("imagenet", _imagenet()),
    **_named("vgg", {f"vgg{depth}": VggConfig(depth=depth) for depth in (16, 19)}),
    **_named(
        "highway",
        {
            "mnist10": HighwayConfig(layout="mnist10"),
            "mnist10_narrow": HighwayConfig(layout="mnist10", width=16),
            "cifar19": HighwayConfig(layout="cifar19"),
            "cifar11_conjecture": HighwayConfig(layout="cifar11_conjecture"),
        },
    ),
    **_named(
        "dense",
        {
            f"{name}{depth}": DenseConfig(depth=depth, join=join)
            for depth in (10, 20, 50, 100)
            for name, join in (("highway", "highway"), ("plain", "none"), ("residual", "residual"))
        },
    ),
    **_named(
        "mnist",
        {
            **{
                f"{name}{depth}{suffix}": MnistConfig(depth=depth, reading=reading, shortcut=join)
                for depth in (34, 100)
                for name, join in (("residual", "projection"), ("plain", "none"))
                for suffix, reading in (("", "code"), ("_blog", "blog"))
            },
            "plain34_printed": MnistConfig(depth=34, reading="printed", shortcut="none"),
            "plain100_printed": MnistConfig(depth=100, reading="printed", shortcut="none"),
        },
    ),
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


def for_classes(config: NetConfig, count: int) -> NetConfig:
    """Return the settings of the same network for another number of classes."""
    if isinstance(config, SlimmedConfig):
        inner = for_classes(config.net, count)
        assert not isinstance(inner, SlimmedConfig)
        return dataclasses.replace(config, net=inner)
    if isinstance(config, DeepenedConfig):
        inner = for_classes(config.net, count)
        assert not isinstance(inner, SlimmedConfig | DeepenedConfig)
        return dataclasses.replace(config, net=inner)
    return dataclasses.replace(config, num_classes=count)
