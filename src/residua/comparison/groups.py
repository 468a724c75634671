"""Runs put together: those that differ in their seed alone are one group."""

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from residua import runs
from residua.comparison.settings import Setting, differing
from residua.errors import CheckpointError, ConfigError
from residua.report import page, record
from residua.reproduce.evidence import Found
from residua.reproduce.same import configuration

LETTERS = (*string.ascii_uppercase, *map("".join, product(string.ascii_uppercase, repeat=2)))
# So many settings still make a name.
NAMING = 2


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs that differ in their seed alone.

    Attributes:
        letter: what it is called in tables.
        label: the recipe, with what tells it from other groups of the recipe.
        runs: one for each seed, in the order of the seeds.
        repeated: runs of a seed that is there already; they are in no number.
    """

    letter: str
    label: str
    runs: tuple[Found, ...]
    repeated: tuple[Found, ...] = ()

    @property
    def name(self) -> str:
        """Letter and label."""
        return f"{self.letter} {self.label}"

    @property
    def first(self) -> Found:
        """The run that speaks for all where they are equal."""
        return self.runs[0]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the runs."""
        return tuple(run.seed for run in self.runs)

    def values(self, look: Callable[[Found], float | None]) -> dict[int, float]:
        """Return a number of each run by its seed, where it is known."""
        looked = {run.seed: look(run) for run in self.runs}
        return {seed: value for seed, value in looked.items() if value is not None}


def gather(folders: Sequence[Path]) -> list[Found]:
    """Read runs that are to be compared, each once, in the order given.

    Raises:
        CheckpointError: a folder is not a run, or its run has not come to its end.
        ConfigError: there are fewer than two, or classifiers and detectors among them.
    """
    different = list({folder.resolve(): folder for folder in folders}.values())
    if len(different) < 2:
        again = " (given more than once)" if len(folders) > 1 else ""
        raise ConfigError(
            f"comparing takes two runs or more, got {len(different)}{again}; "
            "`residua report RUN` writes the page of one"
        )
    found = [_read(folder) for folder in different]
    detectors = [run for run in found if detects(run)]
    if 0 < len(detectors) < len(found):
        classifier = next(run for run in found if not detects(run))
        raise ConfigError(
            f"{detectors[0].folder} is the run of a detector and {classifier.folder} that of a "
            "classifier: their numbers measure different things, so compare runs of one kind"
        )
    return found


def detects(run: Found) -> bool:
    """Tell whether a run is that of a detector."""
    return run.record.start.get("task") == "detection"


def together(found: Sequence[Found]) -> list[Group]:
    """Make groups of runs, in the order in which they come.

    Runs of other code or on other machines are one group as long as their seeds are different ones;
    where a seed was run by both, it is code and machine that are compared.
    """
    alike: dict[Any, list[Found]] = {}
    for run in found:
        layers = tuple((row["kind"], *row["output"]) for row in run.record.start["layers"])
        alike.setdefault((run.experiment.name, run.together, layers), []).append(run)
    parts = [part for some in alike.values() for part in _parted(some)]
    ordered = sorted(parts, key=lambda part: min(found.index(run) for run in part))
    labels = _labels([part[0] for part in ordered])
    return [
        _group(letter, label, part)
        for letter, label, part in zip(LETTERS, labels, ordered, strict=False)
    ]


def made(run: Found) -> dict[str, str]:
    """Say by which code and on which machine a run was made."""
    environment = run.record.start["environment"]
    names = ("code", "precision", "torch", "device", "processes")
    usual = {"processes": 1}
    return {name: str(environment.get(name, usual.get(name, "not recorded"))) for name in names}


def _read(folder: Path) -> Found:
    experiment, log = runs.read_experiment(folder), record.read(folder)
    if log.result is None:
        resume = page.command("residua", "train", "--resume", folder)
        raise CheckpointError(
            f"{folder} has not come to its end ({log.end}), so it has no result to compare: go on "
            f"with: {resume}"
        )
    return Found(
        folder=folder,
        experiment=experiment,
        configuration=configuration(experiment),
        record=log,
        differences=(),
    )


def _parted(some: Sequence[Found]) -> list[list[Found]]:
    """Part runs by how they were made, if one of their seeds was made in two ways."""
    ways = {(run.seed, *made(run).values()) for run in some}
    if len(ways) == len({run.seed for run in some}):
        return [list(some)]
    parts: dict[tuple[str, ...], list[Found]] = {}
    for run in some:
        parts.setdefault(tuple(made(run).values()), []).append(run)
    return list(parts.values())


def _group(letter: str, label: str, some: Sequence[Found]) -> Group:
    chosen: dict[int, Found] = {}
    for run in some:
        chosen.setdefault(run.seed, run)
    return Group(
        letter=letter,
        label=label,
        runs=tuple(chosen[seed] for seed in sorted(chosen)),
        repeated=tuple(run for run in some if chosen[run.seed] is not run),
    )


def _labels(firsts: Sequence[Found]) -> list[str]:
    names = [run.experiment.name for run in firsts]
    labels = list(names)
    for name in {name for name in names if names.count(name) > 1}:
        places = [place for place, each in enumerate(names) if each == name]
        some = [firsts[place] for place in places]
        told = differing([run.experiment for run in some]) or _made_differently(some)
        for column, place in enumerate(places):
            words = [f"{each.name.rpartition('.')[2]} {each.values[column]}" for each in told]
            own = ", ".join(words) if 0 < len(words) <= NAMING else firsts[place].folder.name
            labels[place] = f"{name}, {own.replace('_', ' ')}"
    return labels


def _made_differently(some: Sequence[Found]) -> list[Setting]:
    ways = [made(run) for run in some]
    rows = [Setting(name=name, values=tuple(way[name] for way in ways)) for name in ways[0]]
    return [row for row in rows if len(set(row.values)) > 1]
