"""A small net trained on tiny-imagenet-20, for benchmarks that begin from weights.

It is the ResNet-18 of half width that own pictures get, at the 128 pixels of photographs.
"""

import dataclasses

from harness import trained
from residua.data.augment import RandomResizedCrop
from residua.nets.imagenet import ImagenetConfig
from residua.recipes.pictures import recognised

SIDE = 128


def scaled(experiment, share):
    """The experiment with that share of its updates."""
    return experiment.lasting(max(2, round(experiment.schedule.until * share)))


def pretrained(data, root, share=1.0):
    """Train on tiny-imagenet-20 of the folder of data; return the result and the weights."""
    experiment = recognised(data / "tiny-imagenet-20").experiment
    experiment = dataclasses.replace(
        experiment,
        net=ImagenetConfig(depth=18, widen=0.5, num_classes=experiment.net.num_classes),
        data=dataclasses.replace(experiment.data, size=SIDE),
        augment=RandomResizedCrop(size=SIDE, area=(0.25, 1.0)),
    )
    result = trained(scaled(experiment, share), root, f"source_{share:g}")
    return result, result.folder / "weights" / "last.safetensors"
