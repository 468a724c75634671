"""Is a run one of a recipe? What differs between them, in words; nothing may differ for a claim.

A run may have another seed and other claims, its pictures may lie elsewhere and be read by another
number of processes, and it may compute in another precision or compiled: that is said beside its
number. All else makes it another experiment.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import torch

from residua.config import digest, encode
from residua.data.cifar import TEST, TRAIN, Cifar10Config, Cifar100Config
from residua.data.coco import CocoConfig
from residua.data.folder import FilesConfig
from residua.data.mnist import FashionMnistConfig, MnistConfig
from residua.data.svhn import COUNTS, SvhnConfig
from residua.detection_experiment import AnyExperiment
from residua.experiment import Experiment
from residua.nets.describe import layers
from residua.report.record import Record

# What changes no number beyond rounding; the record of a run names it.
FREE = frozenset({"seed", "claims", "precision", "compile", "deterministic"})
# Where pictures lie, and how they are read.
PLACES = frozenset({"path", "folder", "workers"})

# Learned from and tested on. arXiv:1409.0575, table 2: ILSVRC 2012.
IMAGENET = (1_281_167, 50_000)
# COCO 2014, train and val, as its files list them.
COCO = (82_783, 40_504)
SHOWN = 6


def unplaced(experiment: AnyExperiment) -> AnyExperiment:
    """Return the experiment without what says where its pictures lie."""
    data = experiment.data
    if not dataclasses.is_dataclass(data) or isinstance(data, type):
        return experiment
    usual = {field.name: field.default for field in dataclasses.fields(data)}
    places: dict[str, Any] = {name: usual[name] for name in PLACES & usual.keys()}
    moved: Any = dataclasses.replace(data, **places)
    return dataclasses.replace(experiment, data=moved)


def configuration(experiment: AnyExperiment) -> str:
    """Name everything that the runs of one configuration share: all but seed, claims and places."""
    plain = dataclasses.replace(unplaced(experiment.recordable()), seed=0, claims=())
    return digest(plain)


def settings_that_differ(found: AnyExperiment, recipe: AnyExperiment) -> list[str]:
    """List in words where the settings of a run are not those of its recipe."""
    if type(found) is not type(recipe):
        return ["it is a run of another kind of network"]
    until, wanted = found.schedule.until, recipe.schedule.until
    words: list[str] = []
    if until != wanted:
        words.append(f"{until:,} updates, the recipe has {wanted:,}")
        recipe = recipe.lasting(until)
    ours, theirs = _flat(found), _flat(recipe)
    missing = object()
    names = [
        name
        for name in dict.fromkeys([*theirs, *ours])
        if ours.get(name, missing) != theirs.get(name, missing)
    ]
    words += [f"{name} is {ours.get(name)}, the recipe has {theirs.get(name)}" for name in names]
    more = [f"and {len(words) - SHOWN} settings more"] if len(words) > SHOWN else []
    return [*words[:SHOWN], *more]


def record_that_differs(
    run: Record, recipe: AnyExperiment, pictures: tuple[int, int] | None = None
) -> list[str]:
    """List in words where the record of a finished run is not that of its recipe.

    Args:
        run: its record.
        recipe: with the settings of the run.
        pictures: learned from and tested on; by default those of the data set.
    """
    words: list[str] = []
    sizes = run.start["sizes"]
    expected = pictures or pictures_of(recipe.data)
    if expected is not None and (sizes[0], sizes[2]) != expected:
        words.append(
            f"{sizes[0]:,} images to learn from and {sizes[2]:,} to test on, all of the set are "
            f"{expected[0]:,} and {expected[1]:,}"
        )
    if expected is not None and (run.result or {}).get("test_count") != expected[1]:
        words.append(f"tested on {(run.result or {}).get('test_count')} of {expected[1]:,} images")
    if run.iteration != recipe.schedule.until:
        words.append(
            f"its record ends after {run.iteration:,} of {recipe.schedule.until:,} updates"
        )
    is_classifier = isinstance(recipe, Experiment)
    if is_classifier and _counted(run) != _computed(recipe.net, tuple(run.start["shape"])):
        words.append("the layers in its record are not those that the recipe's network has")
    return words


def pictures_of(data: object) -> tuple[int, int] | None:
    """Return how many pictures are learned from and tested on; None for sets of any size."""
    match data:
        case Cifar10Config() | Cifar100Config():
            return TRAIN - data.holdout, TEST
        case MnistConfig() | FashionMnistConfig():
            return 60_000 - data.holdout, 10_000
        case SvhnConfig():
            parts = ["train_32x32.mat", *(["extra_32x32.mat"] if data.extra else [])]
            return sum(COUNTS[part] for part in parts) - data.holdout, COUNTS["test_32x32.mat"]
        case FilesConfig():
            return IMAGENET
        case CocoConfig():
            return COCO
    return None


def _flat(experiment: AnyExperiment) -> dict[str, Any]:
    plain = encode(unplaced(experiment.recordable()))
    return dict(leaves({name: value for name, value in plain.items() if name not in FREE}))


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the settings in plain values, each with its path: "schedule.lr"."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _counted(run: Record) -> list[tuple[Any, ...]]:
    """List what the record says of the layers that have weights."""
    return [
        (*layer["output"], layer["parameters"], layer["multiply_adds"])
        for layer in run.start["layers"]
        if layer["parameters"]
    ]


@cache
def _computed(net: Any, shape: tuple[int, ...]) -> list[tuple[Any, ...]]:
    with torch.device("meta"):
        built = net.build()
    rows = layers(built, shape)
    return [(*row.output, row.parameters, row.multiply_adds) for row in rows if row.parameters]
