"""Which settings of experiments differ, by their names on the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from residua.config import encode
from residua.detection_experiment import AnyExperiment
from residua.reproduce.same import leaves

# What a run is called, what is claimed of it, and what the runs of a group differ in.
LEFT_OUT = frozenset({"name", "claims", "seed"})
ABSENT = "absent"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting that differs.

    Attributes:
        name: with its path, such as "schedule.lr".
        values: of each experiment, in words; absent where it has no such setting.
    """

    name: str
    values: tuple[str, ...]


def differing(experiments: Sequence[AnyExperiment]) -> list[Setting]:
    """List the settings that are not the same in all experiments, in the order of their files."""
    flat = [_flat(each) for each in experiments]
    found = list(dict.fromkeys(name for each in flat for name in each))
    sections = list(dict.fromkeys(name.partition(".")[0] for name in found))
    names = sorted(found, key=lambda name: sections.index(name.partition(".")[0]))
    rows = [
        Setting(name=name, values=tuple(each.get(name, ABSENT) for each in flat)) for name in names
    ]
    return [row for row in rows if len(set(row.values)) > 1]


def _flat(experiment: AnyExperiment) -> dict[str, str]:
    plain = encode(experiment.recordable())
    kept = {name: value for name, value in plain.items() if name not in LEFT_OUT}
    return {name: said(value) for name, value in leaves(kept)}


def said(value: Any) -> str:
    """Write a value of a setting."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.12g}"
        case list():
            return ", ".join(map(said, value)) or "nothing"
        case dict():
            return " ".join(f"{name} {said(inner)}" for name, inner in value.items())
    return str(value)
