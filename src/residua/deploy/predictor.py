"""A trained run, ready to be asked: by the command, by the server, by whoever has pictures.

Dimension key:
    N pictures   C channels   H, W height and width   K classes   h, w height and width of maps
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from residua import runs, trained_detector
from residua.data.decode import Source, cut
from residua.data.fit import Fit, Whole
from residua.data.folder import fit_of
from residua.data.pictures import read
from residua.data.upright import whole
from residua.deploy import artefact
from residua.deploy.engine import Eager, Engine
from residua.detect.detector import Detector
from residua.detect.found import Found
from residua.detect.given import AtHand
from residua.detect.testing import TestingConfig, detect
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError
from residua.runtime import Precision, pick_dtype


@dataclass(frozen=True)
class Classifier:
    """Names what is on pictures.

    Args:
        engine: computes the logits.
        classes: K names.
        shape: of one picture, C, H, W.
        fit: which part of a picture is looked at, as in training and testing.
        folder: of the run, or of what was made of it.
        brightness: mean of the pictures learned from, in [0, 1].
    """

    engine: Engine
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    fit: Fit
    folder: Path
    brightness: float

    def read(self, source: Source, *, most_pixels: int | None = None) -> Tensor:
        """Read a picture by the rule that training and testing read by.

        Args:
            source: where the file is, or what is in it.
            most_pixels: that the file's picture may have; Pillow's limit by default.

        Returns:
            C, H, W, uint8.

        Raises:
            DataError: it is missing, is no picture, is cut short, or has too many pixels.
        """
        return read(source, self.shape, self.fit, most_pixels=most_pixels)

    def probabilities(self, pixels_NCHW: Tensor) -> Tensor:
        """Return the probabilities of N, C, H, W pictures of uint8: N, K, in [0, 1]."""
        return self.engine(pixels_NCHW).softmax(dim=1)

    def maps(self, pixels_NCHW: Tensor) -> Tensor | None:
        """Say how much each place contributes to each class, N, K, h, w; None if no map is exact.

        There are maps where PyTorch computes (`Eager.maps`) and the net ends in global average
        pooling.
        """
        return self.engine.maps(pixels_NCHW) if isinstance(self.engine, Eager) else None

    def looks_inverted(self, pixels_CHW: Tensor) -> bool:
        """Say whether the negative of a picture is much nearer to the brightness learned from."""
        if self.brightness == 0:
            return False
        own = pixels_CHW.float().mean().item() / 255
        return abs(own - self.brightness) > abs(1 - own - self.brightness) + 0.2


@dataclass(frozen=True)
class Finder:
    """Finds objects on pictures.

    Args:
        detector: in eval mode, with the size and range that its pictures are brought to.
        classes: K names, without background.
        testing: how the run was tested.
        folder: of the run.
    """

    detector: Detector
    classes: tuple[str, ...]
    testing: TestingConfig
    folder: Path

    def read(self, source: Source, *, most_pixels: int | None = None) -> Tensor:
        """Read all of a picture at its own size; `Classifier.read` says what it takes and raises.

        Returns:
            3, H, W, uint8.
        """
        return cut(source, whole, 3, most_pixels=most_pixels)

    def find(self, pictures: Sequence[Tensor], threshold: float) -> list[Found]:
        """Find the objects whose score is at least the threshold.

        Args:
            pictures: 3, H, W of uint8, each, of any sizes.
            threshold: in [0, 1].

        Returns:
            Of each picture what is on it, in its own pixels, on the processor.
        """
        own = self.testing
        # A lower threshold than that of the test is meant to show more.
        least = min(own.score_threshold, max(0.0, threshold - 1e-6))
        testing = dataclasses.replace(own, score_threshold=least)
        found = detect([self.detector], AtHand(pictures), testing)
        return [each.at_least(threshold) for each in found]


Predictor = Classifier | Finder


def load(
    folder: str | Path,
    *,
    weights: str | None = None,
    device: torch.device | None = None,
    precision: Precision = "float32",
) -> Predictor:
    """Load what a run has learned, or what `residua optimize` made of one.

    Args:
        folder: of the run, "last" for the newest below ./runs, or the folder of an optimized one,
            which has its weights, its device and its precision.
        weights: "best" or "last"; by default those that were tested.
        device: where to compute; by default the processor.
        precision: of convolutions; in float32 what is said of a picture does not depend on the
            pictures beside it by more than rounding.

    Raises:
        CheckpointError: there is no such run, it has no weights, or they are of another net.
        ConfigError: the network cannot be rebuilt from the record.
    """
    folder = artefact.find(str(folder), Path("runs"))
    if artefact.is_artefact(folder):
        return optimized(folder, weights)
    place = device or torch.device("cpu")
    dtype = pick_dtype(precision, place)
    if isinstance(runs.read_experiment(folder), DetectionExperiment):
        return finder(trained_detector.load(folder, weights=weights, device=place, dtype=dtype))
    trained = runs.load(folder, weights=weights)
    return classifier(trained, Eager(trained.net, trained.normalize, place, dtype))


def optimized(folder: Path, weights: str | None = None) -> Classifier:
    """Make a classifier of a folder that `residua optimize` wrote; `artefact.engine` says more.

    Raises:
        ConfigError: weights are chosen, or the package of its engine is not installed.
        CheckpointError: a file is missing, damaged or made for another machine.
    """
    facts = artefact.read(folder)
    if weights is not None:
        raise ConfigError(
            f"{folder} was made with the weights that it has: optimize the run again with "
            f"--weights {weights}"
        )
    if facts.pixels != "uint8":
        raise ConfigError(
            f"{folder} takes numbers as its net takes them, and no pictures: optimize it with "
            "normalize=..."
        )
    return Classifier(
        engine=artefact.engine(folder, threads=torch.get_num_threads()),
        classes=facts.classes,
        shape=facts.shape,
        fit=facts.fit or Whole(),
        folder=folder,
        brightness=facts.brightness,
    )


def classifier(trained: runs.TrainedNet, engine: Engine) -> Classifier:
    """Make a classifier of the trained net of a run and what computes it."""
    mean = trained.normalize.channel_mean
    return Classifier(
        engine=engine,
        classes=trained.classes,
        shape=trained.shape,
        fit=fit_of(trained.experiment.data),
        folder=trained.folder,
        brightness=sum(mean) / len(mean),
    )


def finder(trained: trained_detector.TrainedDetector) -> Finder:
    """Make a finder of the trained detector of a run."""
    return Finder(
        detector=trained.detector,
        classes=trained.classes,
        testing=trained.experiment.testing,
        folder=trained.folder,
    )
