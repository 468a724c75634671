"""From records in named parts to the three parts of a set of pictures with objects.

Parts that the files tell apart stay as they are. Where one part is held out and no other, it is the
test part, whatever its name, and what is chosen with comes out of the training part. Where nothing
is told apart, pictures are divided here: by content, so that it is the same on every machine and
copies stay together, and the same share of the pictures of every class.
"""

import warnings
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from residua.data.divide import content_key
from residua.data.objects import AnnotatedSplits
from residua.data.oddities import Oddities
from residua.data.records import Looked, Record, assemble, look, unreadable
from residua.errors import ConfigError, DataError, DataWarning

# Records by part: "train", "validation" and "test" where they are told apart, else "all".
Parts = Mapping[str, Sequence[Record]]


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What annotations say, before any picture is looked at.

    Args:
        root: of the set.
        kind: a phrase for its layout.
        classes: names; label k is `classes[k - 1]`.
        parts: records by part.
        odd: what was odd so far.
        remarks: sentences about what was detected.
        category_ids: the numbers that the annotation gives the classes, if it does.
    """

    root: Path
    kind: str
    classes: tuple[str, ...]
    parts: Parts
    odd: Oddities = field(default_factory=Oddities)
    remarks: tuple[str, ...] = ()
    category_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How pictures are divided, and which are left out.

    Args:
        validation: share to choose with, of sets that do not come with such a part; 0 for none.
        test: share to test on, likewise.
        keep_empty: learn from pictures without objects too.
        max_unreadable: share of the pictures that may be missing or damaged.
    """

    validation: float
    test: float
    keep_empty: bool
    max_unreadable: float


@dataclass(frozen=True, kw_only=True)
class Surveyed:
    """A set of pictures with objects, and what is to be said of it.

    Args:
        survey: what the annotations say.
        splits: the set.
        how: a phrase for how its parts came about.
        odd: all that was odd.
        unread: a sentence about pictures that cannot be read, if there are any.
        unread_count: how many these are.
    """

    survey: Survey
    splits: AnnotatedSplits
    how: str
    odd: Oddities
    unread: str | None
    unread_count: int = 0

    def sentences(self) -> list[str]:
        """Say all that is odd."""
        told = [] if self.unread is None else [self.unread]
        return [*self.survey.remarks, *told, *self.odd.sentences()]


def surveyed(survey: Survey, sharing: Sharing) -> Surveyed:
    """Look at the pictures of a set, divide it, and bring its boxes into the pictures.

    Raises:
        DataError: too many pictures cannot be read, or a part would be without pictures.
        ConfigError: a share is out of range.
    """
    _check(sharing)
    odd = Oddities(Counter(survey.odd.counts), dict(survey.odd.examples))
    looked = {name: look(records, odd) for name, records in survey.parts.items() if records}
    unread = [why for part in looked.values() for why in part.unread]
    count = len(unread) + sum(len(part.records) for part in looked.values())
    if not count:
        raise DataError(f"{survey.root} has no annotated pictures")
    told = unreadable(unread, count, sharing.max_unreadable)
    divided, how = _divide(looked, sharing, survey.root)
    if not sharing.keep_empty:
        divided["train"] = _where(
            divided["train"], [bool(r.things) for r in divided["train"].records]
        )
    _note_shared(divided, odd)
    sets = {
        name: assemble(part, survey.classes, odd, survey.category_ids)
        for name, part in divided.items()
        if part.records
    }
    for name in ("train", "test"):
        if name not in sets:
            raise DataError(f"{survey.root} leaves no pictures to {name} on ({how})")
    splits = AnnotatedSplits(sets["train"], sets.get("validation"), sets["test"])
    return Surveyed(
        survey=survey, splits=splits, how=how, odd=odd, unread=told, unread_count=len(unread)
    )


def _check(sharing: Sharing) -> None:
    chosen, tested = sharing.validation, sharing.test
    if not (0 <= chosen < 1 and 0 < tested < 1 and chosen + tested < 1):
        raise ConfigError(
            "validation_share and test_share must leave something to learn from, got "
            f"{chosen} and {tested}"
        )


def _divide(
    looked: dict[str, Looked], sharing: Sharing, root: Path
) -> tuple[dict[str, Looked], str]:
    parts = dict(looked)
    if "all" in parts or set(parts) == {"train"}:
        whole = parts["all"] if "all" in parts else parts["train"]
        tested, chosen, learned = _by_content(whole, (sharing.test, sharing.validation))
        how = "split here by content, the same share of every class"
        return {"train": learned, "validation": chosen, "test": tested}, how
    if "train" not in parts:
        raise DataError(
            f"{root} has pictures for {' and '.join(parts)}, but none to learn from: say which "
            "with --data.train, or add that part"
        )
    if len(parts) == 3:
        return parts, "split as its files say"
    held_out = "test" if "test" in parts else "validation"
    _, chosen, learned = _by_content(parts["train"], (0.0, sharing.validation))
    taken = ", pictures to choose with taken out of the training part" if chosen.records else ""
    how = f"{held_out} part to test on{taken}"
    return {"train": learned, "validation": chosen, "test": parts[held_out]}, how


def _by_content(looked: Looked, shares: tuple[float, float]) -> tuple[Looked, Looked, Looked]:
    """Take two shares out of a part; what is left comes last."""
    if not any(shares):
        return _where(looked, []), _where(looked, []), looked
    with ThreadPoolExecutor() as pool:
        keys = list(pool.map(content_key, (record.path for record in looked.records)))
    copies: dict[bytes, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        copies[key].append(index)
    groups: dict[str, list[list[int]]] = defaultdict(list)
    rarest = _rarest_class(looked.records)
    for key in sorted(copies):
        groups[rarest[copies[key][0]]].append(copies[key])
    place = [2] * len(looked.records)
    # What a share does not divide evenly is carried over to the next class, so that small classes
    # together have their share too.
    owed = [0.0, 0.0]
    for name in sorted(groups):
        waiting = deque(groups[name])
        count = sum(map(len, waiting))
        for target, share in enumerate(shares):
            owed[target] += share * count
            while waiting and owed[target] >= len(waiting[0]) / 2:
                taken = waiting.popleft()
                owed[target] -= len(taken)
                for index in taken:
                    place[index] = target
    chosen, tested, rest = ([found == part for found in place] for part in (0, 1, 2))
    return _where(looked, chosen), _where(looked, tested), _where(looked, rest)


def _rarest_class(records: Sequence[Record]) -> list[str]:
    """Name for each picture the class in it that the fewest pictures have; "" if it has none."""
    held = [{thing.name for thing in record.things} for record in records]
    counts = Counter(name for names in held for name in names)
    return [min(names, key=lambda name: (counts[name], name), default="") for names in held]


def _where(looked: Looked, kept: Sequence[bool]) -> Looked:
    chosen = [index for index, keep in enumerate(kept) if keep]
    return replace(
        looked,
        records=[looked.records[index] for index in chosen],
        sizes=[looked.sizes[index] for index in chosen],
        turns=[looked.turns[index] for index in chosen],
    )


def _note_shared(divided: dict[str, Looked], odd: Oddities) -> None:
    """Count pictures that are learned from and held out too."""
    learned = {record.path for record in divided["train"].records}
    for name in ("validation", "test"):
        held_out = divided.get(name)
        for record in held_out.records if held_out else ():
            if record.path in learned:
                odd.note("shared", record.name)


def warn_of(found: Surveyed) -> None:
    """Warn, once, of all that is odd about a set that is used all the same."""
    if found.sentences():
        told = "; ".join(found.sentences())
        warnings.warn(f"{found.survey.root}: {told}", DataWarning, stacklevel=3)
