"""What is wrong with a folder of pictures, in sentences that say what to do.

Only the headers of files are read, and all of a file only where another one is as long; a hundred
thousand pictures take a minute or two.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from residua.data.pictures import each
from residua.data.probe import UNEVEN, Header, imbalance_phrase, whole_header
from residua.data.recognise import Layout, recognise
from residua.errors import DataError

SHOWN = 3
# Shorter sides, in pixels, that make for too little to see and for slow reading.
TINY, HUGE = 16, 1500
FEW = 20
DEEP_MODES = ("I", "F")


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a set of pictures.

    Args:
        serious: whether training on the set as it is would fail or deceive.
        sentence: what is wrong, and what to do.
    """

    serious: bool
    sentence: str


@dataclass(frozen=True)
class Examination:
    """What was found in a folder of pictures.

    Args:
        layout: what it was recognised as; None if it could not be.
        findings: the serious ones first.
    """

    layout: Layout | None
    findings: list[Finding]


def examine(path: str | Path, *, max_unreadable: float = 0.01) -> Examination:
    """Examine a folder of pictures.

    Args:
        path: of the folder.
        max_unreadable: share of unreadable files from which on training would refuse it.
    """
    try:
        layout = recognise(path)
    except DataError as error:
        return Examination(None, [Finding(True, str(error))])
    names = [name for part in layout.parts.values() for name in part.names]
    seen = list(each((layout.root / name for name in names), whole_header))
    headers = [found for found in seen if isinstance(found, Header)]
    faults = [str(found) for found in seen if isinstance(found, DataError)]
    findings = [
        *_unreadable(faults, len(names), max_unreadable),
        *_copies(layout),
        *_counts(layout),
        *_kinds(headers),
        *(Finding(False, remark) for remark in layout.remarks),
    ]
    return Examination(layout, sorted(findings, key=lambda finding: not finding.serious))


def _unreadable(faults: list[str], count: int, allowed: float) -> Iterable[Finding]:
    if faults:
        more = f"; and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else ""
        yield Finding(
            len(faults) > allowed * count,
            f"{len(faults):,} of {count:,} files cannot be read: {'; '.join(faults[:SHOWN])}{more} "
            "(mend or remove them; training leaves out as many as --data.max-unreadable allows)",
        )


def _copies(layout: Layout) -> Iterable[Finding]:
    """Find files with the same bytes: within a part, across parts, and across classes."""
    places = [
        (layout.root / name, part, label)
        for part, members in layout.parts.items()
        for name, label in zip(members.names, members.labels, strict=True)
    ]
    groups = same_bytes([path for path, _, _ in places])
    across = [group for group in groups if len({places[i][1] for i in group}) > 1]
    contradicting = [group for group in groups if len({places[i][2] for i in group}) > 1]
    if across:
        yield Finding(
            True,
            f"{len(across):,} pictures lie in more than one part, such as "
            f"{_named(across[0], places)}: what is tested on was learned from, so the test error "
            "flatters (remove them from the training folder)",
        )
    if contradicting:
        yield Finding(
            len(contradicting) > 0.01 * len(places),
            f"{len(contradicting):,} pictures lie in more than one class, such as "
            f"{_named(contradicting[0], places)}: one of them is wrong",
        )
    inner = sum(len(group) - 1 for group in groups)
    if inner:
        kept = (
            "; a split made here keeps the copies in a class together"
            if "all" in layout.parts
            else ""
        )
        yield Finding(
            False, f"{inner:,} files are copies, such as {_named(groups[0], places)}{kept}"
        )


def same_bytes(paths: list[Path]) -> list[list[int]]:
    """Group the indices of files that hold the same bytes; only files of one length are read."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, path in enumerate(paths):
        try:
            by_length[path.stat().st_size].append(index)
        except OSError:
            continue  # It is among the unreadable ones.
    candidates = [i for group in by_length.values() if len(group) > 1 for i in group]
    with ThreadPoolExecutor() as pool:
        digests = pool.map(_digest, (paths[i] for i in candidates))
    by_content: dict[bytes, list[int]] = defaultdict(list)
    for index, digest in zip(candidates, digests, strict=True):
        if digest is not None:
            by_content[digest].append(index)
    return [group for group in by_content.values() if len(group) > 1]


def _digest(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return None


def _named(group: list[int], places: list[tuple[Path, str, int]]) -> str:
    return " and ".join(str(places[index][0]) for index in group[:2])


def _counts(layout: Layout) -> Iterable[Finding]:
    counts = layout.counts()
    if max(counts) > UNEVEN * min(counts):
        yield Finding(
            False,
            f"{imbalance_phrase(layout.classes, counts)}: --balance shows all classes equally "
            "often, and the table of `residua evaluate` says how each one fares",
        )
    few = [name for name, count in zip(layout.classes, counts, strict=True) if count < FEW]
    if few:
        more = f" and {len(few) - SHOWN} more" if len(few) > SHOWN else ""
        yield Finding(
            False,
            f"{', '.join(few[:SHOWN])}{more} have fewer than {FEW} pictures: too few to say how "
            "well they are told apart",
        )
    if +layout.ignored:
        endings = ", ".join(f"{n:,} {ending}" for ending, n in layout.ignored.most_common(4))
        heic = (
            " (Pillow cannot read HEIC: convert them to JPEG)" if ".heic" in layout.ignored else ""
        )
        yield Finding(False, f"files that are no pictures are left out: {endings}{heic}")


def _kinds(headers: list[Header]) -> Iterable[Finding]:
    if not headers:
        return
    sides = sorted(min(each_one.width, each_one.height) for each_one in headers)
    tiny = sum(side < TINY for side in sides)
    if tiny:
        yield Finding(
            False, f"{tiny:,} pictures have a side of fewer than {TINY} pixels: little to see"
        )
    if sides[len(sides) // 2] > HUGE:
        yield Finding(
            False,
            f"half of the pictures have more than {sides[len(sides) // 2]:,} pixels on their "
            "shorter side: copies shrunk to about 500 would be read much faster",
        )
    modes = Counter(each_one.mode for each_one in headers)
    deep = sum(count for mode, count in modes.items() if mode.startswith(DEEP_MODES))
    if deep:
        yield Finding(
            False,
            f"{deep:,} pictures have more than 8 bits: 0 to 65,535 become 0 to 255, so what uses "
            "a part of that range alone is read dark",
        )
    if modes["CMYK"]:
        yield Finding(
            False, f"{modes['CMYK']:,} pictures are of four inks: their colours are approximate"
        )
    grey = sum(modes[mode] for mode in ("1", "L", "LA"))
    if 0 < grey < len(headers):
        yield Finding(
            False,
            f"{grey:,} of {len(headers):,} pictures are grey: a network may learn that instead of "
            "what they show, if some classes have more of them",
        )
