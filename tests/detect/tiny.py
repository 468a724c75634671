"""Detectors small enough for tests, and batches for them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from residua.data.objects import Objects
from residua.detect.anchors import AnchorsConfig
from residua.detect.faster_rcnn import OutputConfig
from residua.detect.roi import RoiConfig
from residua.detect.rpn import RpnConfig
from residua.detect.settings import FasterRcnnConfig
from residua.nets.imagenet import ImagenetConfig

TRUNK = ImagenetConfig(depth=18, widen=0.25)
ANCHORS = AnchorsConfig(sizes=(16, 32, 64))


@dataclass(frozen=True)
class Pictures:
    """What `ObjectBatch` holds."""

    images_NCHW: Tensor
    sizes_N2: Tensor
    objects: tuple[Objects, ...]
    scales_N: Tensor


def batch(*objects, height=96, width=128, seed=0):
    images = torch.randn(
        len(objects), 3, height, width, generator=torch.Generator().manual_seed(seed)
    )
    sizes = torch.tensor([[height, width]]).repeat(len(objects), 1)
    return Pictures(images, sizes, objects, torch.ones(len(objects)))


def config(*, rpn=None, roi=None, output=None, **options):
    """Return settings of a detector that takes pictures of about 100 pixels in milliseconds."""
    counts = {"test_pre": 200, "test_post": 20, "train_pre": 400, "train_post": 50, "min_size": 1.0}
    return FasterRcnnConfig(
        **{"trunk": TRUNK, "num_classes": 3, "anchors": ANCHORS, "freeze": 0, **options},
        rpn=RpnConfig(**counts | (rpn or {})),
        roi=RoiConfig(**{"pool_size": 4} | (roi or {})),
        output=OutputConfig(**{"candidates": 60, "per_picture": 10} | (output or {})),
    )


def shaken(detector, seed=0):
    """Give a detector weights that say something: scores and boxes that differ."""
    generator = torch.Generator().manual_seed(seed)
    for module in detector.modules():
        if hasattr(module, "running_mean"):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    for parameter in [*detector.rpn.parameters(), *detector.predict.parameters()]:
        if parameter.ndim > 1:
            fan_in = parameter[0].numel()
            parameter.data.normal_(0, fan_in**-0.5, generator=generator)
    detector.eval()
    # Inputs of the new layers get unit variance, or they would say nothing but extremes.
    with torch.no_grad():
        features = detector.trunk(torch.randn(1, 3, 96, 128, generator=generator))
        detector.rpn.conv.weight.div_(features.std())
        detector.rpn.deltas.weight.mul_(0.2)
        vectors = detector.head(features[..., :4, :4])
        for layer in (detector.predict.classes, detector.predict.boxes):
            layer.weight.div_(vectors.std())
        detector.predict.classes.weight.mul_(2)
        detector.predict.classes.bias[0] = -2
    return detector
