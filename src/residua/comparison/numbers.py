"""The numbers of runs by the protocols they were measured under, for each group of runs."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from residua.comparison.groups import Group, detects
from residua.data.views import Views
from residua.report.claims import RULES, own_views, views_of
from residua.report.page import duration
from residua.reproduce.evidence import Found

Part = Literal["test", "validation", "training", "cost"]
Look = Callable[[Found], float | None]

# Of fewer classes a net has named the right one in five tries by chance.
FIVE = 5
AUGMENTED = "images as they were learned from, mean since the look before the last"
MAPS = {
    "map_area": "mAP@.5, area",
    "map_11point": "mAP@.5, 11 points",
    "coco_ap": "mAP@[.5,.95]",
    "coco_ap50": "mAP@.5, COCO",
}


@dataclass(frozen=True, kw_only=True)
class Number:
    """One number of all groups.

    Attributes:
        name: of the number, with its unit.
        part: of the data that it was measured on, or cost.
        values: by seed, for each group; empty where it was not measured.
        protocols: under which it was measured, for each group.
        images: how many it was measured on, for each group; None where that is not counted.
        runs: of each group, whether or not it was measured.
        form: how a value is written.
    """

    name: str
    part: Part
    values: tuple[Mapping[int, float], ...]
    protocols: tuple[str, ...]
    images: tuple[int | None, ...]
    runs: tuple[int, ...]
    form: Callable[[float], str]

    @property
    def protocol(self) -> str:
        """What all groups share that have the number, or that they do not."""
        looked = zip(self.protocols, self.images, self.values, strict=True)
        known = [(protocol, count) for protocol, count, values in looked if values]
        (first, count), *_ = known
        if any(protocol != first for protocol, _ in known):
            return "differs: see the warnings"
        if any(other != count for _, other in known):
            return f"{first}; on different images"
        return first if count is None else f"{first}; {count:,} images"

    @property
    def cells(self) -> list[str]:
        """Its value in each group, or mean and standard deviation; n if some runs lack it."""
        pairs = zip(self.values, self.runs, strict=True)
        return [self._cell(list(values.values()), runs) for values, runs in pairs]

    def _cell(self, values: Sequence[float], runs: int) -> str:
        if not values:
            return "not measured"
        counted = "" if len(values) == runs else f" (n = {len(values)})"
        if len(values) == 1 or (self.part == "cost" and len(set(values)) == 1):
            return f"{self.form(values[0])}{counted}"
        mean, spread = statistics.fmean(values), statistics.stdev(values)
        return f"{self.form(mean)} ± {self.form(spread)}{counted}"


def numbers(groups: Sequence[Group]) -> list[Number]:
    """List the numbers that some group has, those of the test pictures first."""
    listed = _of_detectors(groups) if detects(groups[0].first) else _of_classifiers(groups)
    listed += [
        _number(groups, "parameters", "cost", lambda run: run.record.parameters, form=_count),
        _number(groups, "multiply-adds", "cost", lambda run: run.record.multiply_adds, form=_count),
        _number(groups, "time of training", "cost", lambda run: run.record.seconds, form=duration),
    ]
    return [number for number in listed if any(number.values)]


def _of_classifiers(groups: Sequence[Group]) -> list[Number]:
    own = [own_views(group.first.record.settings.get("data") or {})[-1] for group in groups]
    protocols = [views.protocol for views in own]
    test = [_number(groups, "test error %", "test", _recorded("test_error"), protocols)]
    if all(len(group.first.record.start["classes"]) > FIVE for group in groups):
        test += [_number(groups, "test top-5 error %", "test", _recorded("top5_error"), protocols)]
    later = dict.fromkeys(views for group in groups for views in _later(group))
    test += [
        _number(
            groups,
            "test error %, tested again",
            "test",
            lambda run, views=views: run.number("test_error", views),
            views.protocol,
        )
        for views in later
        if any(views != each for each in own)
    ]
    return [
        *test,
        _number(groups, "validation error %", "validation", _recorded("validation_error")),
        _number(groups, "training error %", "training", _recorded("train_error"), AUGMENTED),
    ]


def _of_detectors(groups: Sequence[Group]) -> list[Number]:
    found = [
        _number(
            groups,
            f"test {name} %",
            "test",
            _recorded(key),
            [_rules(group, key) for group in groups],
        )
        for key, name in MAPS.items()
    ]
    return [
        *found,
        _number(groups, "validation mAP@.5, area %", "validation", _recorded("validation_map")),
        _number(groups, "training loss", "training", _recorded("train_loss"), AUGMENTED, _loss),
    ]


def _rules(group: Group, key: str) -> str:
    """Say by which rule detections were counted, and which detections."""
    return f"{RULES[key]}; {(group.first.record.result or {}).get('protocol', '')}"


def _number(
    groups: Sequence[Group],
    name: str,
    part: Part,
    look: Look,
    protocols: Sequence[str] | str = "",
    form: Callable[[float], str] = "{:.2f}".format,
) -> Number:
    said = {"validation": "of the weights that were tested", "cost": _cost(name)}.get(part, "")
    each = [protocols or said] * len(groups) if isinstance(protocols, str) else protocols
    return Number(
        name=name,
        part=part,
        values=tuple(group.values(look) for group in groups),
        protocols=tuple(each),
        images=tuple(_images(group) if part == "test" else None for group in groups),
        runs=tuple(len(group.runs) for group in groups),
        form=form,
    )


def _cost(name: str) -> str:
    known = {"multiply-adds": "of one image, counted once", "time of training": "without pauses"}
    return known.get(name, "")


def _recorded(key: str) -> Look:
    """Look a number up in the result of a run."""
    return lambda run: (run.record.result or {}).get(key)


def _later(group: Group) -> list[Views]:
    """List the protocols of tests after the end of the runs."""
    return [
        views_of(test["views"])
        for run in group.runs
        for test in run.record.evaluations
        if test.get("images") == "test" and "views" in test
    ]


def _images(group: Group) -> int | None:
    return (group.first.record.result or {}).get("test_count")


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _loss(value: float) -> str:
    return f"{value:.3g}"
