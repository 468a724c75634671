"""Several detectors as one: the union of their proposals, each scored by all of them.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, appendix B, "Ensemble".

Dimension key:
    N pictures   R regions of each   C classes with background
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from residua.detect.predictions import Classify


def union(proposals: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Put the proposals of all detectors side by side.

    None is left out, as in [R]: what two detectors propose alike, the suppression of detections
    makes one of.

    Args:
        proposals: regions N, R, 4 and which of them there are N, R, of each detector.
    """
    rois, valid = zip(*proposals, strict=True)
    return torch.cat(rois, dim=1), torch.cat(valid, dim=1)


def averaged(members: Sequence[Classify]) -> Classify:
    """Make one of several: the mean of their probabilities, and the mean of their deltas.

    Differs: [R] speaks of an ensemble of classifiers and leaves open what is averaged.
    """

    def classify(rois_NR4: Tensor) -> tuple[Tensor, Tensor]:
        answers = [member(rois_NR4) for member in members]
        probabilities, deltas = zip(*answers, strict=True)
        return torch.stack(probabilities).mean(dim=0), torch.stack(deltas).mean(dim=0)

    return members[0] if len(members) == 1 else classify
