"""Many trainings in one folder: what has ended there is read, what was stopped goes on.

study.json says what the study is and how long its trainings are, so that one that is started again
in its folder is the same study. A training that diverges ends with that, and the others go on.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from residua import events, execute, files, outcome, runs
from residua.config import decode, digest, encode, settings
from residua.detection_experiment import AnyExperiment
from residua.errors import ConfigError, RunError
from residua.experiment import Experiment
from residua.lab.ground import Length
from residua.lab.windows import Windows
from residua.outcome import Result

FILE = "study.json"
# What the record of a training says that ended because its numbers did.
DIVERGED = ("the loss is ", "the gradient's norm is ")


@settings
class Study:
    """What a folder of trainings is about.

    Attributes:
        study: such as "shortcuts".
        data: a name or a folder.
        budget: as it was asked for; None where it was not.
        length: of every training.
    """

    study: str
    data: str
    budget: str | None
    length: Length


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How trainings are carried out, which changes no number.

    Args:
        device: where to train.
        listen: called with every event, and before each training with one of the kind "training".
        page: write a page for each training.
    """

    device: str = "auto"
    listen: events.Listener | None = None
    page: bool = True


def known(into: Path | None, study: str) -> Study | None:
    """Read what is recorded of the study in a folder; None if there is nothing.

    Raises:
        ConfigError: the folder holds another study, or the record is damaged.
    """
    if into is None or not (into / FILE).is_file():
        return None
    path = into / FILE
    try:
        found = decode(Study, json.loads(path.read_text()), where=str(path))
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path} is not readable: {error}") from None
    if found.study != study:
        raise ConfigError(f"{into} holds the study {found.study}: choose another folder")
    return found


def opened(into: Path | None, root: Path, study: str) -> Path:
    """Return the folder of a study, made where it is not there.

    Args:
        into: where the study is, or is to be; by default a new folder below `root`.
        root: the folder of all runs.
        study: its name.

    Raises:
        RunError: it cannot be made.
    """
    if into is None:
        return runs.create(root, "lab", study)
    with files.explained(into):
        into.mkdir(parents=True, exist_ok=True)
    return into


def agreed(
    folder: Path | None, before: Study | None, *, data: str, budget: str | None, updates: int | None
) -> Length | None:
    """Return the length of the trainings that a folder holds; None if it holds none yet.

    Raises:
        ConfigError: other data or another length are asked for than those of the study there.
    """
    if before is None:
        return None
    asked = (data, budget or before.budget, updates or before.length.updates)
    known = (before.data, before.budget, before.length.updates)
    if asked != known:
        budget_known = "" if before.budget is None else f", a budget of {before.budget}"
        raise ConfigError(
            f"{folder} holds a study of {before.data} with {before.length.updates:,} updates each"
            f"{budget_known}: go on with these, or choose another folder"
        )
    return before.length


def record(folder: Path, study: Study) -> None:
    """Write down what a study is, before it begins."""
    files.write(folder / FILE, json.dumps(encode(study), indent=1) + "\n")


def carry_out(
    plan: Sequence[AnyExperiment], folder: Path, manner: Manner | None = None
) -> list[Path]:
    """Train what a plan lists, but for what has ended in the folder already.

    Args:
        plan: experiments; those of one name differ in the seed.
        folder: of the study.
        manner: how.

    Returns:
        The folders of the trainings, in the order of the plan. One that diverged has no result.

    Raises:
        RunError: a training stopped early; the message says how to go on.
    """
    how = manner or Manner()
    found: list[Path] = []
    for number, experiment in enumerate(plan, start=1):
        if how.listen is not None:
            what = {"name": experiment.name, "seed": experiment.seed}
            how.listen({"kind": "training", "number": number, "of": len(plan), **what})
        found.append(_trained(experiment, folder, how))
    return found


def begun(plan: Sequence[AnyExperiment], folder: Path) -> list[Path]:
    """List the folders of those trainings of a plan that have begun, whether or not they ended."""
    found = [_begun(folder / each.name, digest(each.recordable())) for each in plan]
    return [each for each in found if each is not None]


def results(folders: Sequence[Path]) -> list[Result]:
    """Read the results of trainings; those that diverged have none."""
    found = [outcome.recorded(folder) for folder in folders]
    return [result for result in found if isinstance(result, Result)]


def _trained(experiment: AnyExperiment, folder: Path, how: Manner) -> Path:
    """Train, or go on, or leave as it is what has come to its end."""
    parent = folder / experiment.name
    there = _begun(parent, digest(experiment.recordable()))
    if there is not None and (outcome.recorded(there) or _diverged(there)):
        return there
    # The loss of a detector has no error to keep.
    listen = Windows(how.listen) if isinstance(experiment, Experiment) else how.listen
    try:
        if there is not None:
            return execute.resume(there, device=how.device, listen=listen, page=how.page).folder
        return execute.run(
            experiment, root=folder, device=how.device, listen=listen, page=how.page
        ).folder
    except RunError:
        stopped = _begun(parent, digest(experiment.recordable()))
        if stopped is None or not _diverged(stopped):
            raise
        return stopped


def _begun(parent: Path, name: str) -> Path | None:
    """Find the training of these settings that can be read or gone on with; the last of several."""
    found = None
    for path in sorted(parent.glob(f"*/{events.FILE}")):
        started = events.first(events.read(path.parent), "start") or {}
        usable = any(path.parent.glob("checkpoints/*.pt")) or _diverged(path.parent)
        if started.get("digest") == name and usable:
            found = path.parent
    return found


def _diverged(folder: Path) -> bool:
    """Tell whether a training stopped because its loss or gradient was no finite number."""
    last = events.read(folder)[-1:]
    return any(
        event["kind"] == "stop" and str(event["reason"]).startswith(DIVERGED) for event in last
    )


def seeded(settings: Sequence[Experiment], seeds: int) -> list[Experiment]:
    """List experiments with seeds counting up from 0, all seeds of one after the other.

    Raises:
        ConfigError: there is no seed.
    """
    if seeds < 1:
        raise ConfigError(f"a study needs at least one seed, got {seeds}")
    return [dataclasses.replace(each, seed=seed) for each in settings for seed in range(seeds)]
