"""`residua predict`: name what is on pictures, or find objects on them; or take their features."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol

from tyro.conf import Positional

from residua.cli import told
from residua.cli.asked import load
from residua.cli.options import parse, refuse
from residua.cli.predict_classifier import Naming
from residua.cli.predict_detector import Finding
from residua.cli.screen import Counter, console
from residua.cli.told import Answer
from residua.data.gather import gather
from residua.deploy import predictor
from residua.deploy.answers import Form
from residua.deploy.batches import Batch, batches
from residua.deploy.predictor import Classifier
from residua.errors import ConfigError, DataError
from residua.evaluate import feature_file
from residua.runtime import Precision


@dataclasses.dataclass(frozen=True)
class Options:
    """Name what is on pictures, or find objects on them.

    residua predict RUN IMAGE [IMAGE ...]
    residua predict RUN FOLDER "more/**/*.jpg" --out FOUND.csv
    find . -name "*.jpg" | residua predict RUN - --out FOUND.jsonl

    Attributes:
        run: the folder of the run, "last", or a folder that `residua optimize` wrote.
        images: picture files; folders, for the pictures in them and below; patterns; or "-" for a
            list of files on standard input, one per line.
        weights: best or last; by default those that the run was tested with.
        runs: the folder of all runs.
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: of convolutions: auto takes bfloat16 where the hardware has it. In float32 it
            changes nothing beyond rounding which pictures are given at a time.
        batch_size: how many pictures the net is given at a time; by default 32, detectors 8.
        out: write what is said to this file instead of printing it: .csv or .jsonl. It grows as
            FILE.part, and gets its name when all is done.
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
    images: Annotated[tuple[str, ...], Positional] = ()
    weights: Literal["best", "last"] | None = None
    runs: Path = Path("runs")
    device: str = "auto"
    precision: Precision = "float32"
    batch_size: int | None = None
    out: Path | None = None
    top: int = 3
    invert: bool = False
    features: Path | None = None
    threshold: float = 0.5
    draw: Path | None = None
    json: Path | None = None


# Pictures that could not be read and are named.
NAMED = 20

OF_CLASSIFIERS = ("top", "invert", "features")
OF_DETECTORS = ("threshold", "draw", "json")


class Work(Protocol):
    """What is done with the pictures of one command."""

    @property
    def form(self) -> Form: ...
    @property
    def batch_size(self) -> int: ...

    def begin(self, paths: Sequence[Path]) -> None:
        """Take the files that are asked for, of which batches hold some."""
        ...

    def answers(self, batch: Batch) -> list[Answer]:
        """Answer the pictures of a batch, in their order."""
        ...

    def finish(self) -> None:
        """Write what is made of all pictures together, and say where it is."""
        ...


def main(words: Sequence[str]) -> None:
    """Say what is on each picture, in the order in which they were asked for.

    Raises:
        ConfigError: an option makes no sense, or is not for what has been trained.
        CheckpointError: there is no such run, or it has no weights.
        DataError: pictures could not be read; the others are done.
        RunError: a file could not be written.
    """
    options = parse("predict", Options, words)
    _check(options)
    asked = load(options)
    work = _work(asked, options)
    paths = gather(options.images, _listed)
    work.begin(paths)
    unread = _answer(asked, work, paths, options)
    work.finish()
    if unread:
        named, more = "; ".join(unread[:NAMED]), len(unread) - NAMED
        raise DataError(f"{named}; and {more:,} more" if more > 0 else named)


def _work(asked: predictor.Predictor, options: Options) -> Work:
    """Choose what to do, and refuse options that say nothing of it."""
    if isinstance(asked, Classifier):
        refuse(options, OF_DETECTORS, f"detectors, and {asked.folder} is the run of a classifier")
        return Naming(asked, options)
    refuse(options, OF_CLASSIFIERS, f"classifiers, and {asked.folder} is the run of a detector")
    return Finding(asked, options)


def _listed() -> bytes:
    return sys.stdin.buffer.read()


def _answer(
    asked: predictor.Predictor, work: Work, paths: Sequence[Path], options: Options
) -> list[str]:
    """Tell what is on all pictures, and return why some could not be read."""
    unread: list[str] = []
    # Lines in a terminal show by themselves how far it is.
    shown = options.out is not None or not console().is_terminal
    size = options.batch_size or work.batch_size
    with told.telling(options.out, work.form) as tell, Counter(len(paths), shown=shown) as counter:
        for batch in batches(asked, paths, size):
            tell(work.answers(batch) if batch.pictures else [])
            unread += batch.unread
            counter.advance(batch.count)
    return unread


def _check(options: Options) -> None:
    if not options.images:
        raise ConfigError("no pictures are named: residua predict RUN IMAGE [IMAGE ...]")
    for name, number in (("top", options.top), ("batch-size", options.batch_size)):
        if number is not None and number < 1:
            raise ConfigError(f"{name} must be at least 1, got {number}")
    told.check(options.out)
    if options.features is not None:
        feature_file.check(options.features)
