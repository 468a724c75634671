"""Which units of a net to run again, under a bound on the bytes that are kept.

Between the forward and the backward pass a net keeps what its units save. A recomputed segment
keeps its input alone, and holds what its units save only while its own backward pass runs, when
the segments behind it are done. So the peak of a plan is

    max over segments i:  inputs of segments 1..i + what segment i saves,  and  inputs + the rest,

where the rest is what the units save that are not recomputed: the last ones, as they are the first
to be freed and, in nets that halve the picture, save least for the time that they take.

Sources:
    [C] Chen et al., Training Deep Nets with Sublinear Memory Cost, arXiv:1604.06174.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from residua.train.recompute import Segment
from residua.train.shorten import Unit

# Each step down of what nested recomputation aims at.
FINER = 0.85


class Found(NamedTuple):
    """Segments, the bytes that they keep at most, and the seconds that they cost."""

    segments: list[Segment]
    peak: float
    extra: float


class Problem:
    """Units in a row with their bytes: which to recompute, under a bound on the peak.

    Between units p - 1 and p lies a boundary p, whose tensor is the input of unit p.

    Args:
        units: in the order of the forward pass.
        twice: whether what a segment saves counts twice, since what the one before it has freed
            is not back with the system yet.
    """

    def __init__(self, units: Sequence[Unit], *, twice: bool = False) -> None:
        self.units = units
        self.times = 2 if twice else 1
        self.inside = list(accumulate((unit.inside for unit in units), initial=0))
        boundaries = (unit.input * unit.keeps_input for unit in units)
        self.between = list(accumulate(boundaries, initial=0))
        self.plain = float(self.inside[-1] + self.between[-1])
        self.again = list(accumulate((0.0 if u.fixed else u.forward for u in units), initial=0.0))

    def plain_peak(self, share: float, working: float) -> float:
        """Return the most bytes of a plain step: what is kept up to a unit, and its own work.

        In the backward pass, what the units after it have kept is free again.

        Args:
            share: bytes that are taken for one that is kept.
            working: what a unit needs for itself, as a multiple of its input.
        """
        kept = (a + b for a, b in zip(self.inside[1:], self.between[1:], strict=True))
        peaks = (
            share * held + working * unit.input for held, unit in zip(kept, self.units, strict=True)
        )
        return max(peaks, default=0.0)

    def cheapest(self, bound: float) -> Found | None:
        """Find the segments that fit under a bound and cost least; None if none do."""
        found = self.one_level(bound)
        if found is not None:
            return found
        fitting = [plan for plan in self._nested_plans() if plan.peak <= bound]
        return min(fitting, key=lambda plan: plan.extra, default=None)

    def least(self) -> float:
        """Return the bytes of the smallest plan."""
        return min([self._smallest_bound(), *(plan.peak for plan in self._nested_plans())])

    def stretch(self, segments: Sequence[Segment]) -> float:
        """Return the most bytes that are saved between two looks at what the process holds."""
        most = 0.0
        for segment in segments:
            first = self._number(segment)
            places = (segment.start, *segment.inner, segment.stop)
            edges = [first + place - segment.start for place in places]
            most = max([most, *(self._full(start, stop) for start, stop in pairwise(edges))])
        return most / self.times

    def one_level(self, bound: float) -> Found | None:
        """Recompute units up to the first place behind which all others fit as they are."""
        held, came = self._reach(0, bound)
        for cut in range(len(self.units) + 1):
            if cut in held and held[cut] + self._rest(cut) <= bound:
                segments = self._trace(cut, came)
                return Found(segments, self._peak(segments, cut), self.again[cut])
        return None

    def _rest(self, cut: int) -> float:
        """Bytes that the units from a cut on keep, the input of the first included."""
        kept = self.inside[-1] - self.inside[cut]
        if cut == len(self.units):
            return kept
        first = self.units[cut]
        # The input of what lies outside of chains counts where it is made.
        own = first.input if first.index > 0 or first.keeps_input else 0
        return kept + self.between[-1] - self.between[cut + 1] + own

    def _full(self, start: int, stop: int) -> float:
        """Bytes to count for what a segment saves when it runs again, its input left out."""
        inside = self.inside[stop] - self.inside[start]
        between = self.between[stop] - self.between[start + 1]
        return self.times * (inside + between + self.units[stop - 1].output)

    def _reach(
        self, start: int, bound: float, *, nested: bool = False
    ) -> tuple[dict[int, float], dict[int, int]]:
        """Find the fewest bytes held in front of each boundary that a bound lets one come to.

        Args:
            start: where to begin.
            bound: on the bytes at every moment.
            nested: stay within the chain, where the input of the first segment is held already.
        """
        held: dict[int, float] = {start: 0.0}
        came: dict[int, int] = {}
        for p in range(start, self._end_of_chain(start) if nested else len(self.units)):
            if p not in held:
                continue
            if self.units[p].fixed:
                # What cannot be run again stays; its input is held, or an input of its own.
                self._offer(p + 1, held[p] + self._held(p), p, bound, held, came)
                continue
            if self.units[p].attached:
                continue
            own = 0.0 if nested and p == start else float(self.units[p].input)
            for stop in self._stops(p):
                if held[p] + own + self._full(p, stop) > bound:
                    break
                self._offer(stop, held[p] + own, p, bound, held, came)
        return held, came

    def _end_of_chain(self, start: int) -> int:
        """Return where the units end that can run again together with one."""
        chain, count = self.units[start].chain, len(self.units)
        others = (p for p in range(start, count) if self.units[p].chain != chain)
        fixed = (p for p in range(start, count) if self.units[p].fixed)
        return min(next(others, count), next(fixed, count))

    def _held(self, p: int) -> float:
        unit = self.units[p]
        return unit.inside + unit.output + (unit.input if unit.index > 0 else 0)

    @staticmethod
    def _offer(
        place: int,
        amount: float,
        origin: int,
        bound: float,
        held: dict[int, float],
        came: dict[int, int],
    ) -> None:
        if amount <= bound and amount < held.get(place, float("inf")):
            held[place], came[place] = amount, origin

    def _stops(self, start: int) -> Sequence[int]:
        """List the ends that a segment can have."""
        stops = []
        for p in range(start, len(self.units)):
            unit = self.units[p]
            if unit.chain != self.units[start].chain or unit.fixed:
                break
            follows = p + 1 < len(self.units) and self.units[p + 1].index > 0
            if not (follows and self.units[p + 1].attached):
                stops.append(p + 1)
        return stops

    def _trace(self, end: int, came: dict[int, int]) -> list[Segment]:
        segments: list[Segment] = []
        while end in came:
            start = came[end]
            if not self.units[start].fixed:
                segments.append(self._segment(start, end))
            end = start
        return segments[::-1]

    def _segment(self, start: int, stop: int, inner: Sequence[int] = ()) -> Segment:
        first = self.units[start]
        offset = first.index - start
        return Segment(
            chain=first.chain,
            start=first.index,
            stop=stop + offset,
            inner=tuple(place + offset for place in inner),
        )

    def _number(self, segment: Segment) -> int:
        return next(
            number
            for number, unit in enumerate(self.units)
            if (unit.chain, unit.index) == (segment.chain, segment.start)
        )

    def _peak(self, segments: Sequence[Segment], cut: int) -> float:
        """Return the most bytes at any moment of a plan of one level."""
        by_start = {self._number(segment): segment for segment in segments}
        held = peak = 0.0
        p = 0
        while p < cut:
            if p in by_start:
                segment = by_start[p]
                stop = p + segment.stop - segment.start
                held += self.units[p].input
                peak = max(peak, held + self._full(p, stop))
                p = stop
            else:
                held += self._held(p)
                p += 1
        return max(peak, held + self._rest(cut))

    def _smallest_bound(self) -> float:
        """Find the least bound that one level can keep, to a thousandth."""
        low, high = 0.0, self.plain
        while high - low > 1e-3 * high:
            middle = (low + high) / 2
            low, high = (low, middle) if self.one_level(middle) else (middle, high)
        return high

    def _nested_plans(self) -> list[Found]:
        """List plans of two levels, ever smaller ones, independent of what is asked for."""
        plans: list[Found] = []
        bound = self._smallest_bound() * FINER
        while (found := self._nested(bound)) is not None:
            plans.append(found)
            bound *= FINER
        return plans

    def _nested(self, bound: float) -> Found | None:
        """Recompute all, in segments that are as long as the bound lets them be, cut in turn."""
        held, extra, p = 0.0, 0.0, 0
        segments: list[Segment] = []
        while p < len(self.units):
            if self.units[p].fixed:
                held += self._held(p)
                p += 1
                continue
            held += self.units[p].input
            reached, came = self._reach(p, bound - held, nested=True)
            stop = max(reached)
            if stop == p:
                return None
            cuts: list[int] = []
            at = stop
            while at in came:
                at = came[at]
                cuts.append(at)
            inner = sorted(cuts)[1:]
            last = inner[-1] if inner else p
            extra += self.again[stop] - self.again[p] + self.again[last] - self.again[p]
            segments.append(self._segment(p, stop, inner))
            p = stop
        return Found(segments, bound, extra) if held <= bound else None
