"""The networks of a degradation study, plain and residual, each with all its trainings."""

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from residua.errors import CheckpointError
from residua.report.page import phrase
from residua.report.record import Record

FAMILIES = ("plain", "residual")


@dataclass(frozen=True)
class Twin:
    """All trainings of one network of the study.

    Args:
        family: "plain" or "residual".
        depth: weighted layers.
        runs: of all seeds, whether or not they came to their end.
    """

    family: str
    depth: int
    runs: list[Record]

    @property
    def name(self) -> str:
        """What the paper calls it."""
        return f"{'plain' if self.family == 'plain' else 'ResNet'}-{self.depth}"

    @property
    def finished(self) -> list[Record]:
        """The trainings that have a result; the means are theirs."""
        return [run for run in self.runs if run.result is not None]

    @property
    def drawn(self) -> list[Record]:
        """The trainings whose curves are drawn: the finished ones, or if none is, all begun."""
        return self.finished or [run for run in self.runs if run.rows]

    def values(self, name: str) -> list[float]:
        """List one number of the results of the finished trainings."""
        return [run.result[name] for run in self.finished if run.result is not None]

    def mean(self, name: str) -> float:
        """Return the mean of one number over the finished trainings."""
        return statistics.mean(self.values(name))


def group(runs: Sequence[Record]) -> list[Twin]:
    """Put the trainings of one network together: plain before residual, shallow before deep."""
    found: dict[tuple[str, int], list[Record]] = {}
    for run in runs:
        found.setdefault(_kind(run), []).append(run)
    return [Twin(family, depth, found[family, depth]) for family, depth in sorted(found)]


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
    return FAMILIES[0] if plain else FAMILIES[1], depth


def compare(twins: Sequence[Twin]) -> dict[str, dict[str, float]]:
    """Compare, in points of error, the deepest network of each family with its shallowest.

    Both families are compared at the same depths: those at which each has come to its end.
    """
    ended = {
        family: {twin.depth: twin for twin in twins if twin.family == family and twin.finished}
        for family in FAMILIES
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
    """Tell what all trainings have in common, and whether twins of one depth cost the same."""
    starts = [run.start for twin in twins for run in twin.runs]
    costs: dict[int, set[tuple[int, int]]] = {}
    for twin in twins:
        for run in twin.runs:
            costs.setdefault(twin.depth, set()).add((run.parameters, run.multiply_adds))
    keys = ("fingerprints", "batch_size", "plan")
    return {
        "training": all(start[key] == starts[0][key] for start in starts for key in keys),
        "cost": all(len(found) == 1 for found in costs.values()),
    }
