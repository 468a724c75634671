"""What a detector predicts of regions: for each a probability and a box of every class.

Dimension key:
    N pictures   R regions of each   K classes without background   C = K + 1 with background first
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Self

import torch
from torch import Tensor

from residua.detect.boxes import clip

# From regions N, R, 4 in the pixels of the pictures that the net was given, to probabilities
# N, R, C and deltas N, R, C, 4.
Classify = Callable[[Tensor], tuple[Tensor, Tensor]]
# From deltas ..., 4 and the boxes ..., 4 that they are relative to, to boxes ..., 4.
Decode = Callable[[Tensor, Tensor], Tensor]
# From regions and which of them there are to what is predicted of them.
Look = Callable[[Tensor, Tensor], "Predictions"]


class Predictions(NamedTuple):
    """Boxes of every class for every region, inside the pictures that the net was given.

    Shape:
        probabilities_NRK: of the classes, without background.
        boxes_NRK4: XYXY in the pixels of those pictures.
        valid_NR: which regions there are; the others fill up.
    """

    probabilities_NRK: Tensor
    boxes_NRK4: Tensor
    valid_NR: Tensor

    @classmethod
    def joined(cls, parts: Iterable["Predictions"]) -> Self:
        """Put the regions of several predictions about the same pictures side by side."""
        together = [torch.cat(tensors, dim=1) for tensors in zip(*parts, strict=True)]
        return cls(*together)


def look(
    rois_NR4: Tensor, valid_NR: Tensor, *, classify: Classify, decode: Decode, sizes_N2: Tensor
) -> Predictions:
    """Classify regions and move their borders, one box for every class.

    Args:
        rois_NR4: the regions.
        valid_NR: which of them there are.
        classify: a net, or several.
        decode: how deltas move a box.
        sizes_N2: height and width of each picture, without padding.
    """
    probabilities_NRC, deltas_NRC4 = classify(rois_NR4)
    # The background, which comes first, has no box.
    boxes_NRK4 = decode(deltas_NRC4[:, :, 1:].float(), rois_NR4[:, :, None].float())
    return Predictions(
        probabilities_NRC[:, :, 1:].float(), clip(boxes_NRK4, sizes_N2[:, None, None]), valid_NR
    )
