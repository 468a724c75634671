"""`residua evaluate`: test the network of a run."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional

from residua import runs, runtime
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.data.folder import labelled
from residua.data.loading import Pictures
from residua.errors import ConfigError
from residua.evaluate import Scores, scores


@dataclasses.dataclass(frozen=True)
class Options:
    """Test the network of a run, on its own test pictures or on others.

    Attributes:
        run: the folder of the run, or "last".
        data: a folder with one sub-folder of pictures per class, or with a label file, instead of
            the run's own pictures.
        part: which of the run's own pictures.
        weights: best or last; by default those that the run was tested with.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    run: Annotated[str, Positional] = "last"
    data: Path | None = None
    part: Literal["test", "validation", "train"] = "test"
    weights: Literal["best", "last"] | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Print the error and the class-by-class table."""
    options = parse("evaluate", Options, words)
    trained = runs.load(runs.find(options.run, options.runs), weights=options.weights)
    images = _images(trained, options)
    device = runtime.pick_device(options.device)
    dtype = runtime.pick_dtype(trained.experiment.precision, device)
    found = scores(
        trained.net.to(device), images.to(device), trained.normalize.to(device), dtype=dtype
    )
    _print(found, trained.classes)
    what = f"{options.part} error" if options.data is None else f"error on {options.data}"
    say(f"{what} {found.top1_error:.1f} % ({len(images)} images, top-1, one view)")


def _images(trained: runs.TrainedNet, options: Options) -> Pictures:
    if options.data is not None:
        return labelled(options.data, trained.classes, trained.shape, trained.experiment.data)
    images = getattr(trained.experiment.load_data(), options.part)
    if images is None:
        raise ConfigError(f"the run has no {options.part} images: it learned from all but the test")
    return images


def _print(found: Scores, classes: Sequence[str]) -> None:
    confusion = found.confusion()
    rows = []
    for index, name in enumerate(classes):
        count, right = int(confusion[index].sum()), int(confusion[index, index])
        if count:
            rows.append([name, str(count), str(count - right), f"{100 * (1 - right / count):.1f}"])
    columns = [("class", False), ("images", True), ("wrong", True), ("error %", True)]
    table("by class", columns, rows)
