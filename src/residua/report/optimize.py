"""The page of an optimized net: speed, memory and accuracy of every engine that was tried."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from residua import files
from residua.config import settings
from residua.plots.engines import Speed, engines
from residua.report import page

FILE = "optimize.html"

Status = Literal["reference", "picked", "passed", "inaccurate", "failed", "absent"]


@settings
class Row:
    """What became of one engine.

    Attributes:
        name: such as "OpenVINO int8".
        status: "reference" is the net as it is in PyTorch, "passed" was accurate enough and not the
            fastest, "inaccurate" broke the budget, "absent" could not be tried here.
        why: of what was not tried, failed or was not accurate enough: the reason, in words.
        milliseconds: of a batch, the median over the rounds, for each number of pictures.
        quartiles: of the rounds, likewise.
        peak_bytes: of main memory, of a process that does nothing else; 0 where nobody tells.
        file_bytes: of what is written.
        seconds_to_open: in a process of its own, imports included.
        agreement: share of pictures for which it says the same class as the net, in percent.
        error: in percent; None where labels are not known.
        change: points of error above the net's.
    """

    name: str
    status: Status
    why: str = ""
    milliseconds: tuple[float, ...] = ()
    quartiles: tuple[tuple[float, float], ...] = ()
    peak_bytes: int = 0
    file_bytes: int = 0
    seconds_to_open: float | None = None
    agreement: float | None = None
    error: float | None = None
    change: float | None = None


@dataclass(frozen=True, kw_only=True)
class OptimizeRecord:
    """What the page shows.

    Args:
        title: what was optimized.
        rows: the net as it is, then every engine.
        batch_sizes: pictures at a time.
        rounds: of the measurement.
        checked_on: the pictures of the accuracy, in words.
        budget: points of error that an engine may cost.
        calibration: the pictures that int8 took its ranges from, in words.
        use: commands that use the folder.
    """

    title: str
    rows: Sequence[Row]
    batch_sizes: tuple[int, ...]
    rounds: int
    checked_on: str
    budget: float
    calibration: str
    use: Sequence[tuple[str, str]]


def write_optimize(
    folder: Path, record: OptimizeRecord, *, environment: Mapping[str, object], command: str
) -> Path:
    """Write the page.

    Args:
        folder: that gets it.
        record: what was measured.
        environment: of the measurement.
        command: that repeats it.
    """
    reference = record.rows[0]
    drawn = [
        Speed(row.name, speedups(row, reference), row.status != "inaccurate")
        for row in record.rows
        if row.milliseconds
    ]
    values = {
        "title": record.title,
        "finding": finding(record),
        "record": record,
        "rows": [_cells(row, reference, record.batch_sizes) for row in record.rows],
        "figure": engines(drawn, record.batch_sizes),
        "narrow": engines(drawn, record.batch_sizes, narrow=True),
        "start": {"environment": environment},
        "command": command,
    }
    path = folder / FILE
    files.write(path, page.filled("optimize.html", values))
    return path


def speedups(row: Row, reference: Row) -> list[float]:
    """Say how many times as fast an engine is as the net as it is, for each number of pictures."""
    pairs = zip(reference.milliseconds, row.milliseconds, strict=True)
    return [theirs / own for theirs, own in pairs]


def speedup(row: Row, reference: Row) -> float:
    """Give the geometric mean of the speedups over all numbers of pictures."""
    return math.prod(speedups(row, reference)) ** (1 / len(row.milliseconds))


def finding(record: OptimizeRecord) -> str:
    """Say in one line what is fastest, by how much, and what it costs."""
    picked = next(row for row in record.rows if row.status == "picked")
    ratios = zip(speedups(picked, record.rows[0]), record.batch_sizes, strict=True)
    told = [f"{ratio:.1f} with {size} picture{'' if size == 1 else 's'}" for ratio, size in ratios]
    told[0] = told[0].replace(" with", " times as fast with")
    return f"{picked.name}: {', '.join(told)}, {cost(picked)}"


def cost(row: Row) -> str:
    """Say what an engine changes: points of error, or how often it agrees with the net."""
    if row.change is None:
        return f"agrees with the net on {row.agreement:.2f} %"
    change = signed(row.change)
    return "the same error" if change == "0.00" else f"{change} points of error"


def signed(value: float) -> str:
    """Write a difference with its sign; what rounds to nothing has none."""
    text = f"{value:+.2f}"
    return "0.00" if text in {"+0.00", "-0.00"} else text


def verdict(row: Row) -> str:
    """Say what became of an engine."""
    words = {"reference": "as it is", "picked": "picked", "passed": "accurate, slower"}
    return words.get(row.status) or f"{row.status.replace('absent', 'not here')}: {row.why}"


def speeds(row: Row, reference: Row, batch_sizes: Sequence[int]) -> list[str]:
    """Write how fast and large an engine that was timed is.

    Milliseconds and ratio of each number of pictures; then pictures a second at the largest, and
    memory in MB.
    """
    timed = [
        text
        for time, ratio in zip(row.milliseconds, speedups(row, reference), strict=True)
        for text in (f"{time:.3g}", f"{ratio:.2f}")
    ]
    largest = max(range(len(batch_sizes)), key=lambda place: batch_sizes[place])
    rate = 1000 * batch_sizes[largest] / row.milliseconds[largest]
    return [*timed, page.speed(rate), megabytes(row.peak_bytes)]


def accuracies(row: Row) -> list[str]:
    """Write agreement, error and its change, empty where they are not known."""
    return [
        "" if row.agreement is None else f"{row.agreement:.2f}",
        "" if row.error is None else f"{row.error:.2f}",
        "" if row.change is None else signed(row.change),
    ]


def _cells(row: Row, reference: Row, batch_sizes: Sequence[int]) -> dict[str, object]:
    middle = [
        f"{low:.3g} to {high:.3g} ms with {size}"
        for (low, high), size in zip(row.quartiles, batch_sizes, strict=False)
    ]
    return {
        "name": row.name,
        "speeds": speeds(row, reference, batch_sizes) if row.milliseconds else [],
        "files": megabytes(row.file_bytes),
        "open": "" if row.seconds_to_open is None else f"{row.seconds_to_open:.1f}",
        "accuracies": accuracies(row),
        "verdict": verdict(row),
        "picked": row.status == "picked",
        "middle": "; ".join(middle),
    }


def megabytes(count: int) -> str:
    """Write bytes as MB; what is not known is empty."""
    return f"{count / 1e6:,.0f}" if count >= 1e7 else f"{count / 1e6:.1f}" if count else ""
