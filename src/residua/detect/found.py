"""What a detector found in one picture.

Dimension key:
    D detections of one picture
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Found:
    """Detections of one picture, in that picture's own pixels, by falling score.

    Attributes:
        boxes_D4: float32, x1, y1, x2, y2, half-open, origin top left.
        scores_D: float32; the larger, the surer.
        labels_D: int64, 1 to K: the name of label k is `classes[k - 1]`.
    """

    boxes_D4: Tensor
    scores_D: Tensor
    labels_D: Tensor

    @classmethod
    def of(cls, boxes_D4: Tensor, scores_D: Tensor, labels_D: Tensor) -> "Found":
        """Sort detections by falling score; equal scores keep their order."""
        order_D = scores_D.argsort(descending=True, stable=True)
        return cls(
            boxes_D4.float().reshape(-1, 4)[order_D],
            scores_D.float()[order_D],
            labels_D.long()[order_D],
        )

    def at_least(self, score: float) -> "Found":
        """Leave out what scores less."""
        keep_D = self.scores_D >= score
        return Found(self.boxes_D4[keep_D], self.scores_D[keep_D], self.labels_D[keep_D])

    def __len__(self) -> int:
        return len(self.scores_D)
