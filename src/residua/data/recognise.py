"""Which layout a folder of pictures has, and which picture has which class.

    FOLDER/CLASS/...                     class folders, split by us
    FOLDER/{train,val,test}/CLASS/...    class folders, split already
    FOLDER/{train/CLASS,val}/...         the same with a flat part and its label file: ImageNet as
                                         its archives unpack

Pictures may lie deeper in the folder of their class. What is no picture is left out and counted.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from residua.data import labels, walk
from residua.errors import DataError

NAMES = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}


@dataclass(frozen=True)
class Part:
    """Pictures as paths below the folder of the set, and the label of each."""

    names: list[str]
    labels: list[int]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Layout:
    """What a folder of pictures is taken for.

    Args:
        root: what the paths begin at.
        kind: a phrase for it.
        classes: names, sorted; the label of a picture is the rank of its class.
        parts: by name: "train", "validation" and "test" where they are told apart, else "all".
        ignored: files that are no pictures, by their ending.
        remarks: sentences about what is odd.
    """

    root: Path
    kind: str
    classes: tuple[str, ...]
    parts: dict[str, Part]
    ignored: Counter[str] = field(default_factory=Counter)
    remarks: tuple[str, ...] = ()

    def counts(self) -> list[int]:
        """Count the pictures of every class, over all parts."""
        found = Counter(label for part in self.parts.values() for label in part.labels)
        return [found[label] for label in range(len(self.classes))]


def recognise(path: str | Path) -> Layout:
    """Say which layout a folder of pictures has.

    Raises:
        DataError: it has none: it is not there, holds no pictures or no class folders, has one
            class only or one without pictures, or a part has a class that is not learned from.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        what = "a file, not a folder" if root.exists() else "not there"
        coco = root.is_file() and root.suffix.lower() == ".json"
        more = ", and does not begin as annotations of COCO do (images, annotations, categories)"
        raise DataError(f"{root} is {what}{more if coco else ''}")
    root = _inner(root)
    parts = _named_parts(root)
    if "train" in parts and walk.folders(parts["train"]) and not _direct(parts["train"]):
        return _split_already(root, parts)
    return _class_folders(root)


def _inner(root: Path) -> Path:
    """Go into a folder that is all that a folder holds, as archives often unpack."""
    inside = walk.folders(root)
    alone = len(inside) == 1 and not _direct(root) and not _named_parts(root)
    if alone and walk.folders(inside[0]) and not _direct(inside[0]):
        return _inner(inside[0])
    return root


def _direct(folder: Path) -> list[str]:
    return walk.pictures(folder, below=False).pictures


def _named_parts(root: Path) -> dict[str, Path]:
    """Find folders named after the parts of a data set."""
    named = {folder.name.lower(): folder for folder in walk.folders(root)}
    return {part: named[name] for part, names in NAMES.items() for name in names if name in named}


def _class_folders(root: Path) -> Layout:
    inside = walk.folders(root)
    stray = len(_direct(root))
    if not inside:
        raise DataError(
            f"{root} holds {stray:,} pictures but no sub-folders: put the pictures of each class "
            "into a sub-folder named after it"
            if stray
            else f"{root} holds no pictures: it should have one sub-folder of pictures per class"
        )
    classes = tuple(folder.name for folder in inside)
    ignored: Counter[str] = Counter()
    part = _labelled(root, inside, classes, ignored)
    if not len(part):
        raise DataError(f"{root} holds no pictures in its {len(inside)} sub-folders")
    _check_classes(root, classes, part)
    remark = f"{stray:,} pictures beside the class folders are left out" if stray else ""
    kind = _kind(classes)
    return Layout(root, kind, classes, {"all": part}, ignored, (remark,) if remark else ())


def _split_already(root: Path, folders: dict[str, Path]) -> Layout:
    train = folders["train"]
    inside = walk.folders(train)
    classes = tuple(folder.name for folder in inside)
    ignored: Counter[str] = Counter()
    parts = {"train": _labelled(root, inside, classes, ignored)}
    _check_classes(train, classes, parts["train"])
    remarks = []
    for name in ("validation", "test"):
        if name not in folders:
            continue
        found = held_out(root, folders[name], classes, ignored)
        if found is None:
            remarks.append(f"{folders[name].name} is left out: its pictures have no labels")
            continue
        parts[name] = found
        lacking = sorted(set(range(len(classes))) - set(found.labels))
        if lacking:
            remarks.append(
                f"{folders[name].name} has no pictures of {_some([classes[i] for i in lacking])}"
            )
    return Layout(root, _kind(classes), classes, parts, ignored, tuple(remarks))


def held_out(
    root: Path, folder: Path, classes: tuple[str, ...], ignored: Counter[str]
) -> Part | None:
    """List a folder of pictures of known classes; None for test pictures without labels.

    Args:
        root: what the paths begin at; label files are looked for up to it.
        folder: has class folders, or pictures and a label file.
        classes: names, in the order of the labels.
        ignored: counts what is no picture.

    Raises:
        DataError: a class is not among the known ones, or nothing says what the pictures are.
    """
    inside = walk.folders(folder)
    known = [each for each in inside if each.name in classes]
    if known or (inside and not _flat(folder)):
        foreign = [each.name for each in inside if each not in known]
        if foreign:
            raise DataError(
                f"{folder} has the class {foreign[0]}, which is none of those learned from "
                f"({', '.join(classes[:12])}{', ...' if len(classes) > 12 else ''})"
            )
        return _labelled(root, known, classes, ignored)
    file = labels.beside(folder, up_to=root)
    flat = walk.pictures(folder)
    ignored.update(flat.ignored)
    if not flat.pictures:
        raise DataError(f"{folder} holds no pictures")
    if file is None and folder.name.lower() in NAMES["test"]:
        return None
    if file is None:
        raise DataError(
            f"{folder} holds {len(flat.pictures):,} pictures, neither in class folders nor with a "
            f"label file beside them: add {folder.name}.txt with a line `file class` for each"
        )
    said = labels.read(file, flat.pictures, classes)
    if file.is_relative_to(folder):
        ignored[file.suffix.lower()] -= 1
    names = [name for name in flat.pictures if name in said]
    if not names:
        raise DataError(f"{file} speaks of none of the {len(flat.pictures):,} pictures in {folder}")
    inner = folder.relative_to(root).as_posix()
    return Part([f"{inner}/{name}" for name in names], [said[name] for name in names])


def _flat(folder: Path) -> bool:
    """Say whether a folder, or the only one in it, holds pictures directly."""
    inside = walk.folders(folder)
    return bool(_direct(folder)) or (len(inside) == 1 and bool(_direct(inside[0])))


def _labelled(
    root: Path, folders: list[Path], classes: tuple[str, ...], ignored: Counter[str]
) -> Part:
    """List the pictures below class folders, in the order of the classes and of their names."""
    part = Part([], [])
    for folder in folders:
        found = walk.pictures(folder)
        inner = folder.relative_to(root).as_posix()
        part.names.extend(f"{inner}/{name}" for name in found.pictures)
        part.labels.extend([classes.index(folder.name)] * len(found.pictures))
        ignored.update(found.ignored)
    return part


def _check_classes(root: Path, classes: tuple[str, ...], part: Part) -> None:
    empty = sorted(set(range(len(classes))) - set(part.labels))
    if empty:
        raise DataError(
            f"{root} has no pictures in {_some([classes[i] for i in empty])}: put some there, or "
            "remove the folder"
        )
    if len(classes) == 1:
        raise DataError(
            f"{root} has the one class {classes[0]}: there is nothing to tell apart (add a folder "
            "of other pictures)"
        )


def _kind(classes: tuple[str, ...]) -> str:
    synsets = all(re.fullmatch(r"n\d{8}", name) for name in classes)
    return "class folders named by WordNet synsets, as ImageNet has" if synsets else "class folders"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more classes" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
