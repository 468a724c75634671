"""What the pages of looks inside networks are put together from."""

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from residua import plots
from residua.plots import Panel
from residua.report.inside import About, Figure

HE, HE_URL = "He et al. 2015, arXiv:1512.03385", "https://arxiv.org/abs/1512.03385"
VEIT, VEIT_URL = "Veit et al. 2016, arXiv:1605.06431", "https://arxiv.org/abs/1605.06431"
LI, LI_URL = "Li et al. 2018, arXiv:1712.09913", "https://arxiv.org/abs/1712.09913"

# What was found in each run of each network.
Of = Mapping[str, Sequence[Any]]


def figure(
    name: str,
    panels: Sequence[plots.Panel],
    *,
    about: About,
    caption: str,
    source: tuple[str, str],
    note: str = "",
) -> Figure:
    """Draw panels in all three forms.

    Args:
        name: of the files.
        panels: from left to right.
        about: gives n, and the order in which networks get their lines.
        caption: what the figure shows.
        source: the paper with its figure, and its address.
        note: what else stands below it.
    """
    note = f"{about.n}; {note}" if note else about.n
    order = [each.label for each in about.networks]
    return Figure(
        name=name,
        wide=plots.profiles(panels, name=name, note=note, order=order),
        narrow=plots.profiles(panels, name=name, note=note, order=order, narrow=True),
        slides=plots.profiles_for_slides(panels, note=note, order=order),
        caption=caption,
        source=source,
    )


def profile(
    name: str, x: Sequence[float], rows: Sequence[Sequence[float]], *, joined: bool = True
) -> plots.Profile:
    """Draw several rows of values as their mean and range; a single row as it is."""
    columns = list(zip(*rows, strict=True))
    several = len(rows) > 1
    return plots.Profile(
        name=name,
        x=x,
        mean=[statistics.mean(column) for column in columns],
        low=[min(column) for column in columns] if several else (),
        high=[max(column) for column in columns] if several else (),
        joined=joined,
    )


def spread(values: Sequence[float], form: Callable[[float], str]) -> str:
    """Say a value, or the mean of several and their range in brackets."""
    if len(values) == 1 or min(values) == max(values):
        return form(values[0])
    return f"{form(statistics.mean(values))} ({form(min(values))} to {form(max(values))})"


def short(value: float) -> str:
    """Write a number with three digits."""
    return f"{value:.3g}"


def listed(parts: Sequence[str]) -> str:
    """Join words as one says them."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def panel(
    title: str,
    xlabel: str,
    ylabel: str,
    found: Of,
    values: Callable[[Any], Sequence[float]],
    *,
    log: bool = False,
) -> Panel:
    """Draw what was found in every network, one value after the other.

    Args:
        title: of the panel.
        xlabel: what is counted from 1.
        ylabel: what the values are, with their unit.
        found: in every run of each network.
        values: of one run.
        log: whether the vertical axis is logarithmic.
    """
    lines: list[plots.Profile] = []
    for name, some in found.items():
        rows = [values(each) for each in some]
        lines.append(profile(name, range(1, len(rows[0]) + 1), rows))
    return Panel(title=title, xlabel=xlabel, ylabel=ylabel, profiles=lines, log=log)


def plain_values(found: Of) -> dict[str, Any]:
    """Turn what was found into plain values."""

    def plain(value: Any) -> Any:
        if isinstance(value, Sequence):
            return [plain(item) for item in value]
        return dataclasses.asdict(value)

    return {name: [plain(each) for each in some] for name, some in found.items()}
