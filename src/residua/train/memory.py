"""The memory and the time of a training step before it is made, and what to recompute to save some.

Between the forward and the backward pass a net keeps what its units save. A recomputed segment
keeps its input alone, and holds what its units save only while its own backward pass runs, when
the segments behind it are done. So the peak of a plan is

    max over segments i:  inputs of segments 1..i + what segment i saves,  and  inputs + the rest,

where the rest is what the units save that are not recomputed: the last ones, as they are the first
to be freed and, in nets that halve the picture, save least for the time that they take.

Sources:
    [C] Chen et al., Training Deep Nets with Sublinear Memory Cost, arXiv:1604.06174.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from torch import nn

from residua.errors import ConfigError
from residua.train.profile import Profile
from residua.train.recompute import Recomputed, Segment
from residua.train.shorten import Unit

# Gradients, sums and what convolutions need for themselves, besides what is kept, as multiples of
# the largest input of a unit.
WORKING = 4
# What a first step adds to a process besides tensors: compiled kernels and their buffers.
PROCESS_BYTES = {"cpu": 20e6}
# Of glibc, whose aligned allocations do not fit into holes of just their size: the resident set
# after three steps by the bytes counted was 1.44 to 1.73, in four measurements of cifar.resnet20,
# 56 and 110 at batches of 32 to 192. In a first step it is 1.0.
FRAGMENTS = {"cpu": 1.5}
# The same with recomputation, which allocates more often: 2.5 and 2.9 for cifar.resnet56 at 48.
FRAGMENTS_AGAIN = {"cpu": 2.7}
# Each step down of what nested recomputation aims at.
FINER = 0.85

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
BINARY = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a training step is made, and what it is predicted to take.

    Attributes:
        batch: pictures.
        segments: recomputed in the backward pass; none in plain training.
        peak: bytes that a step needs at most, above what is in use before the first.
        plain: the same without recomputation.
        seconds: of a step.
        plain_seconds: of a step without recomputation.
    """

    batch: int
    segments: tuple[Segment, ...]
    peak: int
    plain: int
    seconds: float
    plain_seconds: float

    def recompute(self, net: nn.Module) -> nn.Module:
        """Return the net as the plan trains it: itself, or one that shares all with it."""
        return Recomputed(net, self.segments) if self.segments else net

    def record(self) -> dict[str, Any]:
        """What the record of a run says of the plan."""
        return {**asdict(self), "sentence": self.sentence()}

    def prediction(self) -> str:
        """Say what a step takes, and how that is known."""
        rate = self.batch / max(self.seconds, 1e-12)
        return (
            f"predicted: a training step of {self.batch} pictures takes {size(self.peak)} of memory"
            f" besides the weights, and {self.seconds:.3g} s ({rate:,.0f} images/s); bytes are "
            "counted, seconds measured on a few units of each kind"
        )

    def sentence(self) -> str:
        """Say what is done and what it costs."""
        if not self.segments:
            return f"predicted memory of a step {size(self.plain)}: no recomputation"
        nested = " in two levels" if any(segment.inner for segment in self.segments) else ""
        return (
            f"recomputing activations of {len(self.segments)} segments{nested}: predicted "
            f"{size(self.peak)} instead of {size(self.plain)}, about "
            f"{self.seconds / max(self.plain_seconds, 1e-12):.2f} times the time"
        )


def parse_bytes(text: str) -> int:
    """Read a size such as 6GB, 800MB or 1.5GiB as bytes.

    Raises:
        ConfigError: it is not a size, or not above zero.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", text.strip().lower())
    if found is None or float(found[1]) <= 0 or (found[3] and not found[2]):
        raise ConfigError(f"memory must be a size above zero like 6GB, 800MB or 6GiB, got {text!r}")
    number, prefix, binary = found.groups()
    return int(float(number) * (BINARY if binary else UNITS)[prefix])


def size(count: float) -> str:
    """Write a number of bytes as people do: 1.2 GB, 830 MB."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def choose(profile: Profile, batch: int, budget: int | None = None) -> Plan:
    """Choose what to recompute: as little as lets a step fit into a budget; nothing without one.

    Raises:
        ConfigError: nothing fits; the least that is predicted is named, and a batch that would.
    """
    problem = _Problem.of(profile, batch)
    found: tuple[list[Segment], float, float] | None = ([], problem.plain, 0.0)
    if budget is not None and problem.bytes(problem.plain) > budget:
        found = problem.cheapest(budget)
    if found is None:
        raise ConfigError(_too_small(profile, batch, budget or 0))
    segments, peak, extra = found
    seconds = profile.seconds(batch)
    return Plan(
        batch=batch,
        segments=tuple(segments),
        peak=round(problem.bytes(peak, again=bool(segments))),
        plain=round(problem.bytes(problem.plain)),
        seconds=seconds + extra,
        plain_seconds=seconds,
    )


def smallest(profile: Profile, batch: int) -> int:
    """Predict the bytes of a step with as much recomputation as helps."""
    return round(_Problem.of(profile, batch).least())


def _too_small(profile: Profile, batch: int, budget: int) -> str:
    least = smallest(profile, batch)
    below, above = 0, batch
    while above - below > 1:
        middle = (below + above) // 2
        fits = smallest(profile, middle) <= budget
        below, above = (middle, above) if fits else (below, middle)
    remedy = f"a batch of {below} would fit" if below else "no batch would fit"
    return (
        f"memory {size(budget)} is not enough: with all activations recomputed a step of "
        f"{batch} pictures is predicted to take {size(least)} ({remedy})"
    )


class _Problem:
    """Units in a row with their bytes: which to recompute, under a bound on the peak.

    Between units p - 1 and p lies a boundary p, whose tensor is the input of unit p.
    """

    def __init__(
        self, units: Sequence[Unit], fixed: float, fragments: float, fragments_again: float
    ) -> None:
        self.units = units
        self.fixed = fixed
        self.fragments = fragments
        self.fragments_again = fragments_again
        self.inside = list(accumulate((unit.inside for unit in units), initial=0))
        boundaries = (unit.input * unit.keeps_input for unit in units)
        self.between = list(accumulate(boundaries, initial=0))
        self.plain = float(self.inside[-1] + self.between[-1])
        self.again = list(accumulate((0.0 if u.fixed else u.forward for u in units), initial=0.0))

    @classmethod
    def of(cls, profile: Profile, batch: int) -> "_Problem":
        """Put a profile at a batch into numbers."""
        units = profile.units(batch)
        largest = max((unit.input for unit in units), default=0)
        fixed = profile.parameters + profile.state + 2 * batch * profile.picture
        fixed += WORKING * largest + PROCESS_BYTES.get(profile.device, 0)
        device = profile.device
        return cls(units, fixed, FRAGMENTS.get(device, 1.0), FRAGMENTS_AGAIN.get(device, 1.0))

    def bytes(self, activations: float, *, again: bool = False) -> float:
        """Add to activations what a step needs besides."""
        return (self.fragments_again if again else self.fragments) * activations + self.fixed

    def cheapest(self, budget: float) -> tuple[list[Segment], float, float] | None:
        """Find segments that fit, their peak, and the seconds that they cost; None if none do."""
        bound = (budget - self.fixed) / self.fragments_again
        found = self.one_level(bound)
        if found is not None:
            return found
        fitting = [plan for plan in self._nested_plans() if plan[1] <= bound]
        return min(fitting, key=lambda plan: plan[2], default=None)

    def least(self) -> float:
        """Return the bytes of the smallest plan."""
        once = self._smallest_bound()
        again = min([once, *(peak for _, peak, _ in self._nested_plans())])
        return min(self.bytes(again, again=True), self.bytes(self.plain))

    def one_level(self, bound: float) -> tuple[list[Segment], float, float] | None:
        """Recompute units up to the first place behind which all others fit as they are."""
        held, came = self._reach(0, bound)
        for cut in range(len(self.units) + 1):
            if cut in held and held[cut] + self._rest(cut) <= bound:
                segments = self._trace(cut, came)
                return segments, self._peak(segments, cut), self.again[cut]
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
        """Bytes that a segment saves when it runs again, its input left out."""
        inside = self.inside[stop] - self.inside[start]
        return inside + self.between[stop] - self.between[start + 1] + self.units[stop - 1].output

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

    def _nested_plans(self) -> list[tuple[list[Segment], float, float]]:
        """List plans of two levels, ever smaller ones, independent of what is asked for."""
        plans: list[tuple[list[Segment], float, float]] = []
        bound = self._smallest_bound() * FINER
        while (found := self._nested(bound)) is not None:
            plans.append(found)
            bound *= FINER
        return plans

    def _nested(self, bound: float) -> tuple[list[Segment], float, float] | None:
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
        return (segments, bound, extra) if held <= bound else None
