"""The page of one detector on two backbones: what each finds, by how much they differ.

Sources:
    [R] He et al., Deep Residual Learning for Image Recognition, arXiv:1512.03385, table 7.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from residua import files, plots
from residua.errors import CheckpointError
from residua.report import page
from residua.report.compared import Entry, Row, Sweep, keep
from residua.report.record import read
from residua.report.sweep import spread

# What the record of a detector's test has, and how it is called.
METRICS = {"test_map": "mAP@.5, area", "map_11point": "mAP@.5, 11-point", "coco_ap": "COCO AP"}


@dataclass(frozen=True, kw_only=True)
class Gain:
    """By how much the first backbone finds more than the second, in points of mAP@.5.

    Args:
        mean: over the seeds that both were trained with.
        low: of a seed.
        high: of a seed.
        n: seeds.
    """

    mean: float
    low: float
    high: float
    n: int


def write_backbone(folder: Path, entries: Sequence[Entry]) -> Path:
    """Draw one detector on two backbones, and write the page about them.

    Args:
        folder: gets `report.html`, `compared.json`, `figure.svg` and `figure.png`.
        entries: of both, with their trainings, the one that is expected to be better first.

    Returns:
        The page.

    Raises:
        CheckpointError: no training of one of them has come to its end.
        RunError: the files cannot be written.
    """
    rows = [Row(entry, [read(run) for run in entry.runs]) for entry in entries]
    unfinished = [row.entry.name for row in rows if not row.finished]
    if unfinished:
        raise CheckpointError(f"no training of {' and '.join(unfinished)} has come to its end")
    note, found = _note(rows), gain(*map(_by_seed, rows))
    keep(folder, _study(entries, rows), finding(found))
    drawn = [_dots(row) for row in rows]
    picture, pixels = plots.dots_for_slides(drawn, note=note, metric="mAP@.5")
    files.write(folder / "figure.svg", picture)
    files.write(folder / "figure.png", pixels)
    values = {
        "finding": finding(found),
        "gain": found,
        "rows": rows,
        "metrics": METRICS,
        "first": rows[0].runs[0],
        "start": rows[0].runs[0].start,
        "unfinished": [(row, run) for row in rows for run in row.runs if run.result is None],
        "figure": plots.dots(drawn, note=note, metric="mAP@.5"),
        "narrow": plots.dots(drawn, note=note, narrow=True, metric="mAP@.5"),
        "spread": spread,
        "pages": {run.folder: _place(run.folder, folder) for row in rows for run in row.runs},
        "paper": _paper(rows),
    }
    return page.write(folder, "backbone.html", values)


def gain(one: Mapping[int, float], other: Mapping[int, float]) -> Gain | None:
    """Compare both, the mAP by seed; None if no seed came to its end with both."""
    found = [one[seed] - other[seed] for seed in sorted(one.keys() & other.keys())]
    if not found:
        return None
    return Gain(mean=statistics.mean(found), low=min(found), high=max(found), n=len(found))


def finding(found: Gain | None) -> str:
    """Say in one line by how much the residual backbone finds more."""
    if found is None:
        return "no seed came to its end on both backbones"
    told = f"the residual backbone: {page.points(found.mean)} points of mAP@.5"
    if found.n == 1:
        return f"{told} (n = 1 seed, which tells little)"
    return (
        f"{told} (mean of n = {found.n} seeds, from {page.points(found.low)} to "
        f"{page.points(found.high)})"
    )


def _study(entries: Sequence[Entry], rows: Sequence[Row]) -> Sweep:
    until = rows[0].runs[0].start["until"]
    return Sweep(
        name="backbone",
        title="one detector on two backbones",
        entries=entries,
        why=f"{until:,} updates, as long as the recipe",
        notes=["The paper has other networks and other pictures: compare the order."],
        source="The paper's numbers are the mAP of table 7 of He et al. 2015.",
    )


def _by_seed(row: Row) -> Mapping[int, float]:
    return {run.result["seed"]: run.result["test_map"] for run in row.finished if run.result}


def _dots(row: Row) -> plots.Dots:
    return plots.Dots(
        name=row.entry.name,
        values=row.values("test_map"),
        paper={column: float(printed) for column, printed in row.entry.paper.items()},
        words=row.entry.paper,
    )


def _note(rows: Sequence[Row]) -> str:
    counts = " and ".join(str(len(row.finished)) for row in rows)
    train, _, test = rows[0].runs[0].start["sizes"]
    return (
        f"filled: means, open: every training (n = {counts}), {train:,} made scenes to learn from, "
        f"{test:,} to test on"
    )


def _place(run: Path, folder: Path) -> str:
    return (run.relative_to(folder) / page.FILE).as_posix() if run.is_relative_to(folder) else ""


def _paper(rows: Sequence[Row]) -> float:
    one, other = (float(next(iter(row.entry.paper.values()))) for row in rows)
    return one - other
