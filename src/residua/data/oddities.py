"""What is odd about the annotation of a set of pictures: counted, with an example, and said."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Odd = Literal[
    "no_area",
    "outside",
    "cut",
    "nameless",
    "foreign",
    "unannotated",
    "dummy",
    "resized",
    "turned",
    "shared",
    "unreadable",
]

# What is said of one and of several; the words in brackets fall away for one.
PHRASES: dict[Odd, tuple[str, str]] = {
    "no_area": ("box has no area and is left out", "boxes have no area and are left out"),
    "outside": (
        "box lies outside of its picture and is left out",
        "boxes lie outside of their pictures and are left out",
    ),
    "cut": (
        "box reaches over the edge of its picture and is cut off there",
        "boxes reach over the edges of their pictures and are cut off there",
    ),
    "nameless": (
        "object has no name or no readable box and is left out",
        "objects have no name or no readable box and are left out",
    ),
    "foreign": (
        "object is of a class that is not learned from and is left out",
        "objects are of classes that are not learned from and are left out",
    ),
    "unannotated": (
        "picture has no annotation and is left out",
        "pictures have no annotation and are left out",
    ),
    "dummy": (
        "category only groups the others, has no objects and is left out",
        "categories only group the others, have no objects and are left out",
    ),
    "resized": (
        "picture has another size than its annotation says; its boxes are taken as they are",
        "pictures have other sizes than their annotations say; their boxes are taken as they are",
    ),
    "turned": (
        "picture is stored on its side and was annotated so; its boxes are turned with it",
        "pictures are stored on their sides and were annotated so; their boxes are turned with "
        "them",
    ),
    "shared": (
        "picture is in more than one part: what is tested on was learned from",
        "pictures are in more than one part: what is tested on was learned from",
    ),
    "unreadable": (
        "picture cannot be read and is left out",
        "pictures cannot be read and are left out",
    ),
}


@dataclass
class Oddities:
    """How often each odd thing was met, and where first.

    Args:
        counts: by the kind of oddity.
        examples: of each kind, the first place.
    """

    counts: Counter[Odd] = field(default_factory=Counter)
    examples: dict[Odd, str] = field(default_factory=dict)

    def note(self, odd: Odd, where: str, count: int = 1) -> None:
        """Count something odd that was met at a place."""
        self.counts[odd] += count
        self.examples.setdefault(odd, where)

    def sentence(self, odd: Odd) -> str:
        """Say how often one odd thing was met."""
        count = self.counts[odd]
        return f"{count:,} {PHRASES[odd][count != 1]} (such as {self.examples[odd]})"

    def sentences(self) -> list[str]:
        """Say all that was met."""
        return [self.sentence(odd) for odd in PHRASES if self.counts[odd]]
