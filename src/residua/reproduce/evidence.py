"""The runs that are there for a recipe: below the folder of all runs, and among kept records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from residua import events, files, runs
from residua.config import encode
from residua.data.views import Views
from residua.detection_experiment import AnyExperiment
from residua.errors import ResiduaError
from residua.experiment import Claim
from residua.report import claims, record
from residua.report.record import Record
from residua.reproduce import responded
from residua.reproduce.cell import RESPONSE
from residua.reproduce.same import configuration, record_that_differs, settings_that_differ
from residua.reproduce.verdict import Measured


@dataclass(frozen=True, kw_only=True)
class Found:
    """A run of a recipe, finished or half done.

    Attributes:
        folder: of the run.
        experiment: what was run.
        configuration: shared by the runs that may be summed up together, but for the precision.
        record: what happened.
        differences: in what it is not as the recipe says; empty if it is.
    """

    folder: Path
    experiment: AnyExperiment
    configuration: str
    record: Record
    differences: tuple[str, ...]

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return self.record.result is not None

    @property
    def busy(self) -> bool:
        """Whether another process is at work on it."""
        return not self.finished and files.is_held(self.folder / events.FILE)

    @property
    def seed(self) -> int:
        """Of the run."""
        return self.experiment.seed

    @property
    def together(self) -> tuple[object, ...]:
        """What runs share whose numbers may be summed up: settings, precision and pictures."""
        start = self.record.start
        precision = start["environment"]["precision"]
        return self.configuration, precision, tuple(start.get("fingerprints", ()))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What belongs beside its number."""
        environment = self.record.start["environment"]
        processes, code = environment.get("processes", 1), str(environment.get("code", ""))
        return (
            str(environment["precision"]),
            *(["compiled"] if getattr(self.experiment, "compile", False) else []),
            *([f"{processes} processes"] if processes > 1 else []),
            *([f"its code was changed after commit {code[:-1]}"] if code.endswith("+") else []),
        )

    def number(self, metric: str, views: Views) -> float | None:
        """Return what was measured under a protocol; None if that was not looked at."""
        if metric == RESPONSE:
            return responded.recorded(self.folder)
        asked = Claim(metric=metric, value=0.0, unit="", statistic="", source="", views=views)
        return claims.measured(encode(asked), self.record)


def found(
    recipe: AnyExperiment, roots: Iterable[Path], pictures: tuple[int, int] | None = None
) -> list[Found]:
    """List the runs that are filed under a recipe's name, in the order of seeds and names.

    Args:
        recipe: whose runs are looked for.
        roots: folders of runs.
        pictures: learned from and tested on, where the data set does not say.
    """
    folders = [
        path.parent for root in roots for path in sorted((root / recipe.name).glob("*/config.yaml"))
    ]
    listed = [_read(folder, recipe, pictures) for folder in folders]
    return sorted(
        (run for run in listed if run is not None), key=lambda run: (run.seed, str(run.folder))
    )


def groups(listed: Sequence[Found], metric: str, views: Views) -> list[Measured]:
    """List what was measured, by runs of one configuration each, and one run of a seed.

    Those as in the recipe come first, then the longest.
    """
    found: dict[tuple[object, ...], dict[int, tuple[Found, float]]] = {}
    for run in listed:
        number = run.number(metric, views) if run.finished else None
        if number is not None:
            key = (run.together, run.differences)
            found.setdefault(key, {}).setdefault(run.seed, (run, number))
    return [_together(group) for group in sorted(found.values(), key=_weight, reverse=True)]


def _together(group: dict[int, tuple[Found, float]]) -> Measured:
    members = [group[seed] for seed in sorted(group)]
    first = members[0][0]
    return Measured(
        values=tuple(number for _, number in members),
        differences=first.differences,
        remarks=first.remarks,
        folders=tuple(str(run.folder) for run, _ in members),
    )


def _weight(group: dict[int, tuple[Found, float]]) -> tuple[bool, int, int]:
    """Order groups: as in the recipe before others, then by their length and their seeds."""
    run = next(iter(group.values()))[0]
    return not run.differences, run.experiment.schedule.until, len(group)


def _read(folder: Path, recipe: AnyExperiment, pictures: tuple[int, int] | None) -> Found | None:
    """Read a run; one that never began, or whose record is damaged, is none."""
    try:
        experiment, log = runs.read_experiment(folder), record.read(folder)
    except ResiduaError:
        return None
    differences = settings_that_differ(experiment, recipe)
    if not differences and log.result is not None:
        differences = record_that_differs(log, experiment, pictures)
    return Found(
        folder=folder,
        experiment=experiment,
        configuration=configuration(experiment),
        record=log,
        differences=tuple(differences),
    )


def resumable(run: Found) -> bool:
    """Tell whether a run that has not come to its end can go on."""
    return not run.finished and any((run.folder / "checkpoints").glob("*.pt"))
