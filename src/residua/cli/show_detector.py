"""The card of a detector's recipe: its parts, what they cost, and how it is trained and tested."""

import torch

from residua.config import encode
from residua.detect.describe import PARTS, Described, describe
from residua.detect.settings import FasterRcnnConfig
from residua.detection_experiment import DetectionExperiment
from residua.nets.card import Card
from residua.report import detection_run
from residua.report.manner import manner
from residua.report.page import phrase

# What one looks at to say how large a picture is: VOC's and COCO's are mostly 4:3.
TYPICAL = (3, 4)
WHAT = {
    "trunk": "shared by all regions",
    "rpn": "region proposals",
    "pool": "regions cut out",
    "head": "of every region",
    "predict": "classes and borders",
}


def card(name: str, experiment: DetectionExperiment) -> Card:
    """Describe a detector, without computing anything and without its data.

    Args:
        name: for the title.
        experiment: its recipe.
    """
    with torch.device("meta"):
        net = experiment.build_net()
    height, width = experiment.resize.size((TYPICAL[0] * 10_000, TYPICAL[1] * 10_000))
    described = describe(net, (3, height, width))
    settings = encode(experiment.recordable())
    words = detection_run.network(settings["net"], described.regions)
    anchors = detection_run.anchors(settings["net"]["anchors"])
    facts = {
        "input": f"3x{height}x{width} for a picture of 4:3; {detection_run.resizing(settings)}",
        "detector": words[0],
        "parameters": f"{_total(described, 'parameters'):,}",
        **_by_part(described),
        "multiply-adds": f"{_total(described, 'multiply_adds'):,} for such a picture",
        "anchors": "; ".join([f"{described.anchors:,}", *anchors]),
        **_counts(experiment),
        "regions": "; ".join(words[1:]),
        "classes": f"{_classes(experiment)} and background",
        "test": experiment.testing.protocol,
        "data": phrase({name: value for name, value in settings["data"].items() if value}),
        "schedule": f"{phrase(settings['schedule'])}; batches of {experiment.batch_size}",
        "optimizer": phrase(settings["optimizer"]),
    }
    told = manner(settings)
    return Card(name, facts | ({"besides": "; ".join(told)} if told else {}), described.layers)


def _total(described: Described, what: str) -> int:
    return sum(getattr(row, what) for row in described.layers)


def _by_part(described: Described) -> dict[str, str]:
    return {
        f"  {part}, {WHAT[part]}": (
            f"{described.parameters(part):,} parameters, {described.multiply_adds(part):,} "
            "multiply-adds"
        )
        for part in PARTS
        if part != "pool"
    }


def _counts(experiment: DetectionExperiment) -> dict[str, str]:
    """Say how many boxes go in and come out, where it is learned and where it is tested."""
    net = experiment.net
    if not isinstance(net, FasterRcnnConfig):
        return {}
    rpn, roi = net.rpn, net.roi
    return {
        "proposals": (
            f"in a test the best {rpn.test_pre:,} boxes, of which {rpn.test_post:,} stay after NMS "
            f"at an IoU of {rpn.nms:g}; in training {rpn.train_pre:,} and {rpn.train_post:,}"
        ),
        "learned from": (
            f"{rpn.per_picture} anchors of a picture, at most {rpn.positive_share:.0%} on objects; "
            f"{roi.per_picture} regions, at most {roi.foreground_share:.0%}"
        ),
    }


def _classes(experiment: DetectionExperiment) -> int:
    return experiment.net.num_classes if isinstance(experiment.net, FasterRcnnConfig) else 0
