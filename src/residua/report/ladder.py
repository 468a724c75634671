"""The page of a detector's ladder: what each rung changes, and what it costs.

Sources:
    [R] He et al., Deep Residual Learning for Image Recognition, arXiv:1512.03385, table 9.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from residua import files, plots
from residua.errors import RunError
from residua.report import page

# Table 9 of [R]: COCO, ResNet-101, trained on train and tested on val; mAP in percent.
PAPER = (
    ("baseline", 48.4, 27.2),
    ("+ box refinement", 49.9, 29.9),
    ("+ global context", 51.1, 30.0),
    ("+ multi-scale testing", 53.8, 32.5),
)


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One way of testing a detector, and what came of it.

    Args:
        name: what it adds to the rung before it.
        does: the same as a sentence.
        nms: IoU at which detections are suppressed.
        numbers: of each metric, in percent.
        seconds: per picture.
        detections: per picture.
    """

    name: str
    does: str
    nms: float
    numbers: Mapping[str, float]
    seconds: float
    detections: float


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """What was measured on one set of pictures.

    Args:
        rungs: each with all that the rungs before it add.
        suppressed: the last rung of one net at one scale, at several values of `nms`.
        pictures: how many.
        notes: sentences on what could not be measured, or is otherwise than one expects.
    """

    rungs: Sequence[Rung]
    suppressed: Sequence[Rung]
    pictures: int
    notes: Sequence[str] = ()

    @property
    def metrics(self) -> list[str]:
        """The names of the numbers, the one that sums up first."""
        return list(self.rungs[0].numbers)


def write_ladder(
    folder: Path, ladder: Ladder, *, title: str, environment: Mapping[str, object], command: str
) -> Path:
    """Draw a ladder, and write the page about it.

    Args:
        folder: gets `report.html`, `ladder.json`, `figure.svg` and `figure.png`.
        ladder: what was measured.
        title: which detector on which pictures.
        environment: of the measurement.
        command: that repeats it.

    Returns:
        The page.

    Raises:
        RunError: there is no rung, or the files cannot be written.
    """
    if not ladder.rungs:
        raise RunError(f"{folder}: a ladder needs at least one rung, got none")
    drawn = _drawing(ladder)
    picture, pixels = plots.ladder_for_slides(**drawn)
    files.write(folder / "figure.svg", picture)
    files.write(folder / "figure.png", pixels)
    record = {"title": title, "environment": dict(environment), **asdict(ladder)}
    files.write(folder / "ladder.json", json.dumps(record, indent=1) + "\n")
    values = {
        "title": title,
        "finding": finding(ladder),
        "ladder": ladder,
        "steps": steps(ladder),
        "figure": plots.ladder(**drawn),
        "narrow": plots.ladder(**drawn, narrow=True),
        "suppression": _suppression(ladder),
        "paper": PAPER,
        "start": {"environment": environment},
        "command": command,
    }
    return page.write(folder, "ladder.html", values)


def finding(ladder: Ladder) -> str:
    """Say in one line what all rungs together change, and which of them changes most."""
    first, last, metric = ladder.rungs[0], ladder.rungs[-1], ladder.metrics[0]
    if len(ladder.rungs) == 1:
        return f"{metric} {first.numbers[metric]:.1f} %"
    whole = last.numbers[metric] - first.numbers[metric]
    best, change = max(steps(ladder)[1:], key=lambda step: step[1][metric])
    name, gain = best.name.removeprefix("+ "), change[metric]
    most = f"the most by {name} ({page.points(gain)})" if gain > 0 else "no rung of which gains"
    return (
        f"{metric} from {first.numbers[metric]:.1f} to {last.numbers[metric]:.1f} %: "
        f"{page.points(whole)} points, {most}"
    )


def steps(ladder: Ladder) -> list[tuple[Rung, dict[str, float]]]:
    """Give each rung with what it changes in every metric, in points."""
    result: list[tuple[Rung, dict[str, float]]] = []
    before = ladder.rungs[0]
    for rung in ladder.rungs:
        change = {name: value - before.numbers[name] for name, value in rung.numbers.items()}
        result.append((rung, change))
        before = rung
    return result


def _drawing(ladder: Ladder) -> dict[str, Any]:
    return {
        "rungs": [rung.name for rung in ladder.rungs],
        "values": _rows(ladder.rungs, ladder.metrics),
        "note": f"{ladder.pictures:,} pictures; every rung keeps what the rungs above it added",
    }


def _suppression(ladder: Ladder) -> str:
    thresholds = [rung.nms for rung in ladder.suppressed]
    if len(thresholds) < 2:
        return ""
    return plots.suppression(thresholds, _rows(ladder.suppressed, ladder.metrics))


def _rows(rungs: Sequence[Rung], metrics: Sequence[str]) -> dict[str, list[float]]:
    """Give the first three metrics, as many as can be told apart."""
    return {name: [rung.numbers[name] for rung in rungs] for name in metrics[:3]}
