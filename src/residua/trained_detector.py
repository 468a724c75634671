"""The trained detector of a run, ready to be shown pictures."""

from dataclasses import dataclass
from pathlib import Path

import torch

from residua import runs
from residua.detect.detector import Detector
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError


@dataclass(frozen=True)
class TrainedDetector:
    """A detector with what is needed to use it.

    Args:
        detector: in eval mode, with the size and range that its pictures are brought to.
        folder: of the run.
        experiment: what was run.
        classes: K names, without background.
    """

    detector: Detector
    folder: Path
    experiment: DetectionExperiment
    classes: tuple[str, ...]


def load(
    folder: str | Path,
    *,
    weights: str | None = None,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
) -> TrainedDetector:
    """Load the trained detector of a run.

    Args:
        folder: of the run, or "last" for the newest below ./runs.
        weights: "best" or "last"; by default those that were tested.
        device: where it is to compute; by default the processor.
        dtype: float32, or the type of autocast.

    Raises:
        CheckpointError: there is no such run, it has no weights, or they are of another net.
        ConfigError: it is the run of a classifier.
    """
    folder = runs.find(str(folder), Path("runs"))
    experiment = runs.read_experiment(folder)
    if not isinstance(experiment, DetectionExperiment):
        raise ConfigError(f"{folder} is the run of a classifier, which finds no objects")
    net = experiment.build_net()
    normalize = runs.load_weights(folder, weights or experiment.select, net)
    place = device or torch.device("cpu")
    net = net.to(place).to(memory_format=torch.channels_last).eval()
    detector = Detector(net, normalize.to(place), experiment.resize, dtype)
    return TrainedDetector(detector, folder, experiment, tuple(runs.start(folder)["classes"]))
