"""Which network foreign weights are of, read off their names and shapes."""

import re
from collections.abc import Mapping

from torch import Tensor

from residua.errors import CheckpointError
from residua.nets.catalogue import NetConfig
from residua.nets.cifar import CifarConfig
from residua.nets.convert import CONVENTIONS, origin_of
from residua.nets.imagenet import LAYOUTS, WIDTHS, ImagenetConfig
from residua.nets.names import Origin
from residua.nets.vgg import CONVOLUTIONS, VggConfig

UNITS: dict[Origin, str] = {
    "torchvision": r"layer(\d+)\.(\d+)\.conv1\.weight",
    "akamaster": r"layer(\d+)\.(\d+)\.conv1\.weight",
    "detectron2": r"res(\d+)\.(\d+)\.conv1\.weight",
    "detectron": r"res(\d+)_(\d+)_branch2a_w",
    "caffe": r"res(\d+)([a-z]\d*)_branch2a/0",
}
LAST: dict[Origin, str] = {
    "torchvision": "fc.weight",
    "akamaster": "linear.weight",
    "detectron2": "linear.weight",
    "detectron": "fc1000_w",
    "caffe": "fc1000/0",
    "torchvision_vgg": "classifier.6.weight",
    "timm_vgg": "head.fc.weight",
    "caffe_vgg": "fc8/0",
}
FIRST: dict[Origin, str] = {
    "torchvision": "conv1.weight",
    "akamaster": "conv1.weight",
    "detectron2": "stem.conv1.weight",
    "detectron": "conv1_w",
    "caffe": "conv1/0",
    "torchvision_vgg": "features.0.weight",
    "timm_vgg": "features.0.weight",
    "caffe_vgg": "conv1_1/0",
}


def infer(state: Mapping[str, Tensor]) -> NetConfig:
    """Find the settings of the network that foreign weights are of.

    Raises:
        CheckpointError: unknown origin, or no network of ours has these units.
    """
    origin = origin_of(state)
    classes = len(state[LAST[origin]]) if LAST[origin] in state else 1000
    channels = state[FIRST[origin]].shape[1]
    if origin.endswith("vgg"):
        return _vgg(state, classes, channels)
    counts = _counts(state, UNITS[origin])
    if origin == "akamaster":
        if len(counts) == 3 and len(set(counts)) == 1:
            shortcut = "B" if any(".shortcut." in name for name in state) else "A"
            depth = 6 * counts[0] + 2
            return CifarConfig(
                depth=depth, shortcut=shortcut, in_channels=channels, num_classes=classes
            )
        raise _unknown(origin, counts)
    return _imagenet(state, origin, counts, classes)


def _counts(state: Mapping[str, Tensor], pattern: str) -> tuple[int, ...]:
    matches = [match for match in (re.fullmatch(pattern, name) for name in state) if match]
    stages = sorted({int(match[1]) for match in matches})
    return tuple(sum(int(match[1]) == stage for match in matches) for stage in stages)


def _imagenet(
    state: Mapping[str, Tensor], origin: Origin, counts: tuple[int, ...], classes: int
) -> ImagenetConfig:
    third = ("conv3.weight", "branch2c_w", "branch2c/0")
    block = "bottleneck" if any(name.endswith(third) for name in state) else "basic"
    depths = [depth for depth, layout in LAYOUTS.items() if layout == (block, counts)]
    if not depths:
        raise _unknown(origin, counts)
    first = state[FIRST[origin]]
    second = {"torchvision": "layer1.0.conv2.weight", "detectron2": "res2.0.conv2.weight"}
    inner = state.get(second.get(origin, ""))
    averaged = "layer2.0.downsample.2.weight" in state
    return ImagenetConfig(
        depth=depths[0],
        shortcut="average_projection" if averaged else "B",
        widen=len(inner) / WIDTHS[0] if inner is not None else 1.0,
        stride_on="1x1" if CONVENTIONS[origin].stride_on in (None, "1x1") else "3x3",
        pool_rounding=CONVENTIONS[origin].pool_rounding or "floor",
        stem_bias=any(name in state for name in ("conv1/1", "conv1_b")),
        in_channels=first.shape[1],
        num_classes=classes,
    )


def _vgg(state: Mapping[str, Tensor], classes: int, channels: int) -> VggConfig:
    convolutions = sum(value.ndim == 4 and value.shape[-1] == 3 for value in state.values())
    for depth, groups in CONVOLUTIONS.items():
        if sum(groups) == convolutions:
            return VggConfig(
                depth=16 if depth == 16 else 19, in_channels=channels, num_classes=classes
            )
    raise CheckpointError(
        f"recognised weights of a VGG net with {convolutions} convolutions; only 16 and 19 layers "
        "without batch normalization are here"
    )


def _unknown(origin: Origin, counts: tuple[int, ...]) -> CheckpointError:
    return CheckpointError(
        f"recognised weights of {CONVENTIONS[origin].title} with {' + '.join(map(str, counts))} "
        "units, which no published net has; name the net that they are of"
    )
