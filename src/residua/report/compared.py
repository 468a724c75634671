"""What a study compares, kept beside its page, so that records alone can tell of it again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from residua import files
from residua.errors import CheckpointError
from residua.report.record import Record, read

FILE = "compared.json"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One setting of a study.

    Args:
        name: as the paper calls it.
        does: the same as a sentence or a formula; empty where the name says it.
        runs: folders of its trainings, of one seed each or several.
        paper: what is printed there, by column: "25.03", "fail".
    """

    name: str
    does: str
    runs: Sequence[Path]
    paper: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A study that has been trained.

    Args:
        name: such as "shortcuts".
        title: what is compared.
        entries: the settings, in the order of the paper.
        why: the trainings are as long as they are, as a sentence.
        notes: paragraphs on how to read it, such as where it differs from the paper.
        source: of the papers' numbers, and where they stand.
    """

    name: str
    title: str
    entries: Sequence[Entry]
    why: str
    notes: Sequence[str]
    source: str


@dataclass(frozen=True)
class Row:
    """An entry with the records of its trainings."""

    entry: Entry
    runs: list[Record]

    @property
    def finished(self) -> list[Record]:
        """The trainings that have a result."""
        return [run for run in self.runs if run.result is not None]

    def values(self, name: str) -> list[float]:
        """List a number of the results, where it is known."""
        found = [run.result[name] for run in self.finished if run.result is not None]
        return [value for value in found if value is not None]


def rows_of(sweep: Sweep) -> list[Row]:
    """Read the records of the settings that have trainings."""
    return [Row(entry, [read(run) for run in entry.runs]) for entry in sweep.entries if entry.runs]


def keep(folder: Path, sweep: Sweep, finding: str) -> None:
    """Write down what is compared, and what was found.

    Raises:
        RunError: the file cannot be written.
    """
    entries = [
        {
            "name": entry.name,
            "does": entry.does,
            "paper": dict(entry.paper),
            "runs": ["/".join(run.parts[-2:]) for run in entry.runs],
        }
        for entry in sweep.entries
    ]
    told = {"name": sweep.name, "title": sweep.title, "finding": finding, "why": sweep.why}
    told |= {"notes": list(sweep.notes), "source": sweep.source, "entries": entries}
    files.write(folder / FILE, json.dumps(told, indent=1) + "\n")


def kept(folder: Path) -> tuple[Sweep, str]:
    """Read what a study compares, and what it found.

    Raises:
        CheckpointError: it cannot be read.
    """
    path = folder / FILE
    try:
        told: dict[str, Any] = json.loads(path.read_text())
        entries = [
            Entry(runs=[folder / run for run in entry.pop("runs")], **entry)
            for entry in told.pop("entries")
        ]
        finding = told.pop("finding")
        return Sweep(**told, entries=entries), finding
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from None
