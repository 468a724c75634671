"""The networks of a degradation study by families, each with all its trainings."""

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from residua.errors import CheckpointError
from residua.report.page import phrase
from residua.report.record import Record

FAMILIES = ("plain", "residual")
# What a network of each family is called, in the order in which families are shown.
NAMES = {
    "plain": "plain",
    "residual": "ResNet",
    "pre-activation": "PreResNet",
    "highway": "Highway",
}


@dataclass(frozen=True)
class Twin:
    """All trainings of one network of the study.

    Args:
        family: one of `NAMES`.
        depth: weighted layers.
        runs: of all seeds, whether or not they came to their end.
    """

    family: str
    depth: int
    runs: list[Record]

    @property
    def name(self) -> str:
        """What the paper calls it."""
        return f"{NAMES[self.family]}-{self.depth}"

    @property
    def finished(self) -> list[Record]:
        """The trainings that have a result; the means are theirs."""
        return [run for run in self.runs if run.result is not None]

    @property
    def drawn(self) -> list[Record]:
        """The trainings whose curves are drawn: the finished ones, or if none is, all begun."""
        return self.finished or [run for run in self.runs if run.rows]

    def values(self, name: str) -> list[float]:
        """List one number of the results of the finished trainings, where it is known."""
        found = [run.result[name] for run in self.finished if run.result is not None]
        return [value for value in found if value is not None]

    def mean(self, name: str) -> float:
        """Return the mean of one number over the finished trainings."""
        return statistics.mean(self.values(name))


def group(runs: Sequence[Record]) -> list[Twin]:
    """Put the trainings of one network together, by families, shallow before deep."""
    found: dict[tuple[str, int], list[Record]] = {}
    for run in runs:
        found.setdefault(_kind(run), []).append(run)
    order = list(NAMES)
    ranked = sorted(found, key=lambda kind: (order.index(kind[0]), kind[1]))
    return [Twin(family, depth, found[family, depth]) for family, depth in ranked]


def families(twins: Sequence[Twin]) -> list[str]:
    """List the families that are shown: plain and residual ones, and others that are there."""
    there = {twin.family for twin in twins}
    return [name for name in NAMES if name in FAMILIES or name in there]


def _kind(run: Record) -> tuple[str, int]:
    """Tell family and depth of a network from its settings."""
    net = run.settings.get("net") or {}
    named = re.search(r"(plain|resnet)-?(\d+)$", str(run.start["recipe"]))
    plain = net.get("shortcut") == "none" or (named is not None and named[1] == "plain")
    depth = net.get("depth") or (int(named[2]) if named else None)
    if depth is None:
        raise CheckpointError(
            f"{run.folder} has a network of unknown depth ({phrase(net)}): a degradation "
            "study takes networks with the setting net.depth, such as digits.plain56"
        )
    if plain:
        return "plain", depth
    if net.get("shortcut") == "exclusive_gating":
        return "highway", depth
    return "pre-activation" if net.get("order") == "full_preact" else "residual", depth


def compare(twins: Sequence[Twin]) -> dict[str, dict[str, float]]:
    """Compare, in points of error, the deepest network of each family with its shallowest.

    Both families are compared at the same depths: those at which each has come to its end.
    """
    ended = {
        family: {twin.depth: twin for twin in twins if twin.family == family and twin.finished}
        for family in NAMES
    }
    ended = {family: found for family, found in ended.items() if found}
    depths = set.intersection(*(set(found) for found in ended.values())) if ended else set()
    if len(depths) < 2:
        return {}
    shallow, deep = min(depths), max(depths)
    return {
        family: {"shallow": shallow, "deep": deep}
        | {
            name: found[deep].mean(name) - found[shallow].mean(name)
            for name in ("train_error", "test_error")
        }
        for family, found in ended.items()
    }


def matched(twins: Sequence[Twin]) -> dict[str, bool]:
    """Tell what all trainings share, and whether plain and residual twins cost the same."""
    starts = [run.start for twin in twins for run in twin.runs]
    costs: dict[int, set[tuple[int, int]]] = {}
    for twin in twins:
        for run in twin.runs if twin.family in FAMILIES else ():
            costs.setdefault(twin.depth, set()).add((run.parameters, run.multiply_adds))
    keys = ("fingerprints", "batch_size", "plan")
    return {
        "training": all(start[key] == starts[0][key] for start in starts for key in keys),
        "cost": {*FAMILIES} <= {twin.family for twin in twins}
        and all(len(found) == 1 for found in costs.values()),
    }
