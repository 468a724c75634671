"""Dividing pictures into those to learn from, to choose with and to test on.

The division is by content, class by class: it is the same on every machine, does not change when
files are renamed or moved, changes little when files are added, and keeps copies of one file
together.
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from residua.data.recognise import Layout, Part
from residua.errors import ConfigError, DataError

# Bytes at each end of a file that, with its length, name its content.
ENDS = 4096


@dataclass(frozen=True)
class Divided:
    """The parts of a data set, and a phrase for how they came about."""

    train: Part
    validation: Part | None
    test: Part
    how: str


def divide(layout: Layout, *, validation: float, test: float) -> Divided:
    """Divide a set of pictures; parts that its folders tell apart stay as they are.

    Where one part is held out and no other, it is the test part, whatever its name, and what is
    chosen with comes out of the training part: nothing is ever chosen with test pictures.

    Args:
        layout: the set.
        validation: share of the training folder, or of all, to choose with; 0 for none. It is for
            sets that do not come with such a part.
        test: share of all to test on, likewise.

    Raises:
        ConfigError: the shares are out of range.
        DataError: a class has too few pictures to be in every part.
    """
    if not (0 <= validation < 1 and 0 < test < 1 and validation + test < 1):
        raise ConfigError(
            "validation and test must be shares that leave something to learn from, got "
            f"{validation} and {test}"
        )
    parts = dict(layout.parts)
    if "all" in parts or len(parts) == 1:
        whole = parts.get("all") or parts["train"]
        tested, chosen, learned = _by_content(layout, whole, (test, validation))
        how = "split here, the same shares of every class"
        return Divided(learned, chosen, tested, how)
    if len(parts) == 3:
        return Divided(
            parts["train"], parts["validation"], parts["test"], "split as its folders are"
        )
    held_out = "test" if "test" in parts else "validation"
    _, chosen, learned = _by_content(layout, parts["train"], (0.0, validation))
    taken = f"{held_out} folder to test on" + (
        ", pictures to choose with taken out of the training folder" if chosen else ""
    )
    return Divided(learned, chosen, parts[held_out], taken)


def content_key(path: Path) -> bytes:
    """Name the content of a file by its length and its first and last bytes.

    Compressed pictures that agree in these are the same. Files that cannot be read share a key.
    """
    try:
        with path.open("rb") as file:
            length = file.seek(0, 2)
            file.seek(0)
            ends = file.read(ENDS)
            file.seek(max(0, length - ENDS))
            ends += file.read(ENDS)
    except OSError:
        return b""
    return hashlib.blake2b(length.to_bytes(8, "big") + ends, digest_size=16).digest()


def _by_content(
    layout: Layout, part: Part, shares: tuple[float, float]
) -> tuple[Part, Part | None, Part]:
    """Take shares of every class out of a part; what is left comes last."""
    if not any(shares):
        return Part([], []), None, part
    with ThreadPoolExecutor() as pool:
        paths = (layout.root / name for name in part.names)
        keys = list(pool.map(content_key, paths))
    place = [2] * len(part)
    members: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(part.labels):
        members[label].append(index)
    for label, indices in members.items():
        _place(layout.classes[label], indices, keys, shares, place)
    chosen = _select(part, place, 1)
    return _select(part, place, 0), chosen if len(chosen) else None, _select(part, place, 2)


def _place(
    name: str,
    indices: list[int],
    keys: Sequence[bytes],
    shares: tuple[float, float],
    place: list[int],
) -> None:
    """Say for each picture of a class which part it goes to: 0, 1, or 2 for what is left."""
    copies: dict[bytes, list[int]] = defaultdict(list)
    for index in indices:
        copies[keys[index]].append(index)
    needed = 1 + sum(share > 0 for share in shares)
    if len(copies) < needed:
        raise DataError(
            f"the class {name} has {len(copies)} different pictures, and {needed} is the least "
            "that can be divided: add some, or remove the class"
        )
    groups = deque(copies[key] for key in sorted(copies))
    for target, share in enumerate(shares):
        wanted = max(1, round(share * len(indices))) if share else 0
        # The last groups are kept for the parts that are still without one.
        reserve = needed - 1 - sum(other > 0 for other in shares[:target])
        taken = 0
        while taken < wanted and len(groups) > reserve:
            group = groups.popleft()
            taken += len(group)
            for index in group:
                place[index] = target


def _select(part: Part, place: Sequence[int], target: int) -> Part:
    chosen = [index for index, found in enumerate(place) if found == target]
    return Part([part.names[i] for i in chosen], [part.labels[i] for i in chosen])
