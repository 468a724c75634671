"""What the pages of all runs say of a training: its rates, its speed, and how to repeat it."""

import math
import statistics
from collections.abc import Iterator
from typing import Any

from residua import plots
from residua.report import page
from residua.report.manner import manner
from residua.report.record import Record


def told(run: Record) -> dict[str, Any]:
    """Return what the shared parts of a page are filled with."""
    from residua.report.claims import claims

    return {
        "run": run,
        "start": run.start,
        "look": _last_look(run),
        "rates": _rates(run),
        "shown": _shown(run),
        "speed": _speed(run),
        "manner": manner(run.settings, processes=run.start["environment"].get("processes", 1)),
        "claims": claims(run),
        "commands": _commands(run),
    }


def _shown(run: Record) -> int:
    """Count the images that are learned from in all, each as often as it is shown."""
    sizes = run.settings.get("step_batches") or ()
    if not sizes:
        return run.until * run.start["batch_size"]
    steps = run.settings["schedule"]["parts"]
    return sum(step["until"] * size for step, size in zip(steps, sizes, strict=True))


def _last_look(run: Record) -> dict[str, Any] | None:
    """Return the epoch whose weights were tested, or the last one, with the updates it took."""
    at = run.result["selected_iteration"] if run.result else run.iteration
    before = 0
    for row in run.rows:
        if row["iteration"] == at:
            return {**row, "updates": at - before}
        before = row["iteration"]
    return None


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
