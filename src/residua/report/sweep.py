"""The page of a sweep: settings of one choice beside one another and what a paper prints."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path

from residua import files, plots
from residua.errors import CheckpointError
from residua.report import compared, page
from residua.report.compared import Row, Sweep
from residua.report.convergence import descent
from residua.report.record import Record, read

# Levels of the training error whose iterations stand in the table, in percent.
LEVELS = (50.0, 10.0, 2.0)


def write_sweep(folder: Path, sweep: Sweep) -> Path:
    """Draw a sweep, and write the page about it.

    Args:
        folder: gets `report.html`, `figure.svg`, `figure.png` and `compared.json`.
        sweep: with at least one training.

    Returns:
        The page.

    Raises:
        CheckpointError: there is no training, or one has no record.
        RunError: the files cannot be written.
    """
    rows = [Row(entry, [read(run) for run in entry.runs]) for entry in sweep.entries if entry.runs]
    if not rows:
        raise CheckpointError(f"a study of {sweep.name} needs at least one run, got none")
    note = _note(rows)
    drawn = [_dots(row) for row in rows if row.finished]
    if drawn:
        picture, pixels = plots.dots_for_slides(drawn, note=note)
        files.write(folder / "figure.svg", picture)
        files.write(folder / "figure.png", pixels)
    found = finding(rows) or sweep.title
    compared.keep(folder, sweep, found)
    courses = [_course(row) for row in rows if row.finished and row.finished[0].learning]
    values = {
        "sweep": sweep,
        "finding": found,
        "printed": printed(rows),
        "rows": rows,
        "first": rows[0].runs[0],
        "start": rows[0].runs[0].start,
        "columns": list(dict.fromkeys(name for row in rows for name in row.entry.paper)),
        "levels": LEVELS,
        "dots": plots.dots(drawn, note=note) if drawn else "",
        "dots_narrow": plots.dots(drawn, note=note, narrow=True) if drawn else "",
        "courses": plots.courses(courses, note=note) if courses else "",
        "courses_narrow": plots.courses(courses, note=note, narrow=True) if courses else "",
        "unfinished": [(row, run) for row in rows for run in row.runs if run.result is None],
        "descents": [descent(row.entry.name, row.finished) for row in rows if row.finished],
        "spread": spread,
        "n": _counts(rows),
    }
    return page.write(folder, "sweep.html", values)


def spread(values: Sequence[float]) -> str:
    """Say a value, or mean ± standard deviation of several."""
    if not values:
        return "none"
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}"


def finding(rows: Sequence[Row]) -> str:
    """Say which setting errs least here, and from how many it is not told apart."""
    ended = sorted((row for row in rows if row.finished), key=mean)
    if len(ended) < 2:
        return ""
    best, *others = ended
    told = f"{best.entry.name} errs least here, {spread(best.values('test_error'))} %"
    if min(len(row.finished) for row in ended) < 2:
        return f"{told}; one training of each tells little"
    alike = sum(not apart(best, other) for other in others)
    if not alike:
        return f"{told}, and is told apart from all others"
    which = "one other is" if alike == 1 else f"{alike} of {len(others)} others are"
    return f"{told}; {which} not told apart from it"


def mean(row: Row) -> float:
    """Return the mean test error of a setting that has a result."""
    return statistics.mean(row.values("test_error"))


def apart(one: Row, other: Row) -> bool:
    """Tell whether two means differ by more than two standard errors of their difference."""
    errors = [row.values("test_error") for row in (one, other)]
    variance = sum(statistics.variance(values) / len(values) for values in errors)
    return abs(mean(one) - mean(other)) > 2 * math.sqrt(variance)


def printed(rows: Sequence[Row]) -> list[str]:
    """Say which setting errs least in each column of the paper."""
    told: list[str] = []
    for column in dict.fromkeys(name for row in rows for name in row.entry.paper):
        values = {row.entry.name: number(row.entry.paper.get(column, "")) for row in rows}
        known = {name: value for name, value in values.items() if value is not None}
        if known:
            best = min(known, key=lambda name: known[name])
            told.append(f"{best} ({column}, {known[best]:.2f} %)")
    return told


def number(printed: str) -> float | None:
    """Read what a paper prints as a number; None where it is a word."""
    try:
        return float(printed)
    except ValueError:
        return None


def _dots(row: Row) -> plots.Dots:
    return plots.Dots(
        name=row.entry.name,
        values=row.values("test_error"),
        paper={column: number(printed) for column, printed in row.entry.paper.items()},
        words=row.entry.paper,
    )


def _course(row: Row) -> plots.Course:
    return plots.Course(
        name=row.entry.name,
        training=_means(row.finished, "train_error"),
        validation=_means(row.finished, "validation_error"),
    )


def _means(runs: Sequence[Record], name: str) -> list[tuple[int, float]]:
    rows = [run.learning if name == "train_error" else run.rows for run in runs]
    known = [{row["iteration"]: row[name] for row in each if name in row} for each in rows]
    shared = sorted(set.intersection(*map(set, known)))
    return [(at, statistics.mean(each[at] for each in known)) for at in shared]


def _note(rows: Sequence[Row]) -> str:
    start = rows[0].runs[0].start
    train, validation, test = start["sizes"]
    data = page.phrase(rows[0].runs[0].settings.get("data"))
    return (
        f"n = {_counts(rows)} trainings of each setting; {data}: {train:,} training, "
        f"{validation:,} validation and {test:,} test images"
    )


def _counts(rows: Sequence[Row]) -> str:
    counts = [len(row.finished) for row in rows]
    return f"{counts[0]}" if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"
