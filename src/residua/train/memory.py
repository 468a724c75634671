"""The memory and the time of a training step before it is made, and what to recompute to save some.

Bytes of tensors are counted. What the process holds is more: the C library leaves holes. With
recomputation these are given back above a bound (`residua.train.resident`), at a look at every
segment. Between two looks one segment is freed and the next one saved, so that

    peak = HOLES * max(inputs + 2 * a segment, inputs + the rest) + what a step needs besides.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from residua.errors import ConfigError
from residua.train.profile import Profile
from residua.train.recompute import Recomputed, Segment
from residua.train.resident import Bound
from residua.train.segments import Problem

# Gradients, sums and what convolutions need for themselves, besides what is kept, as multiples of
# the largest input of a unit.
WORKING = 4
# What a first step adds to a process besides tensors: compiled kernels and their buffers.
PROCESS_BYTES = {"cpu": 20e6}
# Of glibc, whose aligned allocations do not fit into holes of just their size: what the resident
# set rises by, over what is kept. With it six plain steps in bfloat16 are predicted from 9 % below
# to 6 % above what they take: imagenet.resnet34 at 48, plain18 at 96 and resnet101 at 16,
# cifar.resnet110 at 256, wide.wrn28-10 at 32, mnist.residual34 at 96.
FRAGMENTS = {"cpu": 1.1}
# With recomputation, which asks more often, holes come to four times what is in use if nothing is
# done: 1.6 GB are held for 0.33 GB of tensors after the first step of cifar.resnet1202 at 128, in
# 76 segments of 8. They are given back above FILLED times the tensors. What is left of them then,
# pages free in part, and what grows between two looks: 1.43 for cifar.resnet110 at 96.
HOLES = {"cpu": 1.4}
FILLED = 1.25

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
BINARY = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a training step is made, and what it is predicted to take.

    Attributes:
        batch: pictures.
        segments: recomputed in the backward pass; none in plain training.
        rise: bytes above which freed memory is given back to the system; None where it never is.
        peak: bytes that a step needs at most, above what is in use before the first.
        plain: the same without recomputation.
        seconds: of a step.
        plain_seconds: of a step without recomputation.
    """

    batch: int
    segments: tuple[Segment, ...]
    rise: int | None
    peak: int
    plain: int
    seconds: float
    plain_seconds: float

    def recompute(self, net: nn.Module) -> nn.Module:
        """Return the net as the plan trains it: itself, or one that shares all with it."""
        if not self.segments:
            return net
        return Recomputed(net, self.segments, None if self.rise is None else Bound(self.rise))

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
    problem = Problem(profile.units(batch), twice=profile.device in HOLES)
    besides = _besides(profile, batch)
    seconds = profile.seconds(batch)
    plain = round(_plain(profile, problem, batch))
    if budget is None or plain <= budget:
        return Plan(
            batch=batch,
            segments=(),
            rise=None,
            peak=plain,
            plain=plain,
            seconds=seconds,
            plain_seconds=seconds,
        )
    holes = HOLES.get(profile.device, 1.0)
    found = problem.cheapest((budget - besides) / holes)
    if found is None:
        raise ConfigError(_too_small(profile, batch, budget))
    peak = holes * found.peak + besides
    # What is saved before the next look finds room below the peak.
    filled = FILLED * found.peak + besides - problem.stretch(found.segments)
    rise = round(filled) if profile.device in HOLES else None
    return Plan(
        batch=batch,
        segments=tuple(found.segments),
        rise=rise,
        peak=round(peak),
        plain=plain,
        seconds=seconds + found.extra,
        plain_seconds=seconds,
    )


def smallest(profile: Profile, batch: int) -> int:
    """Predict the bytes of a step with as much recomputation as helps."""
    problem = Problem(profile.units(batch), twice=profile.device in HOLES)
    again = HOLES.get(profile.device, 1.0) * problem.least() + _besides(profile, batch)
    return round(min(_plain(profile, problem, batch), again))


def _plain(profile: Profile, problem: Problem, batch: int) -> float:
    """Predict the bytes of a step without recomputation."""
    share = FRAGMENTS.get(profile.device, 1.0)
    return problem.plain_peak(share, WORKING) + _always(profile, batch)


def _besides(profile: Profile, batch: int) -> float:
    """Predict the bytes of a recomputing step that are not kept between the passes."""
    largest = max((unit.input for unit in profile.units(batch)), default=0)
    return WORKING * largest + _always(profile, batch)


def _always(profile: Profile, batch: int) -> float:
    """Return the bytes of gradients, optimizer, pictures and process, wherever a step is."""
    own = profile.parameters + profile.state + 2 * batch * profile.picture
    return own + PROCESS_BYTES.get(profile.device, 0)


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
