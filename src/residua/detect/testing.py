"""Testing a detector: from pictures of any size to detections in their own pixels.

Every rung of the ladder of [R] is a switch here; with all of them off this is the net's `forward`.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, appendix B.

Dimension key:
    N pictures   C channels   H, W height and width   R regions of each
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from residua.config import settings
from residua.data.resize import ResizeConfig
from residua.detect.boxes import decode
from residua.detect.choose import choose, in_own_pixels
from residua.detect.detector import Detector, Seen, classifier, propose, see
from residua.detect.ensemble import averaged, union
from residua.detect.faster_rcnn import OutputConfig
from residua.detect.found import Found
from residua.detect.given import Given, Pictures, at_scale
from residua.detect.predictions import Predictions, look
from residua.detect.refine import refined
from residua.errors import ConfigError
from residua.nn.modes import evaluating

# Pictures that a net is given at a time, and their pixels; neither changes what is found.
MOST_PICTURES = 16
MOST_PIXELS = 1_000_000


@settings
class TestingConfig:
    """How a detector is tested; by default as in [R] before its additions.

    Attributes:
        score_threshold: probabilities up to this are no detections.
        nms: boxes of a class that overlap a more probable one by more than this IoU are left out.
        per_picture: the most detections of a picture.
        candidates: the most probable boxes of all classes that go into the suppression.
        refine: look at every regressed box again as a region ("box refinement").
        vote: let the boxes around a kept one decide where it goes.
        vote_iou: from which on they do.
        scales: shorter sides, in pixels, of the pyramid that regions are described in; none for the
            one scale that proposals are made at. [R] has 200, 400, 600, 800, 1000.
        scale_side: regions are described at the two scales at which they have nearest to this many
            pixels, squared.
    """

    # Not a test, whatever its name makes a test runner think.
    __test__: ClassVar[bool] = False

    score_threshold: float = 0.05
    nms: float = 0.3
    per_picture: int = 100
    candidates: int = 1000
    refine: bool = False
    vote: bool = False
    vote_iou: float = 0.5
    scales: tuple[int, ...] = ()
    scale_side: int = 224

    @property
    def protocol(self) -> str:
        """What is done, in words."""
        rungs = [
            *(["box refinement"] if self.refine else []),
            *([f"box voting from an IoU of {self.vote_iou:g} on"] if self.vote else []),
        ]
        if self.scales:
            sides = ", ".join(map(str, sorted(self.scales)))
            rungs.append(
                f"regions described at the two of the shorter sides {sides} where they are nearest "
                f"to {self.scale_side} pixels, by maxout"
            )
        kept = f"scores above {self.score_threshold:g}, at most {self.per_picture} an image"
        return ", ".join([f"NMS at an IoU of {self.nms:g}", *rungs, kept])

    @property
    def output(self) -> OutputConfig:
        """What is the same in the net's own `forward`."""
        return OutputConfig(
            score_threshold=self.score_threshold,
            nms=self.nms,
            per_picture=self.per_picture,
            candidates=self.candidates,
        )


BASELINE = TestingConfig()


@dataclass(frozen=True)
class Answer:
    """What was predicted of some pictures of one size, before anything of it is left out.

    Args:
        indices: of the pictures.
        predictions: in the pixels of the resized pictures.
        longest: height or width of what the net was given, whichever is larger.
        ratios: height and width of the resized pictures divided by those of the pictures.
        size: height and width of the pictures.
    """

    indices: list[int]
    predictions: Predictions
    longest: float
    ratios: tuple[float, float]
    size: tuple[int, int]

    def found(self, testing: TestingConfig) -> list[Found]:
        """Choose the detections of each picture."""
        vote_iou = testing.vote_iou if testing.vote else None
        chosen = [
            choose(
                self.predictions, number, testing.output, longest=self.longest, vote_iou=vote_iou
            )
            for number in range(len(self.indices))
        ]
        return [in_own_pixels(found, self.ratios, torch.tensor(self.size)) for found in chosen]


def detect(
    detectors: Sequence[Detector], pictures: Pictures, testing: TestingConfig = BASELINE
) -> list[Found]:
    """Find objects in pictures, with one detector or with several as one.

    Args:
        detectors: one, or an ensemble that was trained on the same classes.
        pictures: of any sizes.
        testing: which rungs of the ladder are switched on.

    Returns:
        The detections of each picture, in its own pixels, the most probable first.

    Raises:
        ConfigError: there is no detector, or they resize pictures differently.
    """
    found: dict[int, Found] = {}
    for answer in ask(detectors, pictures, testing):
        found |= dict(zip(answer.indices, answer.found(testing), strict=True))
    return [found[index] for index in range(len(pictures.sizes))]


def ask(
    detectors: Sequence[Detector], pictures: Pictures, testing: TestingConfig
) -> Iterator[Answer]:
    """Yield what detectors predict of pictures, some at a time, with the nets in eval mode.

    A batch has pictures of one size, so that none is padded because of another, and what is
    predicted of a picture depends on it alone.

    Raises:
        ConfigError: there is no detector, or they resize pictures differently.
    """
    resizes = {detector.resize for detector in detectors}
    if len(resizes) != 1:
        raise ConfigError(
            "detectors that are asked together must resize pictures alike, and there must be one "
            f"at least; got {len(detectors)} with {len(resizes)} ways to resize"
        )
    resize = resizes.pop()
    for indices in _alike(pictures.sizes, resize):
        some = [pictures.picture(index) for index in indices]
        with evaluating(*(each.net for each in detectors)), torch.inference_mode():
            predictions, found = _predict(detectors, some, testing)
        _, height, width = some[0].shape
        longest = float(max(found.images_NCHW.shape[2:]))
        yield Answer(indices, predictions, longest, found.ratios, (height, width))


def _predict(
    detectors: Sequence[Detector], some: Sequence[Tensor], testing: TestingConfig
) -> tuple[Predictions, Given]:
    """Ask all detectors about pictures of one size."""
    bases = [see(detector, some, detector.resize) for detector in detectors]
    members = [
        classifier(detector, base, _pyramid(detector, some, base, testing), side=testing.scale_side)
        for detector, base in zip(detectors, bases, strict=True)
    ]
    proposed = [propose(*each) for each in zip(detectors, bases, strict=True)]
    sizes_N2 = bases[0].given.sizes_N2
    look_at = partial(look, classify=averaged(members), decode=decode, sizes_N2=sizes_N2)
    first = look_at(*union(proposed))
    return refined(first, look_at) if testing.refine else first, bases[0].given


def _pyramid(
    detector: Detector, some: Sequence[Tensor], base: Seen, testing: TestingConfig
) -> list[Seen]:
    """See the pictures at every scale, from small to large."""
    resizes = [at_scale(detector.resize, short) for short in sorted(testing.scales)]
    return [
        base if resize == detector.resize else see(detector, some, resize) for resize in resizes
    ]


def _alike(sizes: Sequence[tuple[int, int]], resize: ResizeConfig) -> Iterator[list[int]]:
    """Put pictures of one size together, as many as are neither too many nor too large."""
    groups: dict[tuple[int, int], list[int]] = {}
    for index, size in enumerate(sizes):
        groups.setdefault(tuple(size), []).append(index)
    for size, indices in groups.items():
        height, width = resize.size(size)
        count = max(1, min(MOST_PICTURES, MOST_PIXELS // (height * width)))
        yield from (indices[i : i + count] for i in range(0, len(indices), count))
