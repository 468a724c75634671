"""The courses of trainings over one another: of each group the mean, and the range of its seeds."""

import math
import statistics
from collections.abc import Sequence

from residua import plots
from residua.comparison.compare import Comparison
from residua.comparison.groups import Group
from residua.events import Event

# As many lines as are told apart in grey; the first group is in every figure.
LINES = 5
NAME = 24


def curves(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Draw the courses of all groups, the first one with four others at a time.

    Returns:
        Of every figure what it shows, and its drawings for wide and for narrow windows.
    """
    first, *others = comparison.groups
    parts = [others[at : at + LINES - 1] for at in range(0, len(others), LINES - 1)] or [[]]
    drawn = []
    for number, part in enumerate(parts):
        groups = [first, *part]
        panels = _panels(groups, detectors=comparison.is_of_detectors)
        if panels:
            order, note = [_name(group) for group in groups], _note(groups)
            wide, narrow = (
                plots.profiles(
                    panels, name=f"courses{number}", note=note, order=order, narrow=is_narrow
                )
                for is_narrow in (False, True)
            )
            label = f"Courses of {', '.join(group.name for group in groups)}"
            drawn.append((label, wide, narrow))
    return drawn


def course(group: Group, name: str, *, learning: bool = False) -> plots.Profile | None:
    """Return mean and range of a number over the runs of a group, where all looked at it.

    Args:
        group: of runs.
        name: in the events of an epoch.
        learning: look as often as the training was looked at, where that is oftener.
    """
    rows = [run.record.learning if learning else run.record.rows for run in group.runs]
    known = [_points(each, name) for each in rows]
    shared = sorted(set.intersection(*map(set, known)))
    if not shared:
        return None
    at = {place: [points[place] for points in known] for place in shared}
    several = len(known) > 1
    return plots.Profile(
        name=_name(group),
        x=shared,
        mean=[statistics.fmean(values) for values in at.values()],
        low=[min(values) for values in at.values()] if several else (),
        high=[max(values) for values in at.values()] if several else (),
    )


def _points(rows: Sequence[Event], name: str) -> dict[int, float]:
    """Return what is a number, by iterations."""
    found = {row["iteration"]: row[name] for row in rows if row.get(name) is not None}
    return {at: value for at, value in found.items() if math.isfinite(value)}


def _panels(groups: Sequence[Group], *, detectors: bool) -> list[plots.Panel]:
    if detectors:
        listed = [
            ("training", "train_loss", "loss", False),
            ("validation", "validation_map", "mAP@.5, area (%)", True),
        ]
    else:
        listed = [
            ("training", "train_error", "error (%)", True),
            ("validation", "validation_error", "error (%)", True),
        ]
    panels = [
        plots.Panel(
            title=title,
            xlabel="iterations",
            ylabel=unit,
            profiles=[
                found
                for group in groups
                if (found := course(group, name, learning=title == "training"))
            ],
            percent=is_percent and detectors,
            errors=is_percent and not detectors,
        )
        for title, name, unit, is_percent in listed
    ]
    return [panel for panel in panels if panel.profiles]


def _name(group: Group) -> str:
    """Name a line: by what tells a group from others of its recipe, if all is too long."""
    recipe, comma, own = group.label.partition(", ")
    name = group.name
    if len(name) > NAME:
        name = f"{group.letter} {own if comma else recipe}"
    name = name if len(name) <= NAME else f"{name[: NAME - 1]}…"
    # Matplotlib takes what stands between dollars for mathematics.
    return name.replace("$", r"\$")


def _note(groups: Sequence[Group]) -> str:
    if all(len(group.runs) == 1 for group in groups):
        return "n = 1 training of each"
    counts = ", ".join(f"{group.letter} {len(group.runs)}" for group in groups)
    return (
        f"n = {counts} trainings; lines are means over the seeds, bands from the smallest to the "
        "largest"
    )
