"""Parts of a net that a shortcut could bridge, and which of them to take."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from residua.surgery.bridge import Kind, Shape, text


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A part with one way in and one way out: `y = F(x)`, to become `y = F(x) + g h(x)`.

    Attributes:
        first: what takes x: a module, or another value of the forward, by its name.
        last: what gives F(x).
        x: shape of x.
        f: shape of F(x).
        begin: place of its first layer in the order of computation.
        end: place of its last.
        layers: weight layers in it; more than follow one another, if it has branches.
        kind: the shortcut that fits; None if none does.
        weights: numbers that the shortcut learns.
        reason: why there is no shortcut.
        last_resort: whether x is the input of the net, or F(x) its scores.
    """

    first: str
    last: str
    x: Shape
    f: Shape
    begin: int
    end: int
    layers: int
    kind: Kind | None = None
    weights: int = 0
    reason: str = ""
    last_resort: bool = False

    @property
    def sentence(self) -> str:
        """Say why it is not bridged."""
        return f"{self.first} to {self.last} ({text(self.x)} to {text(self.f)}): {self.reason}"

    @property
    def _worth(self) -> int:
        """Weight layers that are bridged, and of equal ones those that an identity bridges."""
        return 100 * self.layers + (10 if self.kind == "identity" else 0)


def choose(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Take parts that do not overlap, so that they have as many weight layers as possible.

    Of choices with equally many, the one with most identities. Parts that begin at the input of the
    net or end in its scores are taken only where there are no others.
    """
    usable = [each for each in candidates if each.kind is not None]
    inner = [each for each in usable if not each.last_resort] or usable
    ordered = sorted(inner, key=lambda each: each.end)
    ends = [each.end for each in ordered]
    best = [0]
    taken: list[list[Candidate]] = [[]]
    for place, each in enumerate(ordered):
        before = bisect.bisect_left(ends, each.begin, hi=place)
        worth = best[before] + each._worth
        better = worth > best[place]
        best.append(worth if better else best[place])
        taken.append([*taken[before], each] if better else taken[place])
    return taken[-1]


def left(candidates: Sequence[Candidate], chosen: Sequence[Candidate]) -> list[str]:
    """Say of every part that is not taken why; what overlaps one that is taken needs no words."""
    return [each.sentence for each in candidates if each.reason and each not in chosen]
