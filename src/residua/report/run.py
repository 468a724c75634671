"""The page of one run."""

import math
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from residua import plots
from residua.report import page
from residua.report.manner import manner
from residua.report.record import Record, read

FIGURE_CLASSES = 20
PAIRS_SHOWN = 20
SMALL_PICTURE = 64


def write(folder: Path) -> Path:
    """Write the page of a run from its record, whether or not it has come to its end.

    Returns:
        The page, `report.html` in the folder.

    Raises:
        CheckpointError: the folder has no record.
        RunError: the page cannot be written.
    """
    from residua.evaluate.tally import by_class
    from residua.report.claims import claims

    run = read(folder)
    values = {
        "run": run,
        "title": headline(run),
        "outcome": _outcome(run),
        "look": _last_look(run),
        "curves": _curves(run),
        "rates": _rates(run),
        "confusion": _confusion(run),
        "pairs": confused_pairs(run),
        "by_class": by_class(run.result["confusion"], run.start["classes"]) if run.result else [],
        "speed": _speed(run),
        "manner": manner(run.settings, processes=run.start["environment"].get("processes", 1)),
        "pixelated": max(run.start["shape"][1:]) <= SMALL_PICTURE,
        "claims": claims(run),
        "commands": _commands(run),
    }
    return page.write(folder, "run.html", values)


def headline(run: Record) -> str:
    """Say the result, or that there is none, in the words of the command line."""
    if run.result is None:
        return f"no test error: stopped after iteration {run.iteration:,} of {run.until:,}"
    error, count = run.result["test_error"], run.result["test_count"]
    return f"test error {error:.1f} % ({count} images, seed {run.result['seed']})"


def interval(wrong: int, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of an error rate, in percent.

    Args:
        wrong: pictures.
        count: pictures that were drawn independently.
    """
    z, share = 1.96, wrong / count
    center = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 100 / (1 + z * z / count)
    return max(0.0, (center - half) * scale), min(100.0, (center + half) * scale)


def confused_pairs(run: Record) -> list[dict[str, Any]]:
    """List which class was most often taken for which, most often first."""
    if run.result is None:
        return []
    names = run.start["classes"]
    pairs = [
        {"label": names[row], "predicted": names[column], "count": count, "of": sum(line)}
        for row, line in enumerate(run.result["confusion"])
        for column, count in enumerate(line)
        if count and row != column
    ]
    return sorted(pairs, key=lambda pair: -pair["count"])[:PAIRS_SHOWN]


def _outcome(run: Record) -> dict[str, Any] | None:
    if run.result is None:
        return None
    confusion = run.result["confusion"]
    total = sum(map(sum, confusion))
    wrong = total - sum(line[index] for index, line in enumerate(confusion))
    low, high = interval(wrong, total)
    return {
        **run.result,
        "wrong": wrong,
        "low": low,
        "high": high,
        "best": run.settings.get("select") == "best",
        "explained": any("evidence" in mistake for mistake in run.result["mistakes"]),
    }


def _last_look(run: Record) -> dict[str, Any] | None:
    """Return the epoch whose weights were tested, or the last one, with the updates it took."""
    at = run.result["selected_iteration"] if run.result else run.iteration
    before = 0
    for row in run.rows:
        if row["iteration"] == at:
            return {**row, "updates": at - before}
        before = row["iteration"]
    return None


def _curves(run: Record) -> dict[str, str]:
    if not run.rows:
        return {}
    points = {
        name: [(row["iteration"], row[name]) for row in run.rows if name in row]
        for name in ("train_error", "validation_error", "train_loss", "validation_loss")
    }
    tested = (run.result["selected_iteration"], run.result["test_error"]) if run.result else None
    return {
        "errors": plots.errors(
            points["train_error"], points["validation_error"], until=run.until, test=tested
        ),
        "losses": plots.losses(points["train_loss"], points["validation_loss"], until=run.until),
    }


def _rates(run: Record) -> str:
    planned = [point for phase in run.start["plan"] for point in _phase(phase)]
    used = [(row["iteration"] - 1, row["lr"]) for row in run.rows]
    return plots.rates(planned, used, until=run.until)


def _phase(phase: dict[str, Any]) -> Iterator[tuple[float, float]]:
    """Yield iterations and rates of a phase: half a cosine, a straight line, or a gap."""
    if phase.get("open"):
        yield phase["start"], math.nan
        return
    first, last = phase["first_rate"], phase["last_rate"]
    length = max(1, phase["stop"] - 1 - phase["start"])
    for step in range(41):
        done = step / 40
        share = (1 - math.cos(math.pi * done)) / 2 if phase["what"] == "cosine" else done
        yield phase["start"] + done * length, first + (last - first) * share


def _confusion(run: Record) -> str:
    if run.result is None or len(run.start["classes"]) > FIGURE_CLASSES:
        return ""
    return plots.confusion(run.result["confusion"], run.start["classes"])


def _speed(run: Record) -> float | None:
    found = [row["images_per_second"] for row in run.rows]
    return statistics.median(found) if found else None


def _commands(run: Record) -> dict[str, str]:
    rebuilt = all(run.settings.get(part, {}).get("kind") != "given" for part in ("net", "data"))
    return {
        "first": run.start["command"],
        "repeat": page.command("residua", "train", run.folder / "config.yaml") if rebuilt else "",
        "resume": page.command("residua", "train", "--resume", run.folder),
        "evaluate": page.command("residua", "evaluate", run.folder),
        "predict": f"{page.command('residua', 'predict', run.folder)} picture.png",
    }
