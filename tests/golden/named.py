"""Settings for each entry of architectures.json, found from its name."""

import re

from residua.nets.cifar import CifarConfig
from residua.nets.dense import DenseConfig
from residua.nets.highway import HighwayConfig
from residua.nets.imagenet import ImagenetConfig
from residua.nets.mnist import MnistConfig
from residua.nets.vgg import VggConfig
from residua.nets.wide import WideConfig

SLIDES = {
    "": {"shortcut": "conv2x2"},
    "_nobn_sc": {"shortcut": "conv2x2_bare"},
    "_bias_nobn_sc": {"shortcut": "conv2x2_bias"},
    "_literal_bias_nobn": {"shortcut": "conv2x2_bias", "norm": False},
}


def imagenet(m):
    depth, rest = int(m["depth"]), m["rest"]
    if m["kind"] == "plain":
        return ImagenetConfig(depth=depth, shortcut="none")
    if m["kind"] == "wrn":
        widen = float(m["widen"])
        return ImagenetConfig(depth=depth, widen=widen, stride_on="3x3" if depth == 50 else "1x1")
    if rest.startswith("slides2x2"):
        return ImagenetConfig(depth=depth, **SLIDES[rest.removeprefix("slides2x2")])
    if rest == "msra_caffe":
        return ImagenetConfig(depth=depth, stem_bias=True, pool_rounding="ceil")
    return ImagenetConfig(
        depth=depth,
        shortcut=rest[-1],
        order="full_preact" if m["kind"] == "preresnet" else "post",
        stride_on="3x3" if "v1.5" in rest or "s3x3" in rest else "1x1",
    )


def cifar(m):
    depth, rest, classes = int(m["depth"]), m["rest"], int(m["classes"])
    order = "full_preact" if m["kind"] == "preresnet" else "post"
    if m["kind"] == "plain":
        return CifarConfig(depth=depth, shortcut="none", num_classes=classes)
    if m["bottleneck"] or depth in (164, 1001):
        return CifarConfig(
            depth=depth, block="bottleneck", shortcut="B", order=order, num_classes=classes
        )
    shortcut = {"": "A", "gated": "exclusive_gating"}.get(rest, rest)
    return CifarConfig(depth=depth, shortcut=shortcut, order=order, num_classes=classes)


def wide(m):
    depth, kind = int(m["depth"]), m["type"] or ""
    kernels, units = (3, 3), None
    if kind.startswith("B("):
        kernels = tuple(map(int, kind.partition(")")[0].removeprefix("B(").split(",")))
        units = None if kind.endswith("strictdepth") else (depth - 4) // 6
    elif kind:
        kernels = (3,) * int(kind[1])
    return WideConfig(
        depth=depth,
        widen=float(m["widen"]),
        kernels=kernels,
        units=units,
        num_classes=int(m["classes"]),
    )


def highway(m):
    layout = {"10_mnist_conv": "mnist10", "19_cifar": "cifar19", "11_cifar": "cifar11_conjecture"}
    width = int(m["width"]) if m["width"] else None
    return HighwayConfig(
        layout=layout[m["layout"]], width=width, num_classes=int(m["classes"] or 10)
    )


def dense(m):
    join = "highway" if m["kind"] == "highway" else "none"
    return DenseConfig(depth=int(m["depth"]), join=join, width=int(m["width"]))


def mnist(m):
    shortcut = "projection" if m["kind"] == "residual" else "none"
    return MnistConfig(depth=int(m["depth"]), shortcut=shortcut, reading=m["reading"])


def vgg(m):
    return VggConfig(depth=int(m["depth"]))


PATTERNS = (
    (r"vgg(?P<depth>\d+)_imagenet", vgg),
    (r"wrn(?P<depth>\d+)-(?P<widen>\d+)(_(?P<type>.+))?_cifar(?P<classes>\d+)", wide),
    (r"(?P<kind>wrn)(?P<depth>\d+)-(?P<widen>[\d.]+)(-bottleneck)?_imagenet(?P<rest>)", imagenet),
    (r"(?P<kind>plain|resnet|preresnet)(?P<depth>\d+)_imagenet_?(?P<rest>.*)", imagenet),
    (
        r"(?P<kind>plain|resnet|preresnet)(?P<depth>\d+)(?P<bottleneck>_bottleneck)?"
        r"_cifar(?P<classes>\d+)_?(?P<rest>.*)",
        cifar,
    ),
    (r"highway(?P<layout>10_mnist_conv)_w(?P<width>\d+)(?P<classes>)", highway),
    (r"highway(?P<layout>\d+_cifar)(?P<classes>\d+)(_conjecture)?(?P<width>)", highway),
    (r"(?P<kind>highway|plain)(?P<depth>\d+)_mnist_fc_w(?P<width>\d+)", dense),
    (r"mnist_(?P<kind>residual|plain)(?P<depth>\d+)_seed4_(?P<reading>code|blog)", mnist),
)


def settings_of(name):
    """Return the settings that an entry's name describes."""
    for pattern, make in PATTERNS:
        match = re.fullmatch(pattern, name)
        if match:
            return make(match)
    raise LookupError(name)
