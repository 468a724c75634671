"""`residua lab width`: a wide and a deep network of equal parameters, error and time."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from residua import report, runtime
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.cli.studies.lasting import is_whole, trained
from residua.errors import ConfigError
from residua.lab.ground import ground
from residua.lab.width import measure_times, width
from residua.report.width import NetTime, compare


@dataclasses.dataclass(frozen=True)
class Options:
    """Train a wide and a deep network of equal parameters, and time both: residua lab width.

    Attributes:
        data: digits, mnist, cifar10, or a folder of pictures in classes.
        deep: layers of the deep net, 6N+4; the wide one is chosen to have its parameters.
        budget: time for all trainings together: 1m, 10m, 1h, or full for the whole recipe.
        updates: of each training, in place of a budget.
        seeds: trainings of each net, with seeds counting up from 0.
        rounds: of timing, in which the nets take turns.
        into: the folder of the study; what has ended there is not trained again.
        smoke: cut every training to two small updates.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    data: str = "digits"
    deep: int = 40
    budget: str | None = None
    updates: int | None = None
    seeds: int = 3
    rounds: int = 9
    into: Path | None = None
    smoke: bool = False
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Train, time, and print the tables and where the page is."""
    options = parse("lab width", Options, words)
    if options.rounds < 1:
        raise ConfigError(f"timing needs at least one round, got {options.rounds}")
    runtime.set_threads(options.threads)
    on = ground(options.data, whole=is_whole("width", options))
    comparison = width(on, options.deep)
    folder, plan, sweep = trained(comparison, options, on)
    names = [setting.name for setting in comparison.settings]
    timed = [plan[number * options.seeds] for number in range(len(names))]
    times = measure_times(
        list(zip(names, timed, strict=True)),
        device=options.device,
        rounds=1 if options.smoke else options.rounds,
    )
    _show_times(times)
    device = runtime.pick_device(options.device)
    dtype = runtime.pick_dtype(timed[0].precision, device)
    say(str(_page(folder, sweep, times, runtime.environment(device, dtype))))


def _page(
    folder: Path, sweep: report.Sweep, times: list[NetTime], where: dict[str, str | int]
) -> Path:
    return report.write_width(
        folder, sweep, times, environment=where, command=runtime.command_line()
    )


def _show_times(times: list[NetTime]) -> None:
    rows = [
        [each.what, *(f"{ms:.3g}" for ms in each.milliseconds), f"{each.ratio:.2f}"]
        for each in compare(*times)
    ]
    names = [(each.name, True) for each in times]
    table("milliseconds, in turn", [("", False), *names, ("ratio", True)], rows)
