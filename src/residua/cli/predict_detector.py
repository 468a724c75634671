"""`residua predict RUN` of a detector: say and draw what is found on pictures."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from residua import files, plots, trained_detector
from residua.cli.screen import say
from residua.data.decode import cut
from residua.data.upright import Box
from residua.detect.found import Found
from residua.detect.given import AtHand
from residua.detect.testing import detect
from residua.errors import ConfigError, DataError, RunError
from residua.trained_detector import TrainedDetector

SUFFIX = ".json"
JPEG = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
QUALITY = 92


class Asked(Protocol):
    """What the command line says."""

    @property
    def images(self) -> tuple[Path, ...]: ...
    @property
    def weights(self) -> str | None: ...
    @property
    def threshold(self) -> float: ...
    @property
    def draw(self) -> Path | None: ...
    @property
    def json(self) -> Path | None: ...


def predict(folder: Path, asked: Asked) -> None:
    """Print what is found on each picture, one line per picture; draw and write it if asked to.

    Raises:
        ConfigError: an option makes no sense.
        CheckpointError: the run has no weights.
        DataError: pictures could not be read; the others are done.
        RunError: a file could not be written.
    """
    if not 0 <= asked.threshold <= 1:
        raise ConfigError(f"threshold must be in [0, 1], got {asked.threshold}")
    if asked.json is not None and asked.json.suffix != SUFFIX:
        raise ConfigError(f"--json must name a file that ends in {SUFFIX}, got {asked.json}")
    trained = trained_detector.load(folder, weights=asked.weights)
    unread: list[str] = []
    records: list[dict[str, Any]] = []
    for path, target in zip(asked.images, drawings(asked.images), strict=True):
        try:
            picture = cut(path, lambda size: (Box(0, 0, *size), size), 3)
        except DataError as error:
            unread.append(str(error))
            continue
        found = _find(trained, picture, asked.threshold)
        objects = _objects(found, trained.classes)
        say(f"{path}: {sentence(objects)}")
        records.append(_record(path, picture, objects))
        if asked.draw is not None:
            _draw(asked.draw / target, picture, objects, found)
    if records:
        _tell(records, asked)
    if unread:
        raise DataError("; ".join(unread))


def _tell(records: list[dict[str, Any]], asked: Asked) -> None:
    """Write what was found, and say where it is."""
    if asked.draw is not None:
        say(f"drawings of {len(records)} pictures: {asked.draw}")
    if asked.json is not None:
        files.write(asked.json, json.dumps(records, indent=1, ensure_ascii=False) + "\n")
        say(f"objects on {len(records)} pictures: {asked.json}")


def sentence(objects: Iterable[dict[str, Any]]) -> str:
    """Say what was found: class, score and box of each object."""
    told = [
        f"{each['class']} {each['score']:.2f} ({', '.join(f'{edge:.0f}' for edge in each['box'])})"
        for each in objects
    ]
    return "; ".join(told) or "nothing found"


def drawings(images: Iterable[Path]) -> list[str]:
    """Name the drawing of each picture: JPEG of a JPEG, else PNG, and no two alike."""
    names: list[str] = []
    for path in images:
        ending = ".jpg" if path.suffix.lower() in JPEG else ".png"
        name, number = f"{path.stem}{ending}", 1
        while name in names:
            number += 1
            name = f"{path.stem}-{number}{ending}"
        names.append(name)
    return names


def _find(trained: TrainedDetector, picture: Tensor, threshold: float) -> Found:
    """Find the objects of one picture whose score is at least the threshold."""
    own = trained.experiment.testing
    # A lower threshold than that of the test is meant to show more.
    least = min(own.score_threshold, max(0.0, threshold - 1e-6))
    testing = dataclasses.replace(own, score_threshold=least)
    return detect([trained.detector], AtHand([picture]), testing)[0].at_least(threshold)


def _objects(found: Found, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {"class": classes[label - 1], "score": round(score, 6), "box": [round(e, 3) for e in box]}
        for box, score, label in zip(
            found.boxes_D4.tolist(), found.scores_D.tolist(), found.labels_D.tolist(), strict=True
        )
    ]


def _record(path: Path, picture: Tensor, objects: list[dict[str, Any]]) -> dict[str, Any]:
    _, height, width = picture.shape
    return {"file": str(path), "width": width, "height": height, "objects": objects}


def _draw(target: Path, picture: Tensor, objects: list[dict[str, Any]], found: Found) -> None:
    boxes = [
        plots.Named(tuple(each["box"]), f"{each['class']} {each['score']:.2f}", label)
        for each, label in zip(objects, found.labels_D.tolist(), strict=True)
    ]
    image = plots.drawn(picture, boxes)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(target, quality=QUALITY)
    except OSError as error:
        raise RunError(f"cannot write {target}: {error}") from None
