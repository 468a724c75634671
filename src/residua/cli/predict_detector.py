"""`residua predict RUN` of a detector: say and draw what is found on pictures."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from residua import files, plots
from residua.cli.screen import say
from residua.cli.told import Answer
from residua.deploy.answers import FINDING, Record, objects, text_of
from residua.deploy.batches import Batch
from residua.deploy.predictor import Finder
from residua.detect.found import Found
from residua.errors import ConfigError, RunError

SUFFIX = ".json"
JPEG = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
QUALITY = 92


class Asked(Protocol):
    """What the command line says."""

    @property
    def threshold(self) -> float: ...
    @property
    def draw(self) -> Path | None: ...
    @property
    def json(self) -> Path | None: ...
    @property
    def out(self) -> Path | None: ...


class Finding:
    """Finds objects on pictures.

    Args:
        finder: of the run.
        asked: how.

    Raises:
        ConfigError: an option makes no sense.
    """

    # Pictures have their own sizes, and may be large.
    batch_size = 8
    form = FINDING

    def __init__(self, finder: Finder, asked: Asked) -> None:
        if not 0 <= asked.threshold <= 1:
            raise ConfigError(f"threshold must be in [0, 1], got {asked.threshold}")
        if asked.json is not None and asked.json.suffix != SUFFIX:
            raise ConfigError(f"--json must name a file that ends in {SUFFIX}, got {asked.json}")
        self._finder = finder
        self._paths: Sequence[Path] = ()
        self._drawings: Sequence[str] = ()
        self._asked = asked
        self._count = 0
        self._records: list[Record] = []

    def begin(self, paths: Sequence[Path]) -> None:
        """Take the files that are asked for."""
        self._paths = paths
        self._drawings = drawings(paths)

    def answers(self, batch: Batch) -> list[Answer]:
        """Say what is found on each picture, and draw it if asked to."""
        found = self._finder.find(batch.pictures, self._asked.threshold)
        self._count += len(found)
        each = zip(batch.indices, batch.pictures, found, strict=True)
        return [self._answer(*one) for one in each]

    def finish(self) -> None:
        """Write what was found, and say where it is."""
        asked, count = self._asked, f"{self._count:,} pictures"
        if asked.out is not None:
            say(f"{count}: {asked.out}")
        if asked.draw is not None and self._count:
            say(f"drawings of {count}: {asked.draw}")
        if asked.json is not None and self._count:
            files.write(asked.json, json.dumps(self._records, indent=1, ensure_ascii=False) + "\n")
            say(f"objects on {count}: {asked.json}")

    def _answer(self, index: int, picture: Tensor, found: Found) -> Answer:
        told = objects(found, self._finder.classes)
        _, height, width = picture.shape
        name = text_of(self._paths[index])
        record = {"file": name, "width": width, "height": height, "objects": told}
        if self._asked.json is not None:
            self._records.append(record)
        if self._asked.draw is not None:
            _draw(self._asked.draw / self._drawings[index], picture, told, found)
        return Answer(record, [f"{name}: {sentence(told)}"])


def sentence(told: Iterable[dict[str, Any]]) -> str:
    """Say what was found: class, score and box of each object."""
    phrases = [
        f"{each['class']} {each['score']:.2f} ({', '.join(f'{edge:.0f}' for edge in each['box'])})"
        for each in told
    ]
    return "; ".join(phrases) or "nothing found"


def drawings(images: Iterable[Path]) -> list[str]:
    """Name the drawing of each picture: JPEG of a JPEG, else PNG, and no two alike."""
    names: dict[str, None] = {}
    last: dict[str, int] = {}
    for path in images:
        ending = ".jpg" if path.suffix.lower() in JPEG else ".png"
        wanted = name = f"{path.stem}{ending}"
        while name in names:
            last[wanted] = last.get(wanted, 1) + 1
            name = f"{path.stem}-{last[wanted]}{ending}"
        names[name] = None
    return list(names)


def _draw(target: Path, picture: Tensor, told: list[Record], found: Found) -> None:
    boxes = [
        plots.Named(tuple(each["box"]), f"{each['class']} {each['score']:.2f}", label)
        for each, label in zip(told, found.labels_D.tolist(), strict=True)
    ]
    image = plots.drawn(picture, boxes)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(target, quality=QUALITY)
    except OSError as error:
        raise RunError(f"cannot write {target}: {error}") from None
