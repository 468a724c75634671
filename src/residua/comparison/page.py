"""The page of a comparison: what differs, numbers, how surely, courses, and where each is from."""

import hashlib
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from residua.comparison.compare import Comparison
from residua.comparison.curves import curves
from residua.comparison.groups import Group, made
from residua.comparison.numbers import Number
from residua.comparison.significance import Contrast
from residua.report import page
from residua.reproduce.evidence import Found

SLUG = 60


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the numbers of one run are from.

    Attributes:
        letter: of its group.
        seed: of the run.
        folder: of the run.
        value: of the first number, or that there is none.
        digest: of its settings.
        made: code, precision, library and device.
        command: that made it.
        links: to its page and its record, from the folder of this page: words and address.
    """

    letter: str
    seed: int
    folder: str
    value: str
    digest: str
    made: str
    command: str
    links: tuple[tuple[str, str], ...]


def write_comparison(root: Path, comparison: Comparison) -> Path:
    """Write the page of a comparison.

    Args:
        root: the folder of all runs; the page has a folder below it that is named after the runs,
            so that comparing the same runs again writes the same page again.
        comparison: what is on it.

    Returns:
        The page.

    Raises:
        RunError: it cannot be written.
    """
    folder = root / "compare" / _slug(comparison.groups)
    number = comparison.numbers[0]
    values = {
        "comparison": comparison,
        "differences": [(each, told(each.contrast)) for each in comparison.differences],
        "chance": chance,
        "curves": curves(comparison),
        "sources": list(sources(comparison.groups, number, folder)),
        "texts": [(group, group.first.record.text) for group in comparison.groups],
        "command": page.command(
            "residua", "compare", *(run.folder for group in comparison.groups for run in group.runs)
        ),
        "corrects": comparison.tests > 1,
    }
    return page.write(folder, "comparison.html", values)


def told(contrast: Contrast) -> tuple[str, str, str, str]:
    """Write a difference, its interval, p, and the test or why there is none."""
    difference = "0.00" if abs(contrast.difference) < 0.005 else f"{contrast.difference:+.2f}"
    if contrast.kind is None:
        return difference, "", "", contrast.why
    interval = f"{contrast.low:+.2f} to {contrast.high:+.2f}"
    test = "paired t-test, by seed" if contrast.kind == "paired by seed" else "Welch's t-test"
    test += f" ({contrast.freedom:.3g} degree{'' if contrast.freedom == 1 else 's'} of freedom)"
    return difference, interval, chance(contrast.p), test


def chance(p: float) -> str:
    """Write a p with two digits, or that it is below 0.001."""
    if math.isnan(p):
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def sources(groups: Sequence[Group], number: Number, folder: Path) -> list[Source]:
    """List where the numbers of every run are from, repeated ones too."""
    return [
        Source(
            letter=group.letter,
            seed=run.seed,
            folder=str(run.folder),
            value=_value(group, run, number, place),
            digest=str(run.record.start.get("digest", "")),
            made=", ".join(f"{name} {value}" for name, value in made(run).items()),
            command=str(run.record.start.get("command", "")),
            links=tuple(_links(run.folder, folder)),
        )
        for place, group in enumerate(groups)
        for run in (*group.runs, *group.repeated)
    ]


def _value(group: Group, run: Found, number: Number, place: int) -> str:
    if run in group.repeated:
        return "not counted"
    value = number.values[place].get(run.seed)
    return "not measured" if value is None else number.form(value)


def _links(run: Path, folder: Path) -> list[tuple[str, str]]:
    known = (("page", page.FILE), ("settings", "config.yaml"), ("record", "events.jsonl"))
    away = os.path.relpath(run.resolve(), folder.resolve())
    return [
        (words, quote(Path(away, name).as_posix()))
        for words, name in known
        if (run / name).is_file()
    ]


def _slug(groups: Sequence[Group]) -> str:
    """Name the folder of a page after recipes, and after the runs by a digest."""
    folders = [
        str(run.folder.resolve()) for group in groups for run in (*group.runs, *group.repeated)
    ]
    digest = hashlib.sha256("\n".join(folders).encode()).hexdigest()[:8]
    names = "_".join(dict.fromkeys(group.first.experiment.name for group in groups))
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', names)[:SLUG]}-{digest}"
