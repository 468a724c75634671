"""Faster R-CNN as in He et al. 2015, on VOC and COCO; and on made scenes, in minutes.

The papers' detectors begin from ImageNet weights, whose statistics are frozen; the shorter side of
a picture is 600 pixels, the longer at most 1000. Point `--data.path` at a VOC tree, or at a folder
of several (VOC2007 and VOC2012), or at COCO's. `--weights` takes a file of weights of the trunk;
by default those of torchvision are fetched, whose ResNets have their stride on the 3x3 convolution.
The authors' own, a .caffemodel, need `--net.trunk.stride-on 1x1 --net.trunk.pool-rounding ceil`.

VOC: [R] takes over the settings of [F]. The `_alternating` recipes have the four steps of the
authors' MATLAB code, 80,000 updates (the rate falls at 60,000) for proposals and 60,000 (at 30,000)
for regions in each round, on batches of two pictures here; the others learn both together over
70,000 (at 50,000), as py-faster-rcnn does on VOC 2007, which for 2007 + 2012 is our assumption.

COCO: proposals on batches of 8 pictures, regions on 16, each 240,000 updates at 0.001 and 80,000 at
0.0001, in two rounds of alternating training.

`--batch-size` of another number of pictures, and `--step-batches` on COCO, change the rates in
proportion.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, appendices A and B, tables 7 to 9.
    [F] Ren et al., Faster R-CNN, arXiv:1506.01497; py-faster-rcnn and faster_rcnn, their code.
"""

import dataclasses

from residua.data.augment import RandomResizedCrop
from residua.data.coco import CocoConfig
from residua.data.crops import ObjectCropsConfig
from residua.data.objectbatches import ResizeConfig
from residua.data.scenes import ScenesConfig
from residua.data.voc import VocConfig
from residua.detect.anchors import AnchorsConfig
from residua.detect.roi import RoiConfig
from residua.detect.rpn import RpnConfig
from residua.detect.scales import PAPER_SCALES
from residua.detect.settings import FasterRcnnConfig
from residua.detect.testing import TestingConfig
from residua.detection_experiment import DetectionExperiment
from residua.experiment import Claim, Experiment
from residua.nets.imagenet import ImagenetConfig
from residua.nets.vgg import VggConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import CosineConfig, StepsConfig
from residua.train.sequence import SequenceConfig

__all__ = [
    "coco_resnet101",
    "coco_resnet101_context",
    "coco_resnet101_multi_scale",
    "coco_resnet101_refinement",
    "coco_vgg16",
    "scenes",
    "scenes_alternating",
    "scenes_vgg16",
    "voc07_resnet101",
    "voc07_resnet101_alternating",
    "voc07_vgg16",
    "voc07_vgg16_alternating",
    "voc12_resnet101",
    "voc12_vgg16",
]

# As torchvision has them.
RESNET, VGG = ImagenetConfig(depth=101, stride_on="3x3"), VggConfig(depth=16)
SMALL, SMALL_VGG = ImagenetConfig(depth=18, widen=0.25), VggConfig(depth=16, widen=0.25)
SCENES, CROP = ScenesConfig(train=2000), 96
JOINT = StepsConfig(lr=0.001, at=(50_000,), until=70_000)
PROPOSE = StepsConfig(lr=0.001, at=(60_000,), until=80_000)
CLASSIFY = StepsConfig(lr=0.001, at=(30_000,), until=60_000)
VOC_STEPS = SequenceConfig(parts=(PROPOSE, CLASSIFY, PROPOSE, CLASSIFY))
COCO_STEP = StepsConfig(lr=0.001, at=(240_000,), until=320_000)
COCO_STEPS = SequenceConfig(parts=(COCO_STEP,) * 4)
REFINED = TestingConfig(refine=True, vote=True)


def _map(value: float, metric: str, table: int) -> Claim:
    source = f"arXiv:1512.03385, table {table}"
    return Claim(metric=metric, value=value, unit="percent", statistic="single run", source=source)


def _voc(
    name: str, trunk: ImagenetConfig | VggConfig, claim: Claim, *, alternating: bool = False
) -> DetectionExperiment:
    # The authors' joint training learns background from regions far from any object too.
    background = (0.1, 0.5) if alternating else (0.0, 0.5)
    return DetectionExperiment(
        name=f"detection.{name}",
        net=FasterRcnnConfig(
            trunk=trunk, num_classes=20, roi=RoiConfig(background=background), freeze=2
        ),
        data=VocConfig(train="trainval", validation="", test="test"),
        schedule=VOC_STEPS if alternating else JOINT,
        training="alternating" if alternating else "joint",
        rate_batch=2,
        batch_size=2,
        look_every=5,
        weights="torchvision",
        claims=(claim,),
    )


def _coco(name: str, trunk: ImagenetConfig | VggConfig, *claims: Claim) -> DetectionExperiment:
    return DetectionExperiment(
        name=f"detection.{name}",
        net=FasterRcnnConfig(trunk=trunk, num_classes=80, freeze=2),
        data=CocoConfig(),
        schedule=COCO_STEPS,
        training="alternating",
        step_batches=(8, 16, 8, 16),
        rate_step_batches=(8, 16, 8, 16),
        batch_size=8,
        look_every=5,
        weights="torchvision",
        claims=claims,
    )


def _with_context(name: str, testing: TestingConfig, *claims: Claim) -> DetectionExperiment:
    made = _coco(name, RESNET, *claims)
    assert isinstance(made.net, FasterRcnnConfig)
    net = dataclasses.replace(made.net, context=True)
    return dataclasses.replace(made, net=net, testing=testing)


def voc07_resnet101() -> DetectionExperiment:
    """ResNet-101 on VOC 2007 + 2012, tested on 2007, learning all together: 76.4 %."""
    return _voc("voc07_resnet101", RESNET, _map(76.4, "map_11point", 7))


def voc07_resnet101_alternating() -> DetectionExperiment:
    """ResNet-101 on VOC 2007 + 2012, tested on 2007, in four steps: 76.4 %."""
    claim = _map(76.4, "map_11point", 7)
    return _voc("voc07_resnet101_alternating", RESNET, claim, alternating=True)


def voc07_vgg16() -> DetectionExperiment:
    """VGG-16 on VOC 2007 + 2012, tested on 2007, learning all together: 73.2 %."""
    return _voc("voc07_vgg16", VGG, _map(73.2, "map_11point", 7))


def voc07_vgg16_alternating() -> DetectionExperiment:
    """VGG-16 on VOC 2007 + 2012, tested on 2007, in four steps: 73.2 %."""
    claim = _map(73.2, "map_11point", 7)
    return _voc("voc07_vgg16_alternating", VGG, claim, alternating=True)


def voc12_resnet101() -> DetectionExperiment:
    """ResNet-101 on VOC 2007 (all of it) + 2012, tested on 2012: 73.8 %."""
    return _voc("voc12_resnet101", RESNET, _map(73.8, "map_area", 7))


def voc12_vgg16() -> DetectionExperiment:
    """VGG-16 on VOC 2007 (all of it) + 2012, tested on 2012: 70.4 %."""
    return _voc("voc12_vgg16", VGG, _map(70.4, "map_area", 7))


def coco_resnet101() -> DetectionExperiment:
    """ResNet-101 on COCO 2014: AP@.5 48.4 %, AP@[.5,.95] 27.2 %."""
    claims = _map(48.4, "coco_ap50", 8), _map(27.2, "coco_ap", 8)
    return _coco("coco_resnet101", RESNET, *claims)


def coco_resnet101_refinement() -> DetectionExperiment:
    """The same, every box looked at again and voted for: AP@.5 49.9 %, AP@[.5,.95] 29.9 %."""
    claims = _map(49.9, "coco_ap50", 9), _map(29.9, "coco_ap", 9)
    made = _coco("coco_resnet101_refinement", RESNET, *claims)
    return dataclasses.replace(made, testing=REFINED)


def coco_resnet101_context() -> DetectionExperiment:
    """The same, trained to see the whole picture too: AP@.5 51.1 %, AP@[.5,.95] 30.0 %."""
    claims = _map(51.1, "coco_ap50", 9), _map(30.0, "coco_ap", 9)
    return _with_context("coco_resnet101_context", REFINED, *claims)


def coco_resnet101_multi_scale() -> DetectionExperiment:
    """The same, tested at several scales: AP@.5 53.8 %, AP@[.5,.95] 32.5 %."""
    claims = _map(53.8, "coco_ap50", 9), _map(32.5, "coco_ap", 9)
    testing = dataclasses.replace(REFINED, scales=PAPER_SCALES)
    return _with_context("coco_resnet101_multi_scale", testing, *claims)


def coco_vgg16() -> DetectionExperiment:
    """VGG-16 on COCO 2014: AP@.5 41.5 %, AP@[.5,.95] 21.2 %."""
    claims = _map(41.5, "coco_ap50", 8), _map(21.2, "coco_ap", 8)
    return _coco("coco_vgg16", VGG, *claims)


def _scene_trunk(name: str, net: ImagenetConfig | VggConfig, lr: float) -> Experiment:
    return Experiment(
        name=f"detection.{name}",
        net=dataclasses.replace(net, num_classes=11),
        data=ObjectCropsConfig(data=SCENES, size=CROP),
        augment=RandomResizedCrop(size=CROP, area=(0.4, 1.0), flip=False),
        schedule=CosineConfig(lr=lr, until=400, warmup=40),
        optimizer=SgdConfig(weight_decay=5e-4, nesterov=True),
        batch_size=64,
    )


def scenes() -> DetectionExperiment:
    """Digits on made scenes, with a small trunk that learned single digits first."""
    return DetectionExperiment(
        name="detection.scenes",
        net=FasterRcnnConfig(
            trunk=SMALL,
            num_classes=10,
            anchors=AnchorsConfig(sizes=(40, 70, 110), ratios=(1.0, 1.5)),
            rpn=RpnConfig(
                train_pre=600, train_post=150, test_pre=400, test_post=100, per_picture=128
            ),
            roi=RoiConfig(pool="align", pool_size=8, per_picture=32, background=(0.0, 0.5)),
            freeze=0,
        ),
        data=SCENES,
        resize=ResizeConfig(short=288, long=384),
        schedule=CosineConfig(lr=0.02, until=800, warmup=40),
        batch_size=8,
        flip=False,
        pretrain=_scene_trunk("scenes_trunk", SMALL, lr=0.1),
        look_every=2,
    )


def scenes_alternating() -> DetectionExperiment:
    """The same in the four steps of the first Faster R-CNN."""
    joint = scenes()
    step = CosineConfig(lr=0.02, until=450, warmup=20)
    return dataclasses.replace(
        joint,
        name="detection.scenes_alternating",
        schedule=SequenceConfig(parts=(step,) * 4),
        training="alternating",
    )


def scenes_vgg16() -> DetectionExperiment:
    """The same detector on a small VGG-16: only the backbone is another."""
    joint = scenes()
    assert isinstance(joint.net, FasterRcnnConfig)
    roi = dataclasses.replace(joint.net.roi, pool_size=None)
    return dataclasses.replace(
        joint,
        name="detection.scenes_vgg16",
        net=dataclasses.replace(joint.net, trunk=SMALL_VGG, roi=roi),
        pretrain=_scene_trunk("scenes_vgg16_trunk", SMALL_VGG, lr=0.02),
    )
