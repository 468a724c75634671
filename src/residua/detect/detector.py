"""A trained detector in a test: what it sees in pictures, proposes in them and says of a region.

Dimension key:
    N pictures of one size   C channels   H, W height and width   R regions of each   D numbers in
    the vector of a region
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from residua.data.resize import ResizeConfig
from residua.detect.faster_rcnn import FasterRcnn
from residua.detect.given import Given, Normalize, given
from residua.detect.predictions import Classify
from residua.detect.rpn import Proposals
from residua.detect.scales import Level, describe_at_two


@dataclass(frozen=True)
class Detector:
    """A net and how it is given pictures.

    Args:
        net: on the device where it computes.
        normalize: from N, 3, H, W in [0, 255] to what the net takes.
        resize: to which size; detectors that are asked together share it.
        dtype: float32, or the type of autocast.
    """

    net: FasterRcnn
    normalize: Normalize
    resize: ResizeConfig
    dtype: torch.dtype = torch.float32

    @property
    def device(self) -> torch.device:
        """Where the net computes."""
        return next((p.device for p in self.net.parameters()), torch.device("cpu"))

    def precision(self) -> torch.autocast:
        """Compute in the precision wanted."""
        reduced = self.dtype is not torch.float32
        return torch.autocast(self.device.type, self.dtype, enabled=reduced)


class Seen(NamedTuple):
    """Pictures at one scale, and the features that all their regions share."""

    given: Given
    features: Tensor


def see(detector: Detector, pictures: Sequence[Tensor], resize: ResizeConfig) -> Seen:
    """Compute the features of uint8 pictures of one size at one scale."""
    there = [picture.to(detector.device) for picture in pictures]
    found = given(there, resize, detector.normalize)
    with detector.precision():
        return Seen(found, detector.net.features(found.images_NCHW))


def propose(detector: Detector, seen: Seen) -> Proposals:
    """Propose regions at that scale."""
    found = seen.given
    scales_N = torch.full((len(found.sizes_N2),), found.scale, device=detector.device)
    with detector.precision():
        return detector.net.propose(seen.features, found.sizes_N2, scales_N)


def classifier(detector: Detector, base: Seen, pyramid: Sequence[Seen], *, side: int) -> Classify:
    """Make a function that says of regions what they hold and how far their borders are off.

    Its deltas are in units of a region, whatever the net has learned them divided by.

    Args:
        detector: a trained one.
        base: the scale of the regions.
        pyramid: the scales where they are looked at, from small to large; none for that scale.
        side: what size, in pixels, they should have where they are looked at.
    """
    levels = [_level(detector, seen, base.given.ratios) for seen in pyramid]

    def classify(rois_NR4: Tensor) -> tuple[Tensor, Tensor]:
        with detector.precision():
            if levels:
                vectors_NRD = describe_at_two(levels, rois_NR4, side=side)
            else:
                vectors_NRD = detector.net.describe(base.features, rois_NR4, base.given.sizes_N2)
            probabilities, deltas = detector.net.classify(vectors_NRD)
        return probabilities, deltas * deltas.new_tensor(detector.net.learning.std)

    return classify


def _level(detector: Detector, seen: Seen, base: tuple[float, float]) -> Level:
    def describe(index: int, rois_r4: Tensor) -> Tensor:
        one = slice(index, index + 1)
        sizes_12 = seen.given.sizes_N2[one]
        return detector.net.describe(seen.features[one], rois_r4[None], sizes_12)[0]

    y, x = seen.given.ratios
    return Level(describe, (y / base[0], x / base[1]))
