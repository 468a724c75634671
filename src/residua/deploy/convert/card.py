"""What a file says of itself: classes, the pictures it takes, and where it is from."""

from importlib import metadata
from typing import Any

import torch

from residua.config import encode
from residua.data.folder import fit_of
from residua.deploy.convert.formats import GRAPHS, Format, Pixels
from residua.deploy.convert.program import LOGITS, PIXELS
from residua.runs import TrainedNet

# Raised when a key changes its meaning.
VERSION = 1


def card(trained: TrainedNet, to: Format, pixels: Pixels) -> dict[str, Any]:
    """Describe a classifier, as plain values that JSON can hold.

    Args:
        trained: the net with what belongs to it.
        to: the format of the file.
        pixels: what a graph takes.
    """
    fit = fit_of(trained.experiment.data)
    channels, height, width = trained.shape
    facts: dict[str, Any] = {
        **origin(trained.folder.parent.name, trained.folder.name),
        "task": "classification",
        "classes": list(trained.classes),
        "picture": {
            "channels": "grey" if channels == 1 else "RGB",
            "height": height,
            "width": width,
            "fit": encode(fit),
            "resample": fit.resample.name.lower(),
        },
    }
    return facts | (_graph(trained, pixels) if to in GRAPHS else _formula(trained))


def origin(recipe: str, run: str) -> dict[str, Any]:
    """Say what wrote a file, and of which run it is."""
    versions = {"residua": metadata.version("residua"), "torch": torch.__version__}
    return {"card": VERSION, "versions": versions, "run": f"{recipe}/{run}"}


def _graph(trained: TrainedNet, pixels: Pixels) -> dict[str, Any]:
    """Describe what goes into a graph, and what comes out of it."""
    return {
        "input": {
            "name": PIXELS,
            "dtype": pixels,
            "shape": ["N", *trained.shape],
            "range": [0, 255],
            "preprocessing": "in the graph",
        },
        "output": {"name": LOGITS, "dtype": "float32", "shape": ["N", len(trained.classes)]},
    }


def _formula(trained: TrainedNet) -> dict[str, Any]:
    """Describe what pictures weights were trained on."""
    mean, std = trained.normalize.numbers()
    return {
        "input": {"shape": ["N", *trained.shape], "preprocessing": "(pixel / 255 - mean) / std"},
        "mean": mean,
        "std": std,
    }
