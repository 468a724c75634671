"""Whether a path holds pictures with annotated objects, and sentences that say what it holds."""

import statistics
from collections import Counter
from pathlib import Path

from residua.data.annotated import AnnotatedFiles
from residua.data.coco import CocoConfig
from residua.data.coco_file import has_files
from residua.data.folder import absolute
from residua.data.objects import Annotated
from residua.data.probe import UNEVEN, classes_phrase
from residua.data.survey import Surveyed
from residua.data.voc import VocConfig
from residua.data.voc_tree import is_tree

PARTS = {"train": "to learn from", "validation": "to choose with", "test": "to test on"}


def recognise_objects(path: str | Path) -> VocConfig | CocoConfig | None:
    """Return the settings of the data set that a path holds; None if it has no such annotations.

    No annotation is read whole, so that this is quick.
    """
    root = Path(path).expanduser()
    if is_tree(root):
        return VocConfig(path=absolute(path))
    if has_files(root):
        return CocoConfig(path=absolute(path))
    return None


def parts_of(found: Surveyed) -> dict[str, Annotated]:
    """Return the parts that a set has, by name."""
    splits = found.splits
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    return {name: part for name, part in parts.items() if part is not None}


def class_counts(part: Annotated) -> list[int]:
    """Count the objects of each class."""
    held = (
        [part.table.held]
        if isinstance(part, AnnotatedFiles)
        else [part.objects(index) for index in range(len(part))]
    )
    counts = Counter(label for objects in held for label in objects.labels_R.tolist())
    return [counts[label] for label in range(1, len(part.classes) + 1)]


def object_sentences(found: Surveyed) -> list[str]:
    """Say what a path was recognised as: pictures, objects, classes, parts, and what is odd."""
    parts = parts_of(found)
    classes = found.survey.classes
    counts = [sum(each) for each in zip(*map(class_counts, parts.values()), strict=True)]
    sizes = [size for part in parts.values() for size in part.sizes]
    told = ", ".join(f"{len(part):,} {PARTS[name]}" for name, part in parts.items())
    said = [
        f"{found.survey.root}: {found.survey.kind}, {len(sizes):,} pictures with {sum(counts):,} "
        f"objects of {len(classes)} classes ({classes_phrase(classes, counts)}), "
        f"{_sizes_phrase(sizes)}",
        f"{told} ({found.how})",
        *_kinds(parts),
        *found.sentences(),
    ]
    absent = [name for name, count in zip(classes, counts, strict=True) if not count]
    if absent:
        more = ", ..." if len(absent) > 5 else ""
        said.append(f"{len(absent)} classes have no object: {', '.join(absent[:5])}{more}")
    there = [count for count in counts if count]
    if there and max(there) > UNEVEN * min(there):
        large, small = counts.index(max(there)), counts.index(min(there))
        said.append(
            f"{classes[large]} has {counts[large] / counts[small]:.1f} times the objects of "
            f"{classes[small]} ({counts[large]:,} against {counts[small]:,})"
        )
    return said


def _sizes_phrase(sizes: list[tuple[int, int]]) -> str:
    if len(set(sizes)) == 1:
        return f"{sizes[0][1]}x{sizes[0][0]} pixels"
    sides = sorted(map(min, sizes))
    typical = round(statistics.median(sides))
    return f"shorter side {sides[0]} to {sides[-1]} pixels, typically {typical}"


def _kinds(parts: dict[str, Annotated]) -> list[str]:
    """Say how large the objects are, and how many of them and of the pictures are special."""
    objects = [part.objects(index) for part in parts.values() for index in range(len(part))]
    sides = sorted(
        side
        for each in objects
        for side in (each.boxes_R4[:, 2:] - each.boxes_R4[:, :2]).prod(dim=1).sqrt().tolist()
    )
    said = []
    if sides:
        low, middle, high = (sides[int(share * (len(sides) - 1))] for share in (0.05, 0.5, 0.95))
        said.append(
            f"objects are {middle:.0f} pixels large (nine of ten {low:.0f} to {high:.0f}; the root "
            "of the area of the box)"
        )
    for count, what in (
        (sum(not len(each) for each in objects), "pictures have no object"),
        (sum(int(each.difficult_R.sum()) for each in objects), "objects are marked difficult"),
        (sum(int(each.crowd_R.sum()) for each in objects), "boxes hold crowds"),
    ):
        if count:
            said.append(f"{count:,} {what}")
    return said
