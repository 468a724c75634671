"""Residual networks you can trust.

Every network of the deep-residual-learning papers as published, trained and tested as they say.

Conventions: images are float tensors N, C, H, W; errors are in percent, probabilities in [0, 1];
one multiply-add counts once (the papers' FLOPs); an iteration is one update of the weights.

The names below are imported when they are first used, so `import residua` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from residua.data.images import ImageSet
    from residua.data.loading import Splits
    from residua.data.normalize import Normalize
    from residua.deploy.export import export
    from residua.deploy.hub import pull, push
    from residua.deploy.optimize import Optimized, optimize
    from residua.deploy.plan import ExportPlan
    from residua.deploy.predictor import load as load_predictor
    from residua.deploy.task import OptimizePlan
    from residua.errors import (
        CheckpointError,
        ConfigError,
        DataError,
        ResiduaError,
        RunError,
        ShapeError,
    )
    from residua.execute import resume, run
    from residua.experiment import Claim, Experiment
    from residua.nets.cifar import resnet as cifar_resnet
    from residua.nets.highway import highway
    from residua.nets.imagenet import resnet as imagenet_resnet
    from residua.nets.imagenet import (
        resnet18,
        resnet34,
        resnet50,
        resnet101,
        resnet152,
        resnet200,
    )
    from residua.nets.mnist import mnist_net
    from residua.nets.resnet import ResNet
    from residua.nets.vgg import vgg
    from residua.nets.weights import load, save
    from residua.nets.wide import wide_resnet
    from residua.nn.blocks import PlainBlock, ResidualBlock
    from residua.nn.gated import parameter_groups
    from residua.outcome import Result
    from residua.runs import TrainedNet
    from residua.runs import load as load_run
    from residua.surgery.deepen import deepen
    from residua.surgery.residualize import residualize
    from residua.surgery.slim import slim

__version__ = "0.1.0"

__all__ = [
    "CheckpointError",
    "Claim",
    "ConfigError",
    "DataError",
    "Experiment",
    "ExportPlan",
    "ImageSet",
    "Normalize",
    "OptimizePlan",
    "Optimized",
    "PlainBlock",
    "ResNet",
    "ResiduaError",
    "ResidualBlock",
    "Result",
    "RunError",
    "ShapeError",
    "Splits",
    "TrainedNet",
    "cifar_resnet",
    "deepen",
    "export",
    "highway",
    "imagenet_resnet",
    "load",
    "load_predictor",
    "load_run",
    "mnist_net",
    "optimize",
    "parameter_groups",
    "pull",
    "push",
    "residualize",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnet200",
    "resume",
    "run",
    "save",
    "slim",
    "vgg",
    "wide_resnet",
]

# Where the public names are, and what they are called there if it is something else.
_HOMES = {
    "residua.data.images": "ImageSet",
    "residua.data.loading": "Splits",
    "residua.data.normalize": "Normalize",
    "residua.deploy.export": "export",
    "residua.deploy.hub": "pull push",
    "residua.deploy.optimize": "Optimized optimize",
    "residua.deploy.plan": "ExportPlan",
    "residua.deploy.predictor": "load_predictor=load",
    "residua.deploy.task": "OptimizePlan",
    "residua.errors": "CheckpointError ConfigError DataError ResiduaError RunError ShapeError",
    "residua.execute": "resume run",
    "residua.experiment": "Claim Experiment",
    "residua.nets.cifar": "cifar_resnet=resnet",
    "residua.nets.highway": "highway",
    "residua.nets.imagenet": "imagenet_resnet=resnet resnet18 resnet34 resnet50 resnet101 "
    "resnet152 resnet200",
    "residua.nets.mnist": "mnist_net",
    "residua.nets.resnet": "ResNet",
    "residua.nets.vgg": "vgg",
    "residua.nets.weights": "load save",
    "residua.nets.wide": "wide_resnet",
    "residua.nn.blocks": "PlainBlock ResidualBlock",
    "residua.nn.gated": "parameter_groups",
    "residua.outcome": "Result",
    "residua.runs": "TrainedNet load_run=load",
    "residua.surgery.deepen": "deepen",
    "residua.surgery.residualize": "residualize",
    "residua.surgery.slim": "slim",
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        for public, _, own in (each.partition("=") for each in names.split()):
            if public == name:
                return getattr(importlib.import_module(module), own or name)
    raise AttributeError(f"module 'residua' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
