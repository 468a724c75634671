"""What is wrong with a set of pictures with annotated objects, in sentences that say what to do.

Every annotation is read, and of every picture its header and the end of its file.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from residua.data.annotated import AnnotatedFiles
from residua.data.coco import CocoConfig
from residua.data.doctor import FEW, SHOWN, Finding, same_bytes
from residua.data.oddities import Odd
from residua.data.recognise_objects import class_counts, parts_of
from residua.data.survey import Surveyed
from residua.data.voc import VocConfig
from residua.errors import DataError

# What to do about each odd thing, and from which share of the objects (or pictures) on it would
# make the training fail or deceive.
ADVICE: dict[Odd, tuple[str, float]] = {
    "no_area": ("remove them, or draw the boxes again", 0.05),
    "outside": ("the annotation may be of another version of the picture: look at them", 0.01),
    "cut": ("a pixel or two is rounding; more, and the sizes of the pictures were changed", 0.5),
    "nameless": ("complete or remove them", 0.05),
    "foreign": ("name them as the classes learned from, or learn from some of them", 0.0),
    "unannotated": (
        "a picture in which there is nothing needs an annotation without objects",
        0.1,
    ),
    "dummy": ("nothing needs to be done", 2.0),
    "resized": ("resize the boxes with the pictures, or take the pictures annotated", 0.0),
    "turned": ("other programs may show the boxes beside the objects", 2.0),
    "shared": ("remove them from the part that is learned from", 0.0),
}
# These are counted in pictures, the others in objects.
OF_PICTURES = frozenset({"unannotated", "resized", "turned", "shared"})
MAX_UNREADABLE = 0.01


@dataclass(frozen=True)
class ObjectExamination:
    """What was found in a set of pictures with objects.

    Args:
        surveyed: what it was recognised as; None if it cannot be used at all.
        findings: the serious ones first.
    """

    surveyed: Surveyed | None
    findings: list[Finding]


def examine_objects(config: VocConfig | CocoConfig) -> ObjectExamination:
    """Examine a set of pictures with objects.

    Args:
        config: as `recognise_objects` returns it.
    """
    try:
        found = dataclasses.replace(config, max_unreadable=1.0).surveyed()
    except DataError as error:
        return ObjectExamination(None, [Finding(True, str(error))])
    findings = [
        *_unread(found),
        *_odd(found),
        *(Finding(False, remark) for remark in found.survey.remarks),
        *_classes(found),
        *_spellings(found.survey.classes),
        *_copies(found),
    ]
    return ObjectExamination(found, sorted(findings, key=lambda finding: not finding.serious))


def _unread(found: Surveyed) -> Iterable[Finding]:
    if found.unread is not None:
        share = found.unread_count / (found.unread_count + _pictures(found))
        yield Finding(share > MAX_UNREADABLE, f"{found.unread} (mend or remove them)")


def _pictures(found: Surveyed) -> int:
    return sum(map(len, parts_of(found).values()))


def _odd(found: Surveyed) -> Iterable[Finding]:
    objects = sum(sum(class_counts(part)) for part in parts_of(found).values())
    for odd, (advice, allowed) in ADVICE.items():
        count = found.odd.counts[odd]
        whole = _pictures(found) if odd in OF_PICTURES else objects
        if count:
            yield Finding(count > allowed * max(whole, 1), f"{found.odd.sentence(odd)}: {advice}")


def _classes(found: Surveyed) -> Iterable[Finding]:
    """Find classes that are tested and not learned from, or that have few objects."""
    classes = found.survey.classes
    counts = {name: class_counts(part) for name, part in parts_of(found).items()}
    learned = counts["train"]
    held_out = [
        sum(each) for each in zip(*(counts[n] for n in counts if n != "train"), strict=True)
    ]
    unlearned = [
        name
        for name, known, other in zip(classes, learned, held_out, strict=True)
        if other and not known
    ]
    untested = [
        name
        for name, known, tested in zip(classes, learned, counts["test"], strict=True)
        if known and not tested
    ]
    few = [name for name, known in zip(classes, learned, strict=True) if 0 < known < FEW]
    if unlearned:
        yield Finding(
            True,
            f"objects of {_some(unlearned)} are to be found in the parts held out, but there are "
            "none to learn from: check the spelling, or divide the set otherwise",
        )
    if untested:
        yield Finding(
            False, f"there are no objects of {_some(untested)} to test on: the AP cannot be told"
        )
    if few:
        yield Finding(False, f"there are fewer than {FEW} objects to learn from of {_some(few)}")


def _spellings(classes: tuple[str, ...]) -> Iterable[Finding]:
    """Find classes whose names differ in case, spaces or strokes alone."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        groups["".join(filter(str.isalnum, name.lower())) or name].append(name)
    for group in groups.values():
        if len(group) > 1:
            yield Finding(
                True,
                f"{' and '.join(map(repr, group))} are taken for different classes: if they are "
                "one, give them one name",
            )


def _copies(found: Surveyed) -> Iterable[Finding]:
    places: list[tuple[Path, str]] = [
        (path, name)
        for name, part in parts_of(found).items()
        if isinstance(part, AnnotatedFiles)
        for path in part.paths
    ]
    groups = same_bytes([path for path, _ in places])
    groups = [group for group in groups if len({places[i][0] for i in group}) > 1]
    across = [group for group in groups if len({places[i][1] for i in group}) > 1]
    if across:
        paths = " and ".join(str(places[index][0]) for index in across[0][:2])
        yield Finding(
            True,
            f"{len(across):,} pictures lie in more than one part, such as {paths}: what is tested "
            "on was learned from, so the AP flatters (remove them from the part learned from)",
        )
    inner = sum(len(group) - 1 for group in groups) - len(across)
    if inner > 0:
        group = groups[0]
        paths = " and ".join(str(places[index][0]) for index in group[:2])
        yield Finding(False, f"{inner:,} pictures are copies, such as {paths}")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more classes" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
