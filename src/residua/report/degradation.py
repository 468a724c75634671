"""The page of the degradation study: plain networks beside residual ones and others, by depth.

Sources:
    [R] He et al., Deep Residual Learning for Image Recognition, arXiv:1512.03385.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from residua import files, plots
from residua.errors import CheckpointError
from residua.report import compared, page
from residua.report.compared import Entry, Sweep
from residua.report.convergence import convergence
from residua.report.record import Record, read
from residua.report.twins import FAMILIES, NAMES, Twin, compare, families, group, matched


def write_degradation(
    folder: Path,
    runs: Sequence[Path],
    *,
    why: str | None = None,
    inside: Sequence[plots.Layers] = (),
    inside_note: str = "",
) -> Path:
    """Draw plain and residual networks of several depths, and write the page about them.

    Args:
        folder: gets `report.html`, `figure.svg`, `figure.png` and `compared.json`.
        runs: folders of plain and residual networks, of one seed each or several.
        why: the trainings are as long as they are, as a sentence.
        inside: responses and gradients of networks by layer, where they were measured.
        inside_note: how they were.

    Returns:
        The page.

    Raises:
        CheckpointError: there is no run, one has no record, or its network is of neither family.
        RunError: the files cannot be written.
    """
    if not runs:
        raise CheckpointError("a degradation study needs at least one run, got none")
    twins = group([read(run) for run in runs])
    drawing = _drawing(twins)
    if drawing:
        picture, pixels = plots.degradation_for_slides(**drawing)
        files.write(folder / "figure.svg", picture)
        files.write(folder / "figure.png", pixels)
    compared.keep(folder, _sweep(twins, why), f"{finding(twins)}. {sentence(twins)}")
    values = {
        "title": _title(twins),
        "finding": finding(twins),
        "twins": twins,
        "families": families(twins),
        "why": why,
        "convergence": convergence(twins),
        "inside_note": inside_note,
        "inside": plots.layers(inside) if inside else "",
        "inside_narrow": plots.layers(inside, stacked=True) if inside else "",
        "first": twins[0].runs[0],
        "figure": plots.degradation(**drawing) if drawing else "",
        "stacked": plots.degradation(**drawing, stacked=True) if drawing else "",
        "depths": _depths(twins),
        "sentence": sentence(twins),
        "steps": compare(twins),
        "matched": matched(twins),
        "unfinished": [run for twin in twins for run in twin.runs if run.result is None],
        "spread": spread,
    }
    return page.write(folder, "degradation.html", values)


def spread(values: Sequence[float]) -> str:
    """Say a value, or mean ± standard deviation of several."""
    if not values:
        return "no result"
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}"


def sentence(twins: Sequence[Twin]) -> str:
    """Say with which training error each network ends, the deepest of each family first."""
    parts: list[str] = []
    for family in NAMES:
        ended = [twin for twin in reversed(twins) if twin.family == family and twin.finished]
        words = [f"{twin.name} at {twin.mean('train_error'):.1f} %" for twin in ended]
        parts += [", ".join(words)] if words else []
    if not parts:
        return "No training has come to its end."
    first, percent, rest = "; ".join(parts).partition(" %")
    counts = _range([len(twin.finished) for twin in twins if twin.finished])
    n = "one training each" if counts == "1" else f"means of n = {counts} trainings each"
    return f"{first.replace(' at ', ' ends at ')}{percent} training error{rest} ({n})."


def finding(twins: Sequence[Twin]) -> str:
    """Say in one line what depth does to both families, or what is studied if that is open."""
    steps = compare(twins)
    if not set(FAMILIES) <= set(steps):
        return _title(twins)
    plain, residual = (steps[family] for family in FAMILIES)
    return (
        f"{plain['shallow']} to {plain['deep']} layers: {page.points(plain['train_error'])} points "
        f"of training error without shortcuts, {page.points(residual['train_error'])} with them"
    )


def _sweep(twins: Sequence[Twin], why: str | None) -> Sweep:
    entries = [
        Entry(name=twin.name, does="", runs=[run.folder for run in twin.runs], paper={})
        for twin in twins
    ]
    return Sweep(
        name="degradation",
        title=_title(twins),
        entries=entries,
        why=why or "",
        notes=(),
        source="After He et al. 2015, arXiv:1512.03385, figures 1 and 6.",
    )


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def _title(twins: Sequence[Twin]) -> str:
    *most, last = [str(depth) for depth in sorted({twin.depth for twin in twins})]
    depths = f"{', '.join(most)} and {last}" if most else last
    *some, end = families(twins)
    named = f"{', '.join(some)} and {end}"
    return f"{named.capitalize()} networks of {depths} layers"


def _drawing(twins: Sequence[Twin]) -> dict[str, Any]:
    """Collect what the figure shows; empty if no epoch is recorded."""
    drawn = [twin for twin in twins if twin.drawn]
    if not any(run.rows for twin in drawn for run in twin.drawn):
        return {}
    panels = {
        family: [_network(twin, drawn) for twin in drawn if twin.family == family]
        for family in families(twins)
    }
    return {
        "panels": panels,
        "note": _note(drawn),
        "until": max(run.until for twin in drawn for run in twin.drawn),
    }


def _note(twins: Sequence[Twin]) -> str:
    first = twins[0].runs[0]
    data, (train, validation, _) = page.phrase(first.settings.get("data")), first.start["sizes"]
    counts = _range([len(twin.drawn) for twin in twins])
    words = [f"n = {counts} training{'' if counts == '1' else 's'} of each network"]
    if counts != "1":
        words.append("lines: means, bands: smallest to largest")
    kind = "validation" if validation else "training"
    words.append(f"numbers: {kind} error at the end")
    words.append(f"{data}: {train:,} training and {validation:,} validation images")
    return "; ".join(words)


def _network(twin: Twin, others: Sequence[Twin]) -> plots.Network:
    learning = _shared(twin.drawn, "train_error")
    looks = _shared(twin.drawn, "validation_error")
    return plots.Network(
        name=_label(twin, others),
        depth=twin.depth,
        iterations=list(learning),
        training=_band(learning),
        validation=_band(looks) if looks else None,
        looks=list(looks) if looks else None,
    )


def _shared(runs: Sequence[Record], name: str) -> dict[int, list[float]]:
    """Collect an error of several trainings, at the iterations at which all of them know it."""
    rows = [run.learning if name == "train_error" else run.rows for run in runs]
    known = [{row["iteration"]: row[name] for row in each if name in row} for each in rows]
    shared = sorted(set.intersection(*map(set, known)))
    return {iteration: [each[iteration] for each in known] for iteration in shared}


def _label(twin: Twin, others: Sequence[Twin]) -> str:
    """Name a network, with what sets it apart: too few trainings, or none that ended."""
    if not twin.finished:
        return f"{twin.name} (unfinished)"
    same = len({len(other.drawn) for other in others}) == 1
    return twin.name if same else f"{twin.name} (n = {len(twin.drawn)})"


def _band(known: dict[int, list[float]]) -> plots.Band:
    together = list(known.values())
    return plots.Band(
        mean=[statistics.mean(values) for values in together],
        low=[min(values) for values in together],
        high=[max(values) for values in together],
    )


def _depths(twins: Sequence[Twin]) -> str:
    """Draw the final errors against depth, if some family has two depths to compare."""
    known = {
        family: {
            twin.depth: (twin.mean("train_error"), twin.mean("test_error"))
            for twin in twins
            if twin.family == family and twin.finished
        }
        for family in NAMES
    }
    known = {family: found for family, found in known.items() if found}
    if max(map(len, known.values()), default=0) < 2:
        return ""
    return plots.depths(known, sorted({twin.depth for twin in twins}))
