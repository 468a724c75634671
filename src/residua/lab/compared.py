"""Settings of one choice, each trained with several seeds and drawn beside what a paper prints."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from residua import report
from residua.errors import RunError
from residua.experiment import Experiment
from residua.lab.ground import Length, lasting
from residua.lab.sweep import Manner, begun, carry_out, seeded
from residua.report import Entry, Sweep


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One of the settings that are compared.

    Args:
        name: as the paper calls it.
        experiment: of one training; the length and the seeds are those of the study.
        does: the same as a formula or a sentence; empty where the name says it.
        paper: what is printed there, by column.
    """

    name: str
    experiment: Experiment
    does: str = ""
    paper: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is compared, before any training.

    Args:
        name: of the study.
        title: what is compared.
        settings: in the order of the paper.
        source: of the papers' numbers.
        notes: paragraphs on how to read it.
    """

    name: str
    title: str
    settings: Sequence[Setting]
    source: str
    notes: Sequence[str] = ()

    def plan(self, length: Length, seeds: int) -> list[Experiment]:
        """List all trainings, all seeds of one setting after the other.

        Raises:
            ConfigError: there is no seed.
        """
        each = [setting.experiment for setting in self.settings]
        return seeded([lasting(e, e.schedule, length.updates) for e in each], seeds)


def compared(
    comparison: Comparison,
    plan: Sequence[Experiment],
    folder: Path,
    length: Length,
    manner: Manner | None = None,
) -> Sweep:
    """Train what is compared, and write the page; what has ended in the folder is read.

    Args:
        comparison: what is compared.
        plan: what its `plan` returned.
        folder: of the study.
        length: of every training, for the page.
        manner: how, which changes no number.

    Returns:
        What the page shows.

    Raises:
        RunError: a training stopped early; what has ended is on the page.
    """
    how = dataclasses.replace(manner or Manner(), page=False)
    try:
        folders = carry_out(plan, folder, how)
    except RunError:
        _write(comparison, folder, length, begun(plan, folder))
        raise
    return _write(comparison, folder, length, folders)


def _write(comparison: Comparison, folder: Path, length: Length, folders: Sequence[Path]) -> Sweep:
    entries = [
        Entry(
            name=setting.name,
            does=setting.does,
            paper=setting.paper,
            runs=[run for run in folders if run.parent.name == setting.experiment.name],
        )
        for setting in comparison.settings
    ]
    sweep = Sweep(
        name=comparison.name,
        title=comparison.title,
        entries=entries,
        why=length.why,
        notes=comparison.notes,
        source=comparison.source,
    )
    if any(entry.runs for entry in entries):
        report.write_sweep(folder, sweep)
    return sweep
