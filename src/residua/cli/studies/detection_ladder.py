"""`residua lab detection-ladder`: what each addition to a detector changes."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional

from residua import runs, runtime, trained_detector
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.data.objects import Annotated as AnnotatedSet
from residua.detect.found import Found
from residua.detect.metrics.summary import summarise
from residua.errors import ConfigError
from residua.lab.detection_ladder import measure_ladder, page


@dataclasses.dataclass(frozen=True)
class Options:
    """Test a detector in every way of the paper's ladder: residua lab detection-ladder RUN [RUN].

    Attributes:
        run: folders of runs, or "last"; several are an ensemble, and are compared where one was
            trained with global context.
        part: which of the run's pictures.
        weights: best or last; by default those that the run was tested with.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    run: Annotated[tuple[str, ...], Positional] = ("last",)
    part: Literal["test", "validation", "train"] = "test"
    weights: Literal["best", "last"] | None = None
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Measure every rung, and print the table and where the page is."""
    options = parse("lab detection-ladder", Options, words)
    runtime.set_threads(options.threads)
    device = runtime.pick_device(options.device)
    folders = [runs.find(word, options.runs) for word in options.run or ("last",)]
    first = trained_detector.load(folders[0], weights=options.weights, device=device)
    dtype = runtime.pick_dtype(first.experiment.precision, device)
    loaded = [
        trained_detector.load(folder, weights=options.weights, device=device, dtype=dtype)
        for folder in folders
    ]
    if any(each.classes != first.classes for each in loaded):
        raise ConfigError("the runs tell different classes apart: an ensemble needs the same")
    pictures = getattr(first.experiment.load_data(), options.part)
    if pictures is None:
        raise ConfigError(f"the run has no {options.part} pictures")
    ladder = measure_ladder(
        [each.detector for each in loaded],
        pictures,
        lambda found: scores(found, pictures),
        testing=first.experiment.testing,
    )
    rows = [
        [r.name, *(f"{v:.1f}" for v in r.numbers.values()), f"{1000 * r.seconds:.0f}"]
        for r in ladder.rungs
    ]
    columns = [("rung", False), *((name, True) for name in ladder.metrics), ("ms/image", True)]
    table(f"{len(pictures)} {options.part} images", columns, rows)
    folder = runs.create(options.runs, "lab", "detection-ladder")
    named = " and ".join(f"{each.folder.parent.name} {each.folder.name}" for each in loaded)
    title = f"{named}, {options.part} images"
    say(str(page(folder, ladder, title=title, device=device)))


def scores(found: list[Found], pictures: AnnotatedSet) -> dict[str, float]:
    """Return the metrics of a set of detections in percent."""
    objects = [pictures.objects(index) for index in range(len(pictures))]
    summary = summarise(found, objects, pictures.classes)
    numbers = summary.coco.numbers
    return {
        "mAP@.5": summary.of("area").mean or 0.0,
        "mAP@.75": numbers["AP75"] or 0.0,
        "mAP@[.5,.95]": numbers["AP"] or 0.0,
    }
