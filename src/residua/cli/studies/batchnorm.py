"""`residua lab batchnorm`: what of a net's errors is due to the statistics of its batch norm."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional

from residua import runs, runtime
from residua.analyze.batchnorm import Examination, Measured
from residua.analyze.norm_advice import advise
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.data.folder import labelled
from residua.data.loading import Pictures
from residua.errors import ConfigError
from residua.lab.batchnorm import Examined, examine_run, page, write_exact

# Layers that the table lists, the furthest from exact statistics first.
SHOWN = 8


@dataclasses.dataclass(frozen=True)
class Options:
    """Examine the batch normalization of a run: residua lab batchnorm RUN.

    Attributes:
        run: the folder of a run, or "last".
        data: a folder of pictures in classes, instead of the run's own.
        part: which of the run's own pictures; by default validation, where there are none the
            training pictures.
        weights: best or last; by default those that the run was tested with.
        pictures: that errors are measured on, at most.
        average_over: training pictures that exact statistics are averaged over, at most.
        write_exact: write the weights with exact statistics to this file, FILE.safetensors.
        smoke: take few pictures.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    run: Annotated[str, Positional] = "last"
    data: Path | None = None
    part: Literal["test", "validation", "train"] | None = None
    weights: Literal["best", "last"] | None = None
    pictures: int = 2000
    average_over: int = 10_000
    write_exact: Path | None = None
    smoke: bool = False
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Examine, and print what was found and where the page is."""
    options = parse("lab batchnorm", Options, words)
    runtime.set_threads(options.threads)
    if options.write_exact is not None and options.write_exact.exists():
        raise ConfigError(f"{options.write_exact} exists: weights are not overwritten")
    trained = runs.load(runs.find(options.run, options.runs), weights=options.weights)
    device = runtime.pick_device(options.device)
    dtype = runtime.pick_dtype(trained.experiment.precision, device)
    trained.net.to(device)
    images, what = _images(trained, options)
    examined = examine_run(
        trained,
        images,
        most=16 if options.smoke else options.pictures,
        average_over=16 if options.smoke else options.average_over,
        dtype=dtype,
    )
    _print(examined, what)
    if options.write_exact is not None:
        write_exact(trained, examined.exact, options.write_exact)
        say(f"weights with exact statistics: {options.write_exact}")
    folder = runs.create(options.runs, "lab", "batchnorm")
    title = f"{trained.folder.parent.name} {trained.folder.name}, {what}"
    say(str(page(folder, examined, title=title, device=device)))


def _images(trained: runs.TrainedNet, options: Options) -> tuple[Pictures, str]:
    """Return the pictures to measure on, and what they are."""
    if options.data is not None:
        if options.part is not None:
            raise ConfigError("--part is one of the run's own pictures, --data stands for others")
        like = trained.experiment.data
        found = labelled(options.data, trained.classes, trained.shape, like)
        return found, f"images in {options.data}"
    splits = trained.experiment.load_data()
    part = options.part or ("train" if splits.validation is None else "validation")
    images = getattr(splits, part)
    if images is None:
        raise ConfigError(f"the run has no {part} images: try --part train")
    return images, f"{'training' if part == 'train' else part} images"


def _print(examined: Examined, what: str) -> None:
    found = examined.found
    rows = [_row("running", found.running), _row("exact, as learned from", found.exact)]
    rows += [_row("exact, unaugmented", examined.unaugmented)]
    rows += [
        [f"of batches of {each.size}", f"{each.error:.1f}", f"{each.loss:.3f}"]
        for each in found.batches
    ]
    columns = [("statistics", False), ("error %", True), ("loss", True)]
    say(f"{found.running.count:,} {what}")
    table("error by statistics", columns, rows)
    _print_layers(found)
    for finding in advise(found):
        say(f"- {finding.says}{f' {finding.do}' if finding.do else ''}")


def _row(name: str, measured: Measured) -> list[str]:
    return [name, f"{measured.error:.1f}", f"{measured.loss:.3f}"]


def _print_layers(found: Examination) -> None:
    rows = [
        [layer.name, f"{layer.drift:.2f}", f"{layer.shift:.2f}", f"{layer.spread:.2f}"]
        for layer in found.layers[:SHOWN]
    ]
    columns = [("layer", False), ("drift", True), ("of means", True), ("of deviations", True)]
    count = f"{len(rows)} of {len(found.layers)}"
    table(f"drift in standard deviations ({count} layers)", columns, rows)
