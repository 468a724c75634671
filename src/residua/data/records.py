"""From what annotations say of pictures to sets of pictures with objects.

A record is one picture as its annotation has it; VOC and COCO both become records. Here the files
are looked at, boxes are brought into their pictures, and what cannot be used is counted.

Dimension key:
    R objects of a picture
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from residua.data.annotated import AnnotatedFiles, ObjectTable
from residua.data.objects import Objects
from residua.data.oddities import Oddities
from residua.data.pictures import each
from residua.data.probe import Header, whole_header
from residua.data.upright import AXES
from residua.errors import DataError

# Of larger sets the sizes that the annotation states are believed, and files are met when read.
MOST_LOOKED_AT = 20_000
# Pixels that a box may reach over the edge before it is worth a word: rounding.
SLACK = 0.01


@dataclass(frozen=True)
class Thing:
    """One object as annotated.

    Args:
        name: of its class.
        box: XYXY in half-open pixels of the picture as annotated.
        difficult: as VOC says.
        crowd: as COCO says.
        area: in pixels, where it is annotated.
    """

    name: str
    box: tuple[float, float, float, float]
    difficult: bool = False
    crowd: bool = False
    area: float | None = None


@dataclass(frozen=True)
class Record:
    """One picture as annotated.

    Args:
        name: of the picture, each another.
        path: of its file.
        things: its objects.
        stated: height and width that the annotation states.
    """

    name: str
    path: Path
    things: list[Thing] = field(default_factory=list)
    stated: tuple[int, int] | None = None


@dataclass(frozen=True)
class Looked:
    """Records whose files can be read, the size of each picture, and how it is stored.

    Args:
        records: of the readable ones.
        sizes: height and width of each as one looks at it.
        turns: the EXIF orientation that the boxes of each must undergo; 1 for none.
        unread: why the others cannot be read.
    """

    records: list[Record]
    sizes: list[tuple[int, int]]
    turns: list[int]
    unread: list[str]


def look(records: Sequence[Record], odd: Oddities) -> Looked:
    """Look at the files of records: whether they can be read, and how large the pictures are.

    Where an annotation states the size that a picture has as stored, on its side, its boxes are
    those of the stored picture, and are to be turned with it.
    """
    looked = Looked([], [], [], [])
    believed = len(records) > MOST_LOOKED_AT and all(record.stated for record in records)
    headers: Sequence[Header | DataError | None] = (
        [None] * len(records)
        if believed
        else list(each((record.path for record in records), whole_header))
    )
    for record, header in zip(records, headers, strict=True):
        if isinstance(header, DataError):
            looked.unread.append(str(header))
            continue
        size, turn = _size(record, header, odd)
        looked.records.append(record)
        looked.sizes.append(size)
        looked.turns.append(turn)
    return looked


def _size(record: Record, header: Header | None, odd: Oddities) -> tuple[tuple[int, int], int]:
    if header is None:
        return record.stated or (0, 0), 1
    size = (header.height, header.width)
    if record.stated is None or record.stated == size:
        return size, 1
    if AXES[header.turn][0] and record.stated == size[::-1]:
        odd.note("turned", record.name)
        return size, header.turn
    odd.note("resized", record.name)
    return size, 1


def assemble(
    looked: Looked,
    classes: tuple[str, ...],
    odd: Oddities,
    category_ids: tuple[int, ...] = (),
) -> AnnotatedFiles:
    """Make a set of records: boxes in the pixels of upright pictures, cut off at their edges.

    Objects of other classes and boxes without area are left out and counted.
    """
    labels = {name: label for label, name in enumerate(classes, start=1)}
    found = [
        _objects(record, size, turn, labels, odd)
        for record, size, turn in zip(looked.records, looked.sizes, looked.turns, strict=True)
    ]
    return AnnotatedFiles(
        paths=tuple(record.path for record in looked.records),
        table=ObjectTable.of(found),
        classes=classes,
        names=tuple(record.name for record in looked.records),
        sizes=looked.sizes,
        category_ids=category_ids,
    )


def _objects(
    record: Record, size: tuple[int, int], turn: int, labels: dict[str, int], odd: Oddities
) -> Objects:
    known = [thing for thing in record.things if thing.name in labels]
    foreign = [thing.name for thing in record.things if thing.name not in labels]
    if foreign:
        odd.note("foreign", f"{foreign[0]} in {record.name}", len(foreign))
    if not known:
        return Objects.none()
    boxes_R4 = turned(torch.tensor([thing.box for thing in known]), size, turn)
    inside_R4, kept_R = _brought_inside(boxes_R4, size, record.name, odd)
    boxes_R = (inside_R4[:, 2] - inside_R4[:, 0]) * (inside_R4[:, 3] - inside_R4[:, 1])
    areas = [thing.area for thing in known]
    stated_R = torch.tensor([float("nan") if area is None else area for area in areas])
    return Objects.of(
        inside_R4,
        [labels[thing.name] for thing in known],
        difficult_R=[thing.difficult for thing in known],
        crowd_R=[thing.crowd for thing in known],
        area_R=torch.where(stated_R.isnan(), boxes_R, stated_R),
    )[kept_R]


def _brought_inside(
    boxes_R4: Tensor, size: tuple[int, int], name: str, odd: Oddities
) -> tuple[Tensor, Tensor]:
    """Cut boxes off at the edges of a picture; also say which are left."""
    height, width = size
    edges = torch.tensor([width, height, width, height], dtype=torch.float32)
    inside_R4 = torch.minimum(boxes_R4.clamp_min(0), edges)
    has_area_R = (boxes_R4[:, 2:] > boxes_R4[:, :2]).all(dim=1)
    kept_R = (inside_R4[:, 2:] > inside_R4[:, :2]).all(dim=1)
    cut_R = ((boxes_R4 - inside_R4).abs() > SLACK).any(dim=1)
    for kind, which_R in (
        ("no_area", ~has_area_R),
        ("outside", has_area_R & ~kept_R),
        ("cut", kept_R & cut_R),
    ):
        if which_R.any():
            odd.note(kind, name, int(which_R.sum()))
    # A box that ends before it begins is none; what is kept is not touched by this.
    return torch.cat([inside_R4[:, :2], inside_R4[:, 2:].maximum(inside_R4[:, :2])], 1), kept_R


def turned(boxes_R4: Tensor, size: tuple[int, int], turn: int) -> Tensor:
    """Turn boxes of a picture as it is stored into those of the upright one.

    Args:
        boxes_R4: XYXY in the stored picture.
        size: height and width of the upright picture.
        turn: the EXIF orientation, 1 to 8.
    """
    swap, mirror_x, mirror_y = AXES[turn]
    height, width = size[::-1] if swap else size
    left, top, right, bottom = boxes_R4.unbind(dim=1)
    if mirror_x:
        left, right = width - right, width - left
    if mirror_y:
        top, bottom = height - bottom, height - top
    found = (top, left, bottom, right) if swap else (left, top, right, bottom)
    return torch.stack(found, dim=1)


def unreadable(unread: Sequence[str], count: int, allowed: float) -> str | None:
    """Say which of so many pictures cannot be read; None if all can.

    Raises:
        DataError: they are more than the share that is allowed.
    """
    if not unread:
        return None
    more = f"; and {len(unread) - 5:,} more" if len(unread) > 5 else ""
    told = f"{len(unread):,} of {count:,} pictures cannot be read: {'; '.join(unread[:5])}{more}"
    if len(unread) > allowed * count:
        raise DataError(
            f"{told} (mend or remove them, or allow more than {100 * allowed:g} % with "
            "--data.max-unreadable)"
        )
    return f"{told}; they are left out"
