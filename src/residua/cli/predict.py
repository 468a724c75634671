"""`residua predict`: name what is on pictures, or take their features."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import torch
from tyro.conf import Positional

from residua import runs
from residua.cli.options import parse
from residua.cli.screen import say
from residua.data.folder import fit_of
from residua.data.pictures import read
from residua.errors import ConfigError, DataError
from residua.evaluate import feature_file
from residua.evaluate.features import pooled


@dataclasses.dataclass(frozen=True)
class Options:
    """Name what is on pictures: residua predict RUN IMAGE [IMAGE ...].

    Attributes:
        run: the folder of the run, or "last".
        images: picture files.
        top: how many classes to name for each picture.
        weights: best or last; by default those that the run was tested with.
        invert: swap light and dark first (the digits are light ink on a dark ground).
        features: also write what the last linear layer takes of each picture to this file: .npz
            (arrays "files" and "features") or .csv (one line per picture).
        runs: the folder of all runs.
    """

    run: Annotated[str, Positional]
    images: Annotated[tuple[Path, ...], Positional] = ()
    top: int = 3
    weights: Literal["best", "last"] | None = None
    invert: bool = False
    features: Path | None = None
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Print the most probable classes of each picture, one line per picture."""
    options = parse("predict", Options, words)
    _check(options)
    trained = runs.load(runs.find(options.run, options.runs), weights=options.weights)
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
