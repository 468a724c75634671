"""What `reproduce` may do to fill a cell: how many seeds, how long, with what, and where."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from residua import events
from residua.data.folder import absolute
from residua.detection_experiment import AnyExperiment
from residua.errors import ConfigError
from residua.experiment import Experiment


@dataclasses.dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is done, and where.

    Attributes:
        seeds: runs of each recipe, finished ones included.
        budget: updates of a training; a schedule that is longer is shrunk to so many, and its
            number is never called reproduced.
        data: where the pictures lie, for recipes whose data have a place.
        weights: of networks that are not trained, by name: a file, or "torchvision".
        compile: let torch.compile join the operations of a training step.
        device: where to compute.
        runs: the folder of all runs.
        records: a folder of kept records, which count as runs.
        listen: called with every event of every training.
        page: write the page of every run.
    """

    seeds: int = 1
    budget: int | None = None
    data: str | None = None
    weights: Mapping[str, str] = dataclasses.field(default_factory=dict)
    compile: bool = False
    device: str = "auto"
    runs: Path = Path("runs")
    records: Path = Path("records")
    listen: events.Listener | None = None
    page: bool = True

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders in which runs are looked for, each once."""
        return tuple(dict.fromkeys((self.runs, self.records)))

    def check(self) -> None:
        """Refuse an effort that comes to nothing.

        Raises:
            ConfigError: no seed, or no update.
        """
        if self.seeds < 1:
            raise ConfigError(f"seeds must be at least 1, got {self.seeds}")
        if self.budget is not None and self.budget < 2:
            raise ConfigError(f"budget must be at least 2 updates, got {self.budget}")

    def wanted(self, recipe: AnyExperiment) -> AnyExperiment:
        """Return what is trained of a recipe where no run says how."""
        made = placed(recipe, self.data)
        if self.compile and isinstance(made, Experiment):
            made = dataclasses.replace(made, compile=True)
        if self.budget is None or self.budget >= made.schedule.until:
            return made
        return made.lasting(self.budget)


def placed(experiment: AnyExperiment, data: str | None) -> AnyExperiment:
    """Say where the pictures of an experiment lie, if its data have a place."""
    settings = experiment.data
    if data is None or not dataclasses.is_dataclass(settings) or isinstance(settings, type):
        return experiment
    names = {field.name for field in dataclasses.fields(settings)}
    if not names & {"path", "folder"}:
        return experiment
    place: dict[str, Any] = {"path" if "path" in names else "folder": absolute(data)}
    moved: Any = dataclasses.replace(settings, **place)
    return dataclasses.replace(experiment, data=moved)
