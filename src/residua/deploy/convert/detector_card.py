"""What the file of a detector says of itself."""

from collections.abc import Sequence
from typing import Any

from residua.config import encode
from residua.deploy.convert.bound_detector import INPUTS, OUTPUTS
from residua.deploy.convert.card import origin
from residua.deploy.convert.formats import Pixels
from residua.trained_detector import TrainedDetector


def detector_card(trained: TrainedDetector) -> dict[str, Any]:
    """Describe a detector, as plain values that JSON can hold."""
    experiment = trained.experiment
    return {
        **origin(trained.folder.parent.name, trained.folder.name),
        "task": "detection",
        "classes": list(trained.classes),
        "picture": {"channels": "RGB", "resize": encode(experiment.resize)},
        "testing": encode(experiment.testing.output),
    }


def graph_card(
    trained: TrainedDetector, pixels: Pixels, size: Sequence[int], most: int
) -> dict[str, Any]:
    """Describe a detector as a graph: what goes in, and what comes out.

    Args:
        trained: the detector with what belongs to it.
        pixels: what it takes.
        size: H, W of that.
        most: detections of a picture.
    """
    shapes: dict[str, list[Any]] = {
        "pixels": ["N", 3, *size],
        "size": ["N", 2],
        "original": ["N", 2],
        "boxes": ["N", most, 4],
        **{name: ["N", most] for name in OUTPUTS[1:]},
    }
    said = {
        "pixels": f"{pixels} in [0, 255], RGB; the picture in the upper left corner",
        "size": "int64, height and width of the picture in it",
        "original": "int64, height and width of the picture before it was resized",
        "boxes": "float32, x1, y1, x2, y2 in pixels of the picture before it was resized",
        "scores": "float32, probabilities, falling",
        "labels": "int64; the name of label k is classes[k - 1]",
        "valid": "bool; what is not valid fills up",
    }
    return {
        **detector_card(trained),
        "preprocessing": "in the graph",
        "inputs": {name: {"shape": shapes[name], "what": said[name]} for name in INPUTS},
        "outputs": {name: {"shape": shapes[name], "what": said[name]} for name in OUTPUTS},
    }
