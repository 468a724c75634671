"""`residua predict RUN` of a classifier: name what is on pictures, and take their features."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from residua.cli.screen import say
from residua.cli.told import Answer
from residua.deploy.answers import Form, best, naming, text_of
from residua.deploy.batches import Batch
from residua.deploy.engine import Eager
from residua.deploy.predictor import Classifier
from residua.errors import ConfigError
from residua.evaluate import feature_file

INVERT = "light and dark seem swapped against the training pictures (--invert)"


class Asked(Protocol):
    """What the command line says."""

    @property
    def top(self) -> int: ...
    @property
    def invert(self) -> bool: ...
    @property
    def features(self) -> Path | None: ...
    @property
    def out(self) -> Path | None: ...


class Naming:
    """Names what is on pictures.

    Args:
        classifier: of the run.
        asked: how.

    Raises:
        ConfigError: features are asked for, and there is no net to take them of.
    """

    batch_size = 32

    def __init__(self, classifier: Classifier, asked: Asked) -> None:
        if asked.features is not None and not isinstance(classifier.engine, Eager):
            raise ConfigError(f"{classifier.folder} holds no net to take features of: use the run")
        self._classifier = classifier
        self._paths: Sequence[Path] = ()
        self._asked = asked
        self._count = 0
        self._inverted = 0
        self._features: dict[Path, Tensor] = {}

    @property
    def form(self) -> Form:
        """The columns of what is said."""
        return naming(min(self._asked.top, len(self._classifier.classes)))

    def begin(self, paths: Sequence[Path]) -> None:
        """Take the files that are asked for."""
        self._paths = paths

    def answers(self, batch: Batch) -> list[Answer]:
        """Name the most probable classes of each picture."""
        pixels_NCHW = torch.stack(batch.pictures)
        pixels_NCHW = 255 - pixels_NCHW if self._asked.invert else pixels_NCHW
        paths = [self._paths[index] for index in batch.indices]
        probabilities_NK = self._classifier.probabilities(pixels_NCHW)
        engine = self._classifier.engine
        if self._asked.features is not None and isinstance(engine, Eager):
            self._features |= dict(zip(paths, engine.features(pixels_NCHW), strict=True))
        self._count += len(paths)
        each = zip(paths, pixels_NCHW, probabilities_NK, strict=True)
        return [self._answer(*one) for one in each]

    def finish(self) -> None:
        """Write the features; of answers in a file, say what else there is to say of them."""
        if self._asked.out is not None:
            say(f"{self._count:,} pictures: {self._asked.out}")
            if self._inverted:
                say(f"{self._inverted:,} of {self._count:,} pictures: {INVERT}")
        if self._asked.features is not None and self._features:
            feature_file.write(self._asked.features, self._features)
            size = len(next(iter(self._features.values())))
            count = len(self._features)
            say(f"{size} features of {count} pictures: {self._asked.features}")

    def _answer(self, path: Path, pixels_CHW: Tensor, probabilities_K: Tensor) -> Answer:
        name = text_of(path)
        classes = best(probabilities_K, self._classifier.classes, self._asked.top)
        lines = [f"{name}: {_sentence(classes)}"]
        if self._classifier.looks_inverted(pixels_CHW):
            self._inverted += 1
            lines.append(f"{name}: {INVERT}")
        return Answer({"file": name, "classes": classes}, lines)


def _sentence(classes: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{each['class']} {100 * each['probability']:.1f} %" for each in classes)
