"""Nets and runs that are written to files, made without a training worth the name."""

import dataclasses

import torch

from detect.tiny import shaken
from residua import execute, runs, trained_detector
from residua.deploy.convert.detector_card import detector_card
from residua.deploy.convert.to_safetensors import detector_to_safetensors
from residua.train.schedule import CosineConfig, StepsConfig
from test_detection import tiny as tiny_detector
from test_execute import tiny


def classifier(root, **changes):
    """Train for two updates; the folder of the run."""
    experiment = tiny(**{"schedule": CosineConfig(lr=0.05, until=2), **changes})
    return execute.run(experiment, root=root, page=False).folder


def detector(root, **roi):
    """Train a detector for one update, and give it weights with which it finds something."""
    net = tiny_detector().net
    roi = dataclasses.replace(net.roi, **roi)
    experiment = tiny_detector(
        net=dataclasses.replace(net, roi=roi), schedule=StepsConfig(lr=0.001, at=(), until=1)
    )
    folder = execute.run(experiment, root=root, page=False).folder
    trained = trained_detector.load(folder)
    shaken(trained.detector.net)
    path = folder / "weights" / "last.safetensors"
    detector_to_safetensors(trained, path, card=detector_card(trained))
    runs.read_weights(path, trained.detector.net)
    return folder


def pictures(count, channels=1, side=8):
    generator = torch.Generator().manual_seed(5)
    shape = (count, channels, side, side)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def used(net, channels=1, side=8):
    """Give batch normalization the statistics of a batch, so that it is not the identity."""
    with torch.no_grad():
        for _ in range(3):
            net.train()(torch.randn(8, channels, side, side))
    return net.eval()
