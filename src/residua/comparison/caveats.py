"""Where runs are not comparable, in sentences."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from residua.comparison.groups import Group, detects, made
from residua.comparison.numbers import Number
from residua.experiment import Given
from residua.reproduce.evidence import Found


@dataclass(frozen=True, kw_only=True)
class Caveat:
    """Something that comparing runs must mind.

    Attributes:
        about: in a word or two.
        sentence: what differs, and what follows from it.
    """

    about: str
    sentence: str


# What is said of each part of the data, in the order of a record's fingerprints.
LEARNED = "what is compared includes what was learned from"
CHOSEN = "their validation numbers are of different images, and cannot be compared"
TESTED = "their test numbers cannot be compared, and no difference of them is claimed"


def caveats(groups: Sequence[Group], numbers: Sequence[Number]) -> list[Caveat]:
    """List what the runs do not share and a comparison should know, the gravest first."""
    return list(_caveats(groups, numbers))


def tested_on(run: Found) -> tuple[Any, ...]:
    """Name the test pictures of a run."""
    prints = run.record.start.get("fingerprints") or ("unknown",)
    return prints[-1], (run.record.result or {}).get("test_count")


def _caveats(groups: Sequence[Group], numbers: Sequence[Number]) -> Iterator[Caveat]:
    yield from _differ("test images", groups, tested_on, TESTED)
    yield from _protocols(groups, numbers)
    yield from _differ("training images", groups, lambda run: _part(run, 0), LEARNED)
    yield from _differ("validation images", groups, lambda run: _part(run, 1), CHOSEN)
    if not detects(groups[0].first):
        yield from _differ(
            "augmentation", groups, _augmented,
            "their training errors are of images changed in different ways, and are not alike",
        )  # fmt: skip
    for name, effect in (
        ("precision", "a difference may be one of rounding"),
        ("code", "a difference may come from the code and not from the settings"),
        ("torch", "a difference may come from the library"),
        ("device", "speeds cannot be compared, and rounding may differ"),
        ("processes", "batch norm may have seen other parts of a batch"),
    ):
        yield from _differ(name, groups, lambda run, name=name: made(run)[name], effect, said=True)
    yield from _unknown(groups)


def _differ(
    about: str,
    groups: Sequence[Group],
    look: Callable[[Found], Any],
    effect: str,
    *,
    said: bool = False,
) -> Iterator[Caveat]:
    """Name the groups that share a value, if there are several values; None is no value."""
    held: dict[Any, list[str]] = {}
    for group in groups:
        for value in dict.fromkeys(map(look, group.runs)):
            if value is not None:
                held.setdefault(value, []).append(group.letter)
    if len(held) > 1:
        words = [
            f"{', '.join(letters)}{f' {value}' if said else ''}" for value, letters in held.items()
        ]
        parted = "; ".join(words) if said else " against ".join(words)
        yield Caveat(about=about, sentence=f"other {about} ({parted}): {effect}")


def _part(run: Found, place: int) -> str | None:
    """Return the fingerprint of a part that is not the test part; None if there is none."""
    prints = run.record.start.get("fingerprints") or ()
    return str(prints[place]) if len(prints) > place + 1 else None


def _protocols(groups: Sequence[Group], numbers: Sequence[Number]) -> Iterator[Caveat]:
    for number in numbers:
        pairs = zip(groups, number.protocols, number.values, strict=True)
        known = {group.letter: protocol for group, protocol, values in pairs if values}
        if number.part == "test" and len(set(known.values())) > 1:
            told = "; ".join(f"{letter} {protocol}" for letter, protocol in known.items())
            yield Caveat(
                about="protocol",
                sentence=f"other protocol of {number.name.removesuffix(' %')} ({told}): a "
                "difference is one of net and protocol together",
            )


def _augmented(run: Found) -> str:
    experiment = run.experiment
    return repr((getattr(experiment, "augment", None), getattr(experiment, "loss", None)))


def _unknown(groups: Sequence[Group]) -> Iterator[Caveat]:
    """Say what the records do not hold."""
    changed = [g.letter for g in groups if any(made(run)["code"].endswith("+") for run in g.runs)]
    if changed:
        yield Caveat(
            about="uncommitted code",
            sentence=f"{', '.join(changed)}: the code was changed after the recorded commit",
        )
    given = [
        group.letter
        for group in groups
        if isinstance(group.first.experiment.net, Given)
        or isinstance(group.first.experiment.data, Given)
    ]
    if given:
        yield Caveat(
            about="given in Python",
            sentence=f"{', '.join(given)}: a net or data were handed over in Python, and their "
            "settings are not in the record",
        )
    for group in groups:
        if group.repeated:
            names = ", ".join(str(run.folder) for run in group.repeated)
            yield Caveat(
                about="repeated seeds",
                sentence=f"{group.letter} has runs of a seed that is there already, which are in "
                f"no number: {names}",
            )
