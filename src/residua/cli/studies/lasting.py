"""What the commands of studies share: how long to train, in which folder, and how to go on."""

import contextlib
import dataclasses
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from residua import events, runtime
from residua.cli.screen import Screen, say, table
from residua.errors import RunError
from residua.experiment import Experiment
from residua.lab.budget import FULL, length, measured
from residua.lab.compared import Comparison, compared
from residua.lab.ground import Ground, Length
from residua.lab.sweep import Manner, Study, agreed, known, opened, record, results
from residua.outcome import Result
from residua.report import Sweep

# Of a study whose command does not say.
USUAL_BUDGET = "10m"
SMOKE = Length(updates=2, why="two updates each, to see that it runs")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trainings:
    """The trainings of a study: on what, how long, how often, and where.

    Attributes:
        data: digits, mnist, cifar10, or a folder of pictures in classes.
        budget: time for all trainings together: 1m, 10m, 1h, or full for the whole recipe.
        updates: of each training, in place of a budget.
        seeds: trainings of each network, with seeds counting up from 0.
        into: the folder of the study; what has ended there is not trained again.
        smoke: cut every training to two small updates.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    data: str = "digits"
    budget: str | None = None
    updates: int | None = None
    seeds: int = 3
    into: Path | None = None
    smoke: bool = False
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def begin(
    study: str,
    chosen: Trainings,
    on: Ground,
    plan: Sequence[Experiment],
    usual: Length | None = None,
) -> tuple[Path, Length]:
    """Find the folder of a study and the length of its trainings; both are said and recorded.

    Args:
        study: its name.
        chosen: options of the command.
        on: what is learned from.
        plan: all trainings, of whatever length.
        usual: the length where none is asked for; a budget of ten minutes if not given.
    """
    for told in on.sentences:
        say(told)
    there = known(chosen.into, study)
    asked, updates = chosen.budget, chosen.updates
    found = agreed(chosen.into, there, data=chosen.data, budget=asked, updates=updates)
    if found is None:
        usual = SMOKE if chosen.smoke else usual
        if asked is None and updates is None and usual is None:
            asked = USUAL_BUDGET
        found = length(
            on,
            plan,
            budget=asked,
            updates=updates,
            usual=usual or Length(updates=on.whole, why=on.recipe),
            costs=measured(chosen.device),
        )
    folder = opened(chosen.into, chosen.runs, study)
    if there is None:
        record(folder, Study(study=study, data=chosen.data, budget=asked, length=found))
    say(f"{len(plan)} trainings; {found.why}")
    return folder, found


def is_whole(study: str, chosen: Trainings) -> bool:
    """Tell whether a study is of whole recipes: as asked for, or as recorded in its folder."""
    there = known(chosen.into, study)
    return FULL in {chosen.budget, None if there is None else there.budget}


def compare(comparison: Comparison, chosen: Trainings, on: Ground) -> None:
    """Train what is compared, and print the table and where the page is."""
    folder, _, _ = trained(comparison, chosen, on)
    say(str(folder / "report.html"))


def trained(
    comparison: Comparison, chosen: Trainings, on: Ground
) -> tuple[Path, list[Experiment], Sweep]:
    """Train what is compared, and print the table.

    Returns:
        The folder, what was trained, and what its page shows.
    """
    everything = Length(updates=on.whole, why=on.recipe)
    plan = comparison.plan(everything, chosen.seeds)
    folder, found = begin(comparison.name, chosen, on, plan)
    plan = comparison.plan(found, chosen.seeds)
    plan = smoke(plan) if chosen.smoke else plan
    with Screen() as screen, going_on(folder):
        sweep = compared(comparison, plan, folder, found, manner(chosen.device, screen))
    show(
        comparison.title,
        [(entry.name, result) for entry in sweep.entries for result in results(entry.runs)],
    )
    return folder, plan, sweep


def manner(device: str, screen: Screen) -> Manner:
    """Say how trainings are carried out: on which device, and shown by whom."""

    def hear(event: events.Event) -> None:
        if event["kind"] == "training":
            what = f"{event['name']}, seed {event['seed']}"
            say(f"training {event['number']} of {event['of']}: {what}")
        screen(event)

    return Manner(device=device, listen=hear)


@contextlib.contextmanager
def going_on(folder: Path) -> Iterator[None]:
    """Add to the sentence of a study that stopped how to go on with all of it."""
    try:
        yield
    except RunError as error:
        command = re.sub(r" --into[ =]\S+", "", runtime.command_line())
        raise RunError(
            f"{error}. The whole study goes on, and what has ended is not trained again, with: "
            f"{command} --into {shlex.quote(str(folder))}"
        ) from error


def smoke(plan: Sequence[Experiment]) -> list[Experiment]:
    """Cut every training to two small updates."""
    return [experiment.smoke() for experiment in plan]


def show(title: str, found: Sequence[tuple[str, Result]]) -> None:
    """Print a line for each training."""
    columns = [
        ("network", False),
        ("training error %", True),
        ("validation error %", True),
        ("test error %", True),
        ("seconds", True),
    ]
    rows = [
        [
            name,
            f"{result.train_error:.1f}",
            "none" if result.validation_error is None else f"{result.validation_error:.1f}",
            f"{result.test_error:.1f}",
            f"{result.seconds:.0f}",
        ]
        for name, result in found
    ]
    table(title, columns, rows)
