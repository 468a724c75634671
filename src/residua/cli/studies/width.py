"""`residua lab width`: a wide and a deep network of equal parameters, error and time."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from residua import report, runtime
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.cli.studies.lasting import Trainings, is_whole, trained
from residua.errors import ConfigError
from residua.lab.ground import ground
from residua.lab.width import measure_times, width
from residua.report.width import NetTime, compare


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train a wide and a deep network of equal parameters, and time both: residua lab width.

    Attributes:
        trainings: on what, how long, how often, and where.
        deep: layers of the deep net, 6N+4; the wide one is chosen to have its parameters.
        rounds: of timing, in which the nets take turns.
    """

    trainings: Annotated[Trainings, arg(name="")] = dataclasses.field(default_factory=Trainings)
    deep: int = 40
    rounds: int = 9


def main(words: Sequence[str]) -> None:
    """Train, time, and print the tables and where the page is."""
    options = parse("lab width", Options, words)
    if options.rounds < 1:
        raise ConfigError(f"timing needs at least one round, got {options.rounds}")
    runtime.set_threads(options.trainings.threads)
    on = ground(options.trainings.data, whole=is_whole("width", options.trainings))
    comparison = width(on, options.deep)
    folder, plan, sweep = trained(comparison, options.trainings, on)
    names = [setting.name for setting in comparison.settings]
    timed = [plan[number * options.trainings.seeds] for number in range(len(names))]
    times = measure_times(
        list(zip(names, timed, strict=True)),
        device=options.trainings.device,
        rounds=1 if options.trainings.smoke else options.rounds,
    )
    _show_times(times)
    device = runtime.pick_device(options.trainings.device)
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
