"""`residua predict`: name what is on pictures, or take their features."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import torch
from tyro.conf import Positional

from residua import runs
from residua.cli import predict_detector
from residua.cli.options import parse, refuse
from residua.cli.screen import say
from residua.data.folder import fit_of
from residua.data.pictures import read
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError, DataError
from residua.evaluate import feature_file
from residua.evaluate.features import pooled


@dataclasses.dataclass(frozen=True)
class Options:
    """Name what is on pictures, or find objects on them: residua predict RUN IMAGE [IMAGE ...].

    Attributes:
        run: the folder of the run, or "last".
        images: picture files.
        weights: best or last; by default those that the run was tested with.
        runs: the folder of all runs.
        top: of classifiers: how many classes to name for each picture.
        invert: of classifiers: swap light and dark first (the digits are light ink on a dark
            ground).
        features: of classifiers: also write what the last linear layer takes of each picture to
            this file: .npz (arrays "files" and "features") or .csv (one line per picture).
        threshold: of detectors: the least probability of an object that is told.
        draw: of detectors: write the pictures with boxes and names drawn into this folder.
        json: of detectors: write class, score and box (x1, y1, x2, y2 in pixels of the upright
            picture) of every object to this file.
    """

    run: Annotated[str, Positional]
    images: Annotated[tuple[Path, ...], Positional] = ()
    weights: Literal["best", "last"] | None = None
    runs: Path = Path("runs")
    top: int = 3
    invert: bool = False
    features: Path | None = None
    threshold: float = 0.5
    draw: Path | None = None
    json: Path | None = None


OF_CLASSIFIERS = ("top", "invert", "features")
OF_DETECTORS = ("threshold", "draw", "json")


def main(words: Sequence[str]) -> None:
    """Print the most probable classes of each picture or its objects, one line per picture."""
    options = parse("predict", Options, words)
    _check(options)
    folder = runs.find(options.run, options.runs)
    if isinstance(runs.read_experiment(folder), DetectionExperiment):
        refuse(options, OF_CLASSIFIERS, f"classifiers, and {folder} is the run of a detector")
        predict_detector.predict(folder, options)
        return
    refuse(options, OF_DETECTORS, f"detectors, and {folder} is the run of a classifier")
    _name(runs.load(folder, weights=options.weights), options)


def _name(trained: runs.TrainedNet, options: Options) -> None:
    """Say which classes are the most probable."""
    unread = []
    found: dict[Path, torch.Tensor] = {}
    for path in options.images:
        try:
            pixels = read(path, trained.shape, fit_of(trained.experiment.data))
        except DataError as error:
            unread.append(str(error))
            continue
        pixels = 255 - pixels if options.invert else pixels
        say(f"{path}: {_sentence(trained, pixels, options.top)}")
        if _looks_inverted(trained, pixels):
            say(f"{path}: light and dark seem swapped against the training pictures (--invert)")
        if options.features is not None:
            found[path] = pooled(trained.net, trained.normalize(pixels[None]))[0]

    if options.features is not None and found:
        feature_file.write(options.features, found)
        size = len(next(iter(found.values())))
        say(f"{size} features of {len(found)} pictures: {options.features}")
    if unread:
        raise DataError("; ".join(unread))


def _check(options: Options) -> None:
    if not options.images:
        raise ConfigError("no pictures are named: residua predict RUN IMAGE [IMAGE ...]")
    if options.top < 1:
        raise ConfigError(f"top must be at least 1, got {options.top}")
    if options.features is not None:
        feature_file.check(options.features)


@torch.inference_mode()
def _sentence(trained: runs.TrainedNet, pixels: torch.Tensor, top: int) -> str:
    probabilities = trained.net(trained.normalize(pixels[None])).float().softmax(dim=1)[0]
    best = probabilities.topk(min(top, len(trained.classes)))
    pairs = zip(best.values.tolist(), best.indices.tolist(), strict=True)
    return ", ".join(f"{trained.classes[index]} {100 * share:.1f} %" for share, index in pairs)


def _looks_inverted(trained: runs.TrainedNet, pixels: torch.Tensor) -> bool:
    """Say whether the negative of a picture is much nearer to the training pictures' mean."""
    mean = trained.normalize.mean.mean().item()
    if mean == 0:
        return False
    own = pixels.float().mean().item() / 255
    return abs(own - mean) > abs(1 - own - mean) + 0.2
