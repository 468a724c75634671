"""Runs compared: settings first, numbers second, and how surely the numbers differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from residua.comparison.caveats import Caveat, caveats, tested_on
from residua.comparison.groups import Group, detects, gather, made, together
from residua.comparison.numbers import Number, numbers
from residua.comparison.settings import Setting, differing
from residua.comparison.significance import LEVEL, Contrast, contrast, holm


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A group beside the first one, in one number.

    Attributes:
        other: the group.
        contrast: its mean minus that of the first group, and the test.
        corrected: p for as many tests as there are (Holm); NaN if there is no test.
    """

    other: Group
    contrast: Contrast
    corrected: float

    @property
    def is_told_apart(self) -> bool:
        """Whether so large a difference is rare enough under equal means."""
        return self.corrected < LEVEL


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs beside one another.

    Attributes:
        groups: of runs that differ in their seed alone, in the order given.
        settings: what differs between them.
        making: in which code, precision, library and device they differ.
        numbers: what the runs came to, those of the test images first.
        differences: of the first number, each other group against the first one; those that were
            tested on the same images alone.
        caveats: where the runs are not comparable.
    """

    groups: tuple[Group, ...]
    settings: tuple[Setting, ...]
    making: tuple[Setting, ...]
    numbers: tuple[Number, ...]
    differences: tuple[Difference, ...]
    caveats: tuple[Caveat, ...]

    @property
    def is_of_detectors(self) -> bool:
        """Whether the runs are those of detectors."""
        return detects(self.groups[0].first)

    @property
    def tests(self) -> int:
        """How many differences are tested; the p of several are corrected for that."""
        return sum(each.contrast.kind is not None for each in self.differences)

    @property
    def finding(self) -> str:
        """The result in a sentence."""
        told = finding(self)
        return told[0].upper() + told[1:]


def compare(folders: Sequence[Path]) -> Comparison:
    """Compare runs that have come to their end.

    Args:
        folders: of two runs or more; the first one's group is what others are compared with.

    Raises:
        CheckpointError: a folder is not a run, or its run has not come to its end.
        ConfigError: there are fewer than two, or classifiers and detectors among them.
    """
    groups = together(gather(folders))
    listed = numbers(groups)
    return Comparison(
        groups=tuple(groups),
        settings=tuple(differing([group.first.experiment for group in groups])),
        making=tuple(_making(groups)),
        numbers=tuple(listed),
        differences=tuple(_differences(groups, listed[0])),
        caveats=tuple(caveats(groups, listed)),
    )


def finding(comparison: Comparison) -> str:
    """Say what the first number shows, and no more than it does."""
    first, number = comparison.groups[0], comparison.numbers[0]
    name = number.name.removesuffix(" %")
    if len(comparison.groups) == 1:
        return f"{name} of {first.label}: {number.cells[0]} %"
    differences = comparison.differences
    if len(comparison.groups) == 2:
        return _of_two(first, differences[0], name) if differences else _untested(name)
    tested = [each for each in differences if each.contrast.kind]
    if not tested:
        return f"{name} of {len(comparison.groups)} nets: nothing is claimed of their differences"
    apart = [each.other.letter for each in tested if each.is_told_apart]
    others = f"{len(tested)} others" if len(tested) > 1 else "the one other"
    told = f"{', '.join(apart)} of {others}" if apart else f"none of {others}"
    verb = "are" if len(apart) > 1 else "is"
    return f"{name}: {told} {verb} told apart from {first.name}"


def _of_two(first: Group, difference: Difference, name: str) -> str:
    found, other = difference.contrast, difference.other.name
    size = f"{abs(found.difference):.2f} points"
    if found.kind is None:
        way = "higher" if found.difference > 0 else "lower"
        seen = f"{size} {way} than that of {first.name}" if found.difference else "the same"
        return f"{name} of {other}: {seen} here; nothing is claimed ({found.why})"
    if not difference.is_told_apart:
        return f"{name}: {first.name} and {other} are not told apart"
    way = "higher" if found.difference > 0 else "lower"
    return f"{name} of {other} is {size} {way} than that of {first.name}"


def _untested(name: str) -> str:
    return f"{name}: measured on different images, which cannot be compared"


def _differences(groups: Sequence[Group], number: Number) -> list[Difference]:
    tested = {tested_on(run) for run in groups[0].runs}
    pairs = [
        (group, contrast(number.values[0], values))
        for group, values in zip(groups[1:], number.values[1:], strict=True)
        if values and number.values[0]
        if {tested_on(run) for run in group.runs} == tested
    ]
    corrected = holm([found.p for _, found in pairs])
    return [
        Difference(other=group, contrast=found, corrected=p)
        for (group, found), p in zip(pairs, corrected, strict=True)
    ]


def _making(groups: Sequence[Group]) -> list[Setting]:
    """List in what the runs were made differently, within groups too."""
    ways = [[made(run) for run in group.runs] for group in groups]
    held = {
        name: [tuple(dict.fromkeys(way[name] for way in some)) for some in ways]
        for name in ways[0][0]
    }
    return [
        Setting(name=name, values=tuple(map(", ".join, values)))
        for name, values in held.items()
        if len(set(values)) > 1 or len(values[0]) > 1
    ]
