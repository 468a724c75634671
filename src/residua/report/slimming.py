"""The page of a slimmed run: what each residual function is missed, and before against after."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from residua import files
from residua.plots.missed import missed
from residua.report import page


@dataclass(frozen=True, kw_only=True)
class Side:
    """A net before or after.

    Args:
        test_error: in percent; None if it was not tested.
        blocks: residual functions in it.
        parameters: trainable numbers.
        multiply_adds: of one picture.
        milliseconds: of one picture.
    """

    test_error: float | None
    blocks: int
    parameters: int
    multiply_adds: int
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class SlimmingRecord:
    """What the page shows.

    Args:
        title: which run was slimmed.
        chosen_with: the pictures that errors below are of, in words.
        whole: error with all functions, in percent.
        alone: error without each of them that can be left out, in the order of depth.
        left_out: errors without those that were, in their order, each with those before it.
        before: the net of the run.
        after: the slimmer net, trained on.
        batch: pictures at a time when the time was measured.
        test_count: pictures of the test errors.
        run: folder of the training that followed.
    """

    title: str
    chosen_with: str
    whole: float
    alone: Mapping[str, float]
    left_out: Mapping[str, float]
    before: Side
    after: Side
    batch: int
    test_count: int
    run: str


def write_slimming(
    folder: Path, record: SlimmingRecord, *, environment: Mapping[str, object], command: str
) -> Path:
    """Write the page, and `slimming.json` with its numbers.

    Args:
        folder: that gets both.
        record: what was measured.
        environment: of the measurement.
        command: that repeats it.
    """
    facts = {"environment": dict(environment), **asdict(record)}
    files.write(folder / "slimming.json", json.dumps(facts, indent=1) + "\n")
    drawn = (
        [name.removeprefix("stages.") for name in record.alone],
        list(record.alone.values()),
        [name in record.left_out for name in record.alone],
        record.whole,
    )
    values = {
        "title": record.title,
        "finding": finding(record),
        "record": record,
        "rows": rows(record),
        "figure": missed(*drawn),
        "narrow": missed(*drawn, narrow=True),
        "start": {"environment": environment},
        "command": command,
    }
    return page.write(folder, "slimming.html", values)


def finding(record: SlimmingRecord) -> str:
    """Say in one line what was gained and what it cost."""
    before, after = record.before, record.after
    less = (
        _less(before.multiply_adds, after.multiply_adds, "fewer") + " multiply-adds",
        _less(before.milliseconds, after.milliseconds, "less") + " time",
    )
    functions = f"{len(record.left_out)} of {before.blocks} residual functions left out"
    if before.test_error is None or after.test_error is None:
        return f"{functions}: {' and '.join(less)}"
    change = page.points(after.test_error - before.test_error)
    return f"{functions}: {' and '.join(less)}, {change} points of test error"


def rows(record: SlimmingRecord) -> Sequence[tuple[str, ...]]:
    """List what is compared: words, before, after."""
    sides = record.before, record.after
    return [
        ("test error, %", *(_error(side.test_error) for side in sides)),
        ("residual functions", *(f"{side.blocks}" for side in sides)),
        ("parameters", *(f"{side.parameters:,}" for side in sides)),
        ("multiply-adds, million", *(f"{side.multiply_adds / 1e6:,.1f}" for side in sides)),
        ("ms per picture", *(f"{side.milliseconds:.3g}" for side in sides)),
    ]


def _error(error: float | None) -> str:
    return "not tested" if error is None else f"{error:.2f}"


def _less(before: float, after: float, word: str) -> str:
    change = 100 * (1 - after / before)
    return f"{abs(change):.0f} % {word if change >= 0 else 'more'}"
