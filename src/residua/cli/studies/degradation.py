"""`residua lab degradation`: plain and residual networks of several depths."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from residua import outcome, runtime
from residua.cli.options import parse
from residua.cli.screen import Screen, say, table
from residua.errors import ConfigError
from residua.lab.degradation import degradation, experiments


@dataclasses.dataclass(frozen=True)
class Options:
    """Train plain and residual networks of several depths and draw them: residua lab degradation.

    Attributes:
        depths: weighted layers, each 20, 56 or 110.
        seeds: trainings of each network, with seeds counting up from 0.
        smoke: cut every training to two small updates.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    depths: tuple[int, ...] = (20, 56, 110)
    seeds: int = 1
    smoke: bool = False
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Train, and print the table and where the page is."""
    options = parse("lab degradation", Options, words)
    if options.seeds < 1 or not options.depths:
        raise ConfigError("a study needs at least one seed and one depth")
    runtime.set_threads(options.threads)
    plan = experiments(options.depths, range(options.seeds))
    plan = [experiment.smoke() for experiment in plan] if options.smoke else plan
    with Screen() as screen:
        folder, results = degradation(plan, root=options.runs, device=options.device, listen=screen)
    _print(results)
    say(str(folder / "report.html"))


def _print(results: list[outcome.Result]) -> None:
    columns = [
        ("network", False),
        ("training error %", True),
        ("validation error %", True),
        ("test error %", True),
        ("seconds", True),
    ]
    rows = [
        [
            f"{result.folder.parent.name} {result.folder.name}",
            f"{result.train_error:.1f}",
            f"{result.validation_error:.1f}",
            f"{result.test_error:.1f}",
            f"{result.seconds:.0f}",
        ]
        for result in results
    ]
    table("plain and residual networks", columns, rows)
