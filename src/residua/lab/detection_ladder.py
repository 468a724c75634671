"""The ladder of a detector: what each of the paper's additions changes on one set of pictures.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, appendix B and table 9.
"""

import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from residua import report, runtime
from residua.detect.detector import Detector
from residua.detect.found import Found
from residua.detect.given import Pictures
from residua.detect.scales import PAPER_SCALES, PAPER_SHORT, in_proportion
from residua.detect.testing import BASELINE, TestingConfig, ask
from residua.errors import ConfigError
from residua.report.ladder import Ladder, Rung

SUPPRESSION = (0.2, 0.3, 0.4, 0.5, 0.6)

# From what was found in every picture to metrics in percent, the one that sums up first.
Score = Callable[[list[Found]], dict[str, float]]
# Called with the pictures that are done and those there are, of all passes together.
Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Way:
    """One way of testing.

    Args:
        name: what it adds to the way before it.
        does: the same as a sentence.
        testing: how.
        members: which of the detectors.
    """

    name: str
    does: str
    testing: TestingConfig
    members: tuple[int, ...]

    @property
    def work(self) -> tuple[object, ...]:
        """What the nets have to do; ways that share it are measured in one pass."""
        return self.members, self.testing.refine, self.testing.scales, self.testing.scale_side


def measure_ladder(
    detectors: Sequence[Detector],
    pictures: Pictures,
    score: Score,
    *,
    testing: TestingConfig = BASELINE,
    progress: Progress | None = None,
) -> Ladder:
    """Test detectors in every way of the ladder.

    Args:
        detectors: one run, or several of the same classes, for an ensemble or to compare one with
            global context.
        pictures: what is tested on.
        score: from what was found in every picture to metrics in percent.
        testing: everything but the rungs.
        progress: called after every batch.

    Raises:
        ConfigError: there is no detector, or they resize pictures differently.
    """
    if not detectors:
        raise ConfigError("a ladder needs at least one detector, got none")
    contexts = [detector.net.context for detector in detectors]
    rungs = ways(contexts, short=detectors[0].resize.short, testing=testing)
    single = [way for way in rungs if way.members == rungs[0].members and not way.testing.scales]
    suppressed = [_suppressing(single[-1], nms) for nms in SUPPRESSION]
    measured = _measure(detectors, pictures, score, [*rungs, *suppressed], progress)
    return Ladder(
        rungs=measured[: len(rungs)],
        suppressed=measured[len(rungs) :],
        pictures=len(pictures.sizes),
        notes=notes(contexts),
    )


def page(folder: Path, ladder: Ladder, *, title: str, device: torch.device) -> Path:
    """Write the page, its figure and its numbers into a folder.

    Args:
        folder: exists already.
        ladder: what `measure_ladder` returned.
        title: which detector, and which pictures.
        device: where it was measured.

    Returns:
        The page.
    """
    return report.write_ladder(
        folder,
        ladder,
        title=title,
        environment=runtime.environment(device, torch.float32),
        command=runtime.command_line(),
    )


def ways(
    contexts: Sequence[bool], *, short: int = PAPER_SHORT, testing: TestingConfig = BASELINE
) -> list[Way]:
    """List the rungs of [R] in its order; each keeps what those before it added.

    Args:
        contexts: of each detector, whether it was trained with global context. The first without
            it is the baseline, or the first of all if there is none.
        short: shorter side of the pictures as they are proposed in. The scales of [R], and the 224
            pixels that regions should have in them, are in proportion to it.
        testing: everything but the rungs.
    """
    plain = list(contexts).index(False) if False in contexts else 0
    base = dataclasses.replace(testing, refine=False, vote=False, scales=())
    found = [
        Way(
            name="baseline",
            does=f"One net at one scale; boxes are suppressed above an IoU of {base.nms:g}.",
            testing=base,
            members=(plain,),
        )
    ]

    def add(name: str, does: str, members: tuple[int, ...] = (), **changes: Any) -> None:
        last = found[-1]
        changed = dataclasses.replace(last.testing, **changes)
        members = members or last.members
        found.append(Way(name=f"+ {name}", does=does, testing=changed, members=members))

    add("box refinement", "Every regressed box is looked at again as a region.", refine=True)
    agree = f"Boxes of an IoU of at least {base.vote_iou:g} decide together where one goes."
    add("box voting", agree, vote=True)
    if True in contexts and not contexts[plain]:
        whole = "A net that was trained to see the whole picture beside every region."
        add("global context", whole, members=(list(contexts).index(True),))
    scales = tuple(in_proportion(side, short) for side in PAPER_SCALES)
    two = f"Regions are described at two of the scales {', '.join(map(str, scales))}, by maxout."
    side = in_proportion(base.scale_side, short)
    add("multi-scale testing", two, scales=scales, scale_side=side)
    if len(contexts) > 1:
        every = f"The proposals of {len(contexts)} nets, each scored by all of them."
        add(f"ensemble of {len(contexts)}", every, members=tuple(range(len(contexts))))
    return found


def notes(contexts: Sequence[bool]) -> list[str]:
    """Say what is not measured and why."""
    result: list[str] = []
    if True not in contexts:
        result.append(
            "Global context is not measured: it is learned, and no run here was trained with it."
        )
    elif all(contexts):
        result.append(
            "Every rung has global context: each run here was trained with it, and it cannot be "
            "switched off afterwards."
        )
    if len(contexts) == 1:
        result.append("An ensemble is not measured: it takes several runs.")
    return result


def _suppressing(way: Way, nms: float) -> Way:
    does = (
        "The first net with box refinement and voting, at one scale; the rungs above suppress "
        f"boxes above an IoU of {way.testing.nms:g}."
    )
    return dataclasses.replace(way, does=does, testing=dataclasses.replace(way.testing, nms=nms))


def _measure(
    detectors: Sequence[Detector],
    pictures: Pictures,
    score: Score,
    wanted: Sequence[Way],
    progress: Progress | None,
) -> list[Rung]:
    """Measure ways of testing, those that ask the same of the nets in one pass."""
    # The first batch that a process computes is slow: it counts for no rung.
    every = max(wanted, key=lambda way: len(way.members))
    next(iter(ask([detectors[number] for number in every.members], pictures, every.testing)), None)
    passes: dict[tuple[object, ...], list[int]] = {}
    for number, way in enumerate(wanted):
        passes.setdefault(way.work, []).append(number)
    total, done = len(pictures.sizes) * len(passes), 0
    rungs: dict[int, Rung] = {}
    for numbers in passes.values():
        together = [wanted[number] for number in numbers]
        tested = _Tested(together, len(pictures.sizes))
        for count in tested.ask(detectors, pictures):
            done += count
            if progress is not None:
                progress(done, total)
        rungs |= dict(zip(numbers, tested.rungs(score), strict=True))
    return [rungs[number] for number in range(len(wanted))]


class _Tested:
    """Ways of testing that share the work of the nets, and what each has found so far."""

    def __init__(self, together: Sequence[Way], count: int) -> None:
        self.together = together
        self.found: list[dict[int, Found]] = [{} for _ in together]
        self.seconds = [0.0 for _ in together]
        self.count = count

    def ask(self, detectors: Sequence[Detector], pictures: Pictures) -> Iterable[int]:
        """Yield how many pictures were just done."""
        first = self.together[0]
        members = [detectors[number] for number in first.members]
        began = time.perf_counter()
        for answer in ask(members, pictures, first.testing):
            asked = time.perf_counter() - began
            for number, way in enumerate(self.together):
                began = time.perf_counter()
                found = answer.found(way.testing)
                self.seconds[number] += asked + time.perf_counter() - began
                self.found[number] |= dict(zip(answer.indices, found, strict=True))
            yield len(answer.indices)
            began = time.perf_counter()

    def rungs(self, score: Score) -> list[Rung]:
        """Score what each way has found."""
        result: list[Rung] = []
        for way, by_index, seconds in zip(self.together, self.found, self.seconds, strict=True):
            found = [by_index[index] for index in range(self.count)]
            result.append(
                Rung(
                    name=way.name,
                    does=way.does,
                    nms=way.testing.nms,
                    numbers=score(found),
                    seconds=seconds / max(1, self.count),
                    detections=sum(map(len, found)) / max(1, self.count),
                )
            )
        return result
