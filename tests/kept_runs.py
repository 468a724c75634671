"""A recipe of a moment, and records of runs as they would be if they had been trained."""

import dataclasses
import json
from functools import cache

import torch

from residua import recipes
from residua.config import digest, encode, to_yaml
from residua.data.sets import DigitsConfig
from residua.data.views import CenterCrop
from residua.experiment import Claim, Experiment
from residua.nets.cifar import CifarConfig
from residua.nets.describe import layers
from residua.reproduce.cell import Cell, Trained
from residua.reproduce.same import pictures_of
from residua.train.schedule import StepsConfig

MINE, OTHER, CROPPED = "kept_runs:mine", "kept_runs:other", "kept_runs:cropped"
CROP = CenterCrop(short_side=9, size=8)


def mine():
    """Four updates of a small net."""
    return Experiment(
        name="mine",
        net=CifarConfig(depth=8, in_channels=1),
        data=DigitsConfig(),
        schedule=StepsConfig(lr=0.1, at=(3,), until=4),
        batch_size=8,
        precision="float32",
        claims=(Claim.error(50.0, "a paper", statistic="mean of 5"),),
    )


def other():
    """The same with half the rate."""
    return dataclasses.replace(
        mine(), name="other", schedule=StepsConfig(lr=0.05, at=(3,), until=4)
    )


def cropped():
    """The same with a claim of a protocol of its own."""
    (claim,) = mine().claims
    claims = (dataclasses.replace(claim, views=CROP),)
    return dataclasses.replace(mine(), name="cropped", claims=claims)


def cell(**changes):
    """The cell of the recipe of a moment."""
    how = Trained(recipe=MINE, statistic="mean of 5")
    return Cell(**({"row": "mine", "column": "error", "how": how} | changes))


def record(root, experiment, error, *, name=None, **changes):
    """Write the record of a run of an experiment that came to its end with an error.

    Args:
        root: the folder of all runs.
        experiment: what it says it was.
        error: of the test pictures, in percent.
        name: of its folder.
        changes: of the first event, or of the result by its own names.
    """
    folder = root / experiment.name / (name or f"seed{experiment.seed}")
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(to_yaml(experiment))
    learned, tested = pictures_of(experiment.data) or (1437, 360)
    until = experiment.schedule.until
    shape = (1, 8, 8) if experiment.data.kind == "digits" else experiment.net.input_shape
    start = {
        "kind": "start",
        "time": 0.0,
        "recipe": experiment.name,
        "seed": experiment.seed,
        "digest": digest(experiment),
        "sizes": [learned, 0, tested],
        "fingerprints": ["a", "b"],
        "shape": list(shape),
        "until": until,
        "layers": rows_of(experiment.net, shape),
        "environment": {"precision": "float32", "processes": 1},
    }
    epoch = {"kind": "epoch", "time": 1.0, "iteration": until, "train_error": error / 2}
    result = {
        "kind": "result",
        "time": 2.0,
        "test_error": error,
        "top1_error": error,
        "top5_error": error / 4,
        "train_error": error / 2,
        "test_count": tested,
        "seed": experiment.seed,
        "seconds": 60.0,
    }
    for event in (start, epoch, result):
        event |= {name: value for name, value in changes.items() if name in event}
    events = "".join(f"{json.dumps(event)}\n" for event in (start, epoch, result))
    (folder / "events.jsonl").write_text(events)
    return folder


@cache
def rows_of(net, shape):
    """The layers of a net, as a record has them."""
    with torch.device("meta"):
        built = net.build()
    return [dataclasses.asdict(row) for row in layers(built, shape)]


def later(folder, views, error, **changes):
    """Add a test after the end of a run."""
    event = {
        "kind": "evaluation",
        "images": "test",
        "weights": "last",
        "views": encode(views),
        "exact_norm": False,
        "top1_error": error,
        "top5_error": error / 4,
    }
    with (folder / "evaluations.jsonl").open("a") as file:
        file.write(f"{json.dumps(event | changes)}\n")


def seeded(recipe, seed, **changes):
    """A recipe's experiment with a seed."""
    return dataclasses.replace(recipes.find(recipe), seed=seed, **changes)
