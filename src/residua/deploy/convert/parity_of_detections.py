"""Whether a file finds what the detector finds.

Dimension key:
    D, F detections of one picture by the net and by the file
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from residua.detect.boxes import iou
from residua.detect.found import Found
from residua.errors import RunError

# Detections of a class whose boxes overlap by this IoU are the same.
SAME = 0.9
# Percent of the detections that must be the same: where two boxes are equally probable, or just at
# a threshold, rounding decides between them.
LEAST = 99.0


@dataclass(frozen=True, kw_only=True)
class ParityOfDetections:
    """How far what a file finds is from what the net finds.

    Attributes:
        count: pictures.
        detections: that the net found.
        agreement: percent of the detections of both that the other has too; 100 where there are
            none.
        difference: the largest difference of the scores of the same detection.
        pixels: the largest difference of an edge of the same detection, in pixels.
    """

    count: int
    detections: int
    agreement: float
    difference: float
    pixels: float

    def check(self, tolerance: float) -> None:
        """See that the difference is small.

        Raises:
            RunError: it is not, or is no number.
        """
        if not (self.difference <= tolerance and self.agreement >= LEAST):
            raise RunError(
                f"the file does not find what the net does: of {self.detections} detections on "
                f"{self.count} pictures {self.agreement:.1f} % are the same, and {LEAST:g} are "
                f"wanted; their scores differ by up to {self.difference:.3g}, and {tolerance:g} is "
                "allowed. Nothing was written (--tolerance allows more)"
            )


def compare(pairs: Iterable[tuple[Found, Found]]) -> ParityOfDetections:
    """Compare what the net and the file found in pictures."""
    count = net = file = same = 0
    difference = pixels = 0.0
    for one, other in pairs:
        of_one, of_other = matched(one, other)
        count, net, file, same = count + 1, net + len(one), file + len(other), same + len(of_one)
        if len(of_one):
            scores = one.scores_D[of_one] - other.scores_D[of_other]
            edges = one.boxes_D4[of_one] - other.boxes_D4[of_other]
            difference = max(difference, scores.abs().max().item())
            pixels = max(pixels, edges.abs().max().item())
    agreement = 100.0 if net + file == 0 else 100 * 2 * same / (net + file)
    return ParityOfDetections(
        count=count, detections=net, agreement=agreement, difference=difference, pixels=pixels
    )


def matched(one: Found, other: Found) -> tuple[list[int], list[int]]:
    """Pair detections of one class that overlap, each with the nearest that is free.

    Returns:
        Indices into the one and into the other.
    """
    if not len(one) or not len(other):
        return [], []
    near_DF = iou(one.boxes_D4, other.boxes_D4)
    near_DF = near_DF.masked_fill(one.labels_D[:, None] != other.labels_D[None], 0)
    rows, columns = list[int](), list[int]()
    for row in range(len(one)):
        best, column = near_DF[row].max(dim=0)
        if best >= SAME:
            rows.append(row)
            columns.append(int(column))
            near_DF[:, column] = torch.zeros(len(near_DF))
    return rows, columns
