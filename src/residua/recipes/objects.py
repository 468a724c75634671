"""One's own pictures with objects: a detector made for a VOC tree or a COCO file.

Size, anchors and the length of the training follow the pictures and their objects. The trunk is
trained first on the objects themselves, each as a picture of its own, where no weights are given.
How the settings were chosen: by rules of thumb. On BCCD (205 pictures of blood cells to learn
from), with a trunk that was trained on tiny-imagenet-20 first, they reach 90.3 % mAP@.5 on its 72
test pictures; `bench/objects.py` measures that.
"""

import dataclasses
import math
import statistics
from pathlib import Path

import torch
from torch import Tensor

from residua.data.augment import RandomResizedCrop
from residua.data.coco import CocoConfig
from residua.data.crops import ObjectCropsConfig
from residua.data.folder import absolute
from residua.data.objectbatches import ResizeConfig
from residua.data.objects import Annotated
from residua.data.recognise_objects import object_sentences, recognise_objects
from residua.data.voc import VocConfig
from residua.detect.anchors import AnchorsConfig, fit_anchors
from residua.detect.roi import RoiConfig
from residua.detect.rpn import RpnConfig
from residua.detect.settings import FasterRcnnConfig
from residua.detection_experiment import DetectionExperiment
from residua.experiment import Experiment
from residua.nets.catalogue import NetConfig, for_classes
from residua.nets.imagenet import ImagenetConfig
from residua.recipes.pictures import plain
from residua.starting_detector import any_config_of
from residua.train.optimize import SgdConfig
from residua.train.schedule import CosineConfig

__all__: list[str] = []

# Pictures looked at in all, and the fewest and the most times each is.
LOOKS, FEWEST, MOST = 8_000, 12, 60
# Side of a pooled region; half of the paper's 14 and a little leaves a quarter of its work.
POOLED = 8
# The same for the trunk, of single objects.
CROP_LOOKS, CROP = 80_000, 96
BATCH, TRUNK_BATCH = 4, 64
# Bounds of the shorter side of a picture in pixels; the paper's is the upper one.
SHORT = (256, 600)
# Looks at the validation pictures in a training.
VALIDATIONS = 8


@dataclasses.dataclass(frozen=True)
class RecognisedObjects:
    """What a path was taken for: the experiment, and sentences that say so."""

    experiment: DetectionExperiment
    sentences: list[str]


def recognised(path: str | Path, *, weights: str | None = None) -> RecognisedObjects | None:
    """Recognise pictures with objects and make the experiment for them; None for other folders.

    Args:
        path: a VOC tree, a COCO file, or a folder of either.
        weights: to begin from, whose net becomes the trunk; or those of a detector, whose anchors
            and settings stay.

    Raises:
        DataError: the annotations cannot be used.
        ConfigError: the weights do not say of which net they are.
    """
    data = recognise_objects(path)
    if data is None:
        return None
    found = data.surveyed()
    train = found.splits.train
    resize = resize_for(train)
    net, whence = _detector(train, resize, weights)
    name = f"objects.{plain(Path(absolute(path)).stem)}"
    epochs = min(max(LOOKS / len(train), FEWEST), MOST)
    until = max(2, math.ceil(epochs * len(train) / BATCH))
    experiment = DetectionExperiment(
        name=name,
        net=net,
        data=data,
        resize=resize,
        schedule=CosineConfig(lr=0.01, until=until, warmup=until // 20),
        batch_size=BATCH,
        rate_batch=BATCH,
        look_every=max(1, round(epochs / VALIDATIONS)),
        weights=weights,
        pretrain=None if weights is not None else _trunk(name, net.trunk, data, train),
    )
    told = [*object_sentences(found), *_chosen(resize, net.anchors, whence)]
    return RecognisedObjects(experiment, told)


def _detector(
    train: Annotated, resize: ResizeConfig, weights: str | None
) -> tuple[FasterRcnnConfig, str]:
    """Settle the detector, that of the weights or a new one, and say whence its anchors are."""
    given = ImagenetConfig(depth=18, widen=0.5) if weights is None else any_config_of(weights)
    if isinstance(given, FasterRcnnConfig):
        return dataclasses.replace(given, num_classes=len(train.classes)), "those of the weights"
    net = FasterRcnnConfig(
        trunk=given,
        num_classes=len(train.classes),
        anchors=fit_anchors(_resized_boxes(train, resize)),
        rpn=RpnConfig(train_pre=2000, train_post=400, test_pre=2000, min_size=4.0),
        roi=RoiConfig(pool="align", pool_size=POOLED, background=(0.0, 0.5)),
        freeze=1,
    )
    return net, "fitted to the objects"


def resize_for(train: Annotated) -> ResizeConfig:
    """Keep the size that pictures typically have, within bounds."""
    typical = statistics.median(min(size) for size in train.sizes)
    short = min(max(32 * round(typical / 32), SHORT[0]), SHORT[1])
    return ResizeConfig(short=short, long=short * 5 // 3)


def _resized_boxes(train: Annotated, resize: ResizeConfig) -> Tensor:
    """Return all boxes that are learned from, in pixels of the resized pictures."""
    boxes = []
    for index, (height, width) in enumerate(train.sizes):
        to_height, to_width = resize.size((height, width))
        ratio = torch.tensor([to_width / width, to_height / height] * 2)
        boxes.append(train.objects(index).learnable().boxes_R4 * ratio)
    return torch.cat(boxes)


def _trunk(name: str, net: NetConfig, data: VocConfig | CocoConfig, train: Annotated) -> Experiment:
    """Make the experiment in which the trunk learns to name single objects."""
    crops = ObjectCropsConfig(data=data, size=CROP)
    objects = sum(len(train.objects(index).learnable()) for index in range(len(train)))
    count = min(objects, crops.most) * (1 + crops.background)
    until = math.ceil(min(CROP_LOOKS, 60 * count) / TRUNK_BATCH)
    return Experiment(
        name=f"{name}_trunk",
        net=for_classes(net, len(train.classes) + 1),
        data=crops,
        augment=RandomResizedCrop(size=CROP, area=(0.4, 1.0)),
        optimizer=SgdConfig(weight_decay=5e-4, nesterov=True),
        schedule=CosineConfig(lr=0.1, until=until, warmup=until // 20),
        batch_size=TRUNK_BATCH,
        balance=True,
    )


def _chosen(resize: ResizeConfig, anchors: AnchorsConfig, whence: str) -> list[str]:
    sizes = ", ".join(f"{size:g}" for size in anchors.sizes)
    ratios = ", ".join(f"{ratio:g}" for ratio in anchors.ratios)
    return [
        f"read with the shorter side at {resize.short} pixels, the longer at most {resize.long}; "
        f"anchors of {sizes} pixels with height by width {ratios}, {whence}"
    ]
