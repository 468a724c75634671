"""Folders as `residua optimize` writes them, and pictures to hold engines to."""

import torch

from residua.data.normalize import Normalize
from residua.deploy import artefact
from residua.deploy.artefact import Artefact, Normalization
from residua.deploy.convert.bound import bind
from residua.deploy.engines.build import build
from residua.deploy.engines.candidate import Candidate
from residua.deploy.engines.job import Job

NORMALIZE = Normalize.of((0.4, 0.5, 0.6), (0.2, 0.3, 0.25))
CLASSES = tuple("abcdefghij")
CPU = torch.device("cpu")


def pixels(count=6, shape=(3, 32, 32), seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=generator)


def job(net, normalize=NORMALIZE, shape=(3, 32, 32), **changes):
    values = {
        "bound": bind(net, normalize, shape),
        "pixels": torch.uint8,
        "batch_sizes": (1, 4),
        "device": CPU,
        "calibration": pixels(40, shape),
    }
    return Job(**(values | changes))


def optimized_folder(place, net, candidate=None, fit=None, normalize=NORMALIZE, shape=(3, 32, 32)):
    """Write a net's files, description and loader."""
    chosen = candidate or Candidate(kind="eager")
    place.mkdir()
    build(chosen, job(net, normalize, shape), place)
    facts = Artefact(
        kind=chosen.kind,
        precision=chosen.precision,
        batch_sizes=(1, 4),
        classes=CLASSES,
        shape=shape,
        fit=fit,
        normalization=Normalization(mean=normalize.channel_mean, std=normalize.channel_std),
        versions=artefact.versions(),
    )
    artefact.write(facts, place)
    return place
