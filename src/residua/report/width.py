"""The page of a wide and a deep network: error beside time."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from residua import files, plots
from residua.errors import CheckpointError
from residua.report import compared, page
from residua.report.compared import Row, Sweep
from residua.report.record import read
from residua.report.sweep import spread


@dataclass(frozen=True, kw_only=True)
class NetTime:
    """How long a net takes, in seconds, in each of several rounds.

    Args:
        name: of the net.
        batch_size: pictures of an update, and of the larger inference.
        update: one update of the training.
        one: inference of one picture.
        many: inference of a batch.
    """

    name: str
    batch_size: int
    update: tuple[float, ...]
    one: tuple[float, ...]
    many: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One thing that was timed, of both nets.

    Args:
        what: was timed.
        milliseconds: of the wide and of the deep net, medians over the rounds.
        ratio: deep by wide, median of the rounds.
        low: smallest ratio of a round.
        high: largest.
    """

    what: str
    milliseconds: tuple[float, float]
    ratio: float
    low: float
    high: float


def write_width(
    folder: Path,
    sweep: Sweep,
    times: Sequence[NetTime],
    *,
    environment: Mapping[str, object],
    command: str,
) -> Path:
    """Draw a wide and a deep net, and write the page about them.

    Args:
        folder: gets `report.html`, `times.json`, `figure.svg` and `figure.png`.
        sweep: both nets trained, the wide one first.
        times: of both, in that order.
        environment: of the measurement of the times.
        command: that repeats it.

    Returns:
        The page.

    Raises:
        CheckpointError: no training of one of them has come to its end.
        RunError: the files cannot be written.
    """
    rows = [Row(entry, [read(run) for run in entry.runs]) for entry in sweep.entries]
    unfinished = [row.entry.name for row in rows if not row.finished]
    if unfinished:
        raise CheckpointError(f"no training of {' and '.join(unfinished)} has come to its end")
    timed = compare(*times)
    drawn, note = _dots(rows), _note(rows, len(times[0].update))
    picture, pixels = plots.width_for_slides(drawn, _bars(timed, rows), note=note)
    files.write(folder / "figure.svg", picture)
    files.write(folder / "figure.png", pixels)
    record = {"environment": dict(environment), "nets": [asdict(each) for each in times]}
    files.write(folder / "times.json", json.dumps(record, indent=1) + "\n")
    found = finding(rows, timed[0])
    compared.keep(folder, sweep, " ".join([f"{found}.", *verdict(rows, timed)]))
    values = {
        "sweep": sweep,
        "finding": found,
        "verdict": verdict(rows, timed),
        "rows": rows,
        "timed": timed,
        "times": times,
        "share": rows[0].runs[0].parameters / rows[1].runs[0].parameters - 1,
        "first": rows[0].runs[0],
        "start": rows[0].runs[0].start | {"environment": environment},
        "figure": plots.width(drawn, _bars(timed, rows), note=note),
        "narrow": plots.width(drawn, _bars(timed, rows), note=note, narrow=True),
        "spread": spread,
        "n": min(len(row.finished) for row in rows),
        "command": command,
    }
    return page.write(folder, "width.html", values)


def compare(wide: NetTime, deep: NetTime) -> list[Timed]:
    """Compare the times of two nets, round by round."""
    return [
        _timed(f"an update of {wide.batch_size} pictures", wide.update, deep.update),
        _timed(f"inference, {wide.batch_size} pictures", wide.many, deep.many),
        _timed("inference, 1 picture", wide.one, deep.one),
    ]


def finding(rows: Sequence[Row], update: Timed) -> str:
    """Say in one line what both nets err, and how long an update of each takes."""
    wide, deep = (statistics.mean(row.values("test_error")) for row in rows)
    names = " against ".join(row.entry.name for row in rows)
    fast, slow = update.milliseconds
    return (
        f"{names}: test error {wide:.1f} against {deep:.1f} %, an update takes {fast:.0f} against "
        f"{slow:.0f} ms"
    )


def verdict(rows: Sequence[Row], timed: Sequence[Timed]) -> list[str]:
    """Say whether width is the cheaper way here: the errors, then the times."""
    wide, deep = (row.values("test_error") for row in rows)
    names = [row.entry.name for row in rows]
    gap = statistics.mean(wide) - statistics.mean(deep)
    reach = [f"{min(errors):.1f} to {max(errors):.1f}" for errors in (wide, deep)]
    better = names[0] if gap < 0 else names[1]
    apart = max(wide) < min(deep) or max(deep) < min(wide)
    if len(wide) < 2 or len(deep) < 2:
        errors = f"Of one training each, {better} errs less by {abs(gap):.1f} points"
    elif apart:
        errors = f"Every training of {better} errs less than every one of the other"
    else:
        errors = "The errors of the seeds overlap, so neither net is shown to be the better"
    told = [
        f"{errors} ({names[0]}: {reach[0]} %, {names[1]}: {reach[1]} %; means differ by "
        f"{page.points(gap)} points)."
    ]
    update = timed[0]
    if update.low > 1:
        told.append(
            f"In every round an update of the deep net took longer, {update.ratio:.2f} times "
            f"({update.low:.2f} to {update.high:.2f}) as long as one of the wide net: here width "
            "is the cheaper way to these parameters."
        )
    elif update.high < 1:
        told.append(
            f"In every round an update of the wide net took longer; the deep one took "
            f"{update.ratio:.2f} times ({update.low:.2f} to {update.high:.2f}) its time: here "
            "width is not the cheaper way."
        )
    else:
        told.append(
            f"An update of the deep net took {update.ratio:.2f} times as long, but the rounds do "
            f"not agree ({update.low:.2f} to {update.high:.2f})."
        )
    return told


def _timed(what: str, wide: Sequence[float], deep: Sequence[float]) -> Timed:
    ratios = [slow / fast for fast, slow in zip(wide, deep, strict=True)]
    return Timed(
        what=what,
        milliseconds=(1e3 * statistics.median(wide), 1e3 * statistics.median(deep)),
        ratio=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
    )


def _dots(rows: Sequence[Row]) -> dict[str, list[float]]:
    return {row.entry.name: row.values("test_error") for row in rows}


def _bars(timed: Sequence[Timed], rows: Sequence[Row]) -> plots.TimesOfNets:
    return {
        each.what: dict(zip([row.entry.name for row in rows], each.milliseconds, strict=True))
        for each in timed
    }


def _note(rows: Sequence[Row], rounds: int) -> str:
    counts = " and ".join(str(len(row.finished)) for row in rows)
    start = rows[0].runs[0].start
    return (
        f"filled: means, open: every training (n = {counts}), {start['sizes'][2]:,} test images; "
        f"times: medians of {rounds} rounds, the nets in turn"
    )
