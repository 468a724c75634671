"""The page of one run: of a classifier here, of a detector in `detection_run`."""

import math
from pathlib import Path
from typing import Any

from residua import plots
from residua.report import detection_run, page
from residua.report.course import told
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
    run = read(folder)
    if run.start.get("task") == "detection":
        return detection_run.write(run)
    from residua.evaluate.tally import by_class

    values = {
        **told(run),
        "title": headline(run),
        "outcome": _outcome(run),
        "curves": _curves(run),
        "augmented": f"augmentation {page.phrase(run.settings['augment'])}",
        "confusion": _confusion(run),
        "pairs": confused_pairs(run),
        "by_class": by_class(run.result["confusion"], run.start["classes"]) if run.result else [],
        "pixelated": max(run.start["shape"][1:]) <= SMALL_PICTURE,
        "seen": "name what is on a picture",
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


def _confusion(run: Record) -> str:
    if run.result is None or len(run.start["classes"]) > FIGURE_CLASSES:
        return ""
    return plots.confusion(run.result["confusion"], run.start["classes"])
