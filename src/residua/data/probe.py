"""A look at some pictures of a folder, without decoding them: how large they are, and of what kind.

The sentences that say what a folder was recognised as are made here.
"""

import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from residua.data.decode import opened
from residua.data.divide import Divided
from residua.data.pictures import each
from residua.data.recognise import Layout
from residua.data.upright import orientation, upright_size
from residua.errors import DataError

LOOKED_AT = 200
SHOWN_CLASSES = 8
# How many times as large the largest class may be as the smallest before it is worth a word.
UNEVEN = 3.0
# A JPEG ends with this marker; cameras may write a little more after it.
END_OF_JPEG, TAIL = b"\xff\xd9", 4096
GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})


class Header(NamedTuple):
    """What a picture file says of itself.

    Args:
        width: of the upright picture, in pixels.
        height: likewise.
        mode: the kind of its pixels.
        format: of the file.
        turn: its EXIF orientation, 1 to 8; 1 is upright.
    """

    width: int
    height: int
    mode: str
    format: str
    turn: int = 1


@dataclass(frozen=True)
class Probe:
    """What was seen of some pictures.

    Args:
        headers: of the files that are pictures.
        unread: why the others are not.
    """

    headers: list[Header]
    unread: list[str]

    @property
    def typical_side(self) -> int:
        """Median length of the shorter side, in pixels."""
        return round(statistics.median(min(h.width, h.height) for h in self.headers))

    @property
    def grey(self) -> bool:
        """Whether no picture has colours."""
        return all(header.mode in GREY_MODES for header in self.headers)


def header(path: Path) -> Header:
    """Read what a picture file says of itself.

    Raises:
        DataError: it is no picture.
    """
    with opened(path) as picture:
        turn = orientation(picture)
        size = upright_size(picture, turn)
        return Header(*size, picture.mode, picture.format or "unknown", turn)


def whole_header(path: Path) -> Header:
    """Read what a picture file says of itself, and see that a JPEG has its end.

    Raises:
        DataError: it is no picture, or is cut short.
    """
    found = header(path)
    if found.format in {"JPEG", "MPO"}:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            if END_OF_JPEG not in file.read():
                raise DataError(f"{path} is cut short")
    return found


def probe(layout: Layout, count: int = LOOKED_AT) -> Probe:
    """Look at some pictures of a folder, evenly spread.

    Raises:
        DataError: none of them can be read.
    """
    names = [name for part in layout.parts.values() for name in part.names]
    chosen = [
        names[i * len(names) // min(count, len(names))] for i in range(min(count, len(names)))
    ]
    found = list(each((layout.root / name for name in chosen), header))
    headers = [each_one for each_one in found if isinstance(each_one, Header)]
    unread = [str(fault) for fault in found if isinstance(fault, DataError)]
    if not headers:
        raise DataError(f"{layout.root}: none of its files can be read; the first: {unread[0]}")
    return Probe(headers, unread)


def sentences(layout: Layout, found: Probe, divided: Divided, how_read: str) -> list[str]:
    """Say what a folder was recognised as and how it will be used.

    Args:
        layout: of the folder.
        found: of its pictures.
        divided: its parts.
        how_read: a phrase.
    """
    counts = layout.counts()
    sizes = Counter((h.width, h.height) for h in found.headers)
    (width, height), most = sizes.most_common(1)[0]
    sides = sorted(min(h.width, h.height) for h in found.headers)
    size = (
        f"{width}x{height} pixels"
        if most == len(found.headers)
        else f"shorter side {sides[0]} to {sides[-1]} pixels, typically {found.typical_side}"
    )
    parts = {"to learn from": divided.train, "to choose with": divided.validation}
    parts["to test on"] = divided.test
    told = ", ".join(f"{len(part):,} {what}" for what, part in parts.items() if part)
    said = [
        f"{layout.root}: {layout.kind}, {sum(counts):,} pictures of {len(counts)} classes "
        f"({classes_phrase(layout.classes, counts)}), {size}",
        f"{told} ({divided.how}); {how_read}",
        *layout.remarks,
    ]
    if +layout.ignored:
        endings = ", ".join(f"{n:,} {ending}" for ending, n in layout.ignored.most_common(4))
        said.append(f"{(+layout.ignored).total():,} files are no pictures and left out: {endings}")
    if max(counts) > UNEVEN * min(counts):
        said.append(
            f"{imbalance_phrase(layout.classes, counts)}: --balance shows all classes equally often"
        )
    return said


def classes_phrase(classes: tuple[str, ...], counts: list[int]) -> str:
    """Name the classes with their counts, or the first of many."""
    shown = [f"{n} {c:,}" for n, c in zip(classes, counts, strict=True)][:SHOWN_CLASSES]
    return ", ".join(shown) + (", ..." if len(classes) > SHOWN_CLASSES else "")


def imbalance_phrase(classes: tuple[str, ...], counts: list[int]) -> str:
    """Say how much larger the largest class is than the smallest."""
    large, small = counts.index(max(counts)), counts.index(min(counts))
    return (
        f"{classes[large]} has {counts[large] / max(counts[small], 1):.1f} times the pictures of "
        f"{classes[small]} ({counts[large]:,} against {counts[small]:,})"
    )
