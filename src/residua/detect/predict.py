"""The two sibling layers: from the vector of a region to its class and its box.

Dimension key:
    D numbers that describe a region   K classes without background   V = K + 1, background first

Sources:
    [G] Girshick, Fast R-CNN, arXiv:1504.08083, section 2.1, and section 2.3 for the first weights.
"""

from torch import Tensor, nn


class Predict(nn.Module):
    """`logits, deltas = classes(v), boxes(v)`.

    Shape:
        v: ..., D.  logits: ..., V.  deltas: ..., V, 4; both in float32.

    Args:
        width: D.
        num_classes: K.
        class_agnostic: one box for all classes, repeated for each.
    """

    def __init__(self, width: int, num_classes: int, *, class_agnostic: bool = False) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.classes = nn.Linear(width, num_classes + 1)
        self.boxes = nn.Linear(width, 4 if class_agnostic else 4 * (num_classes + 1))
        for layer, std in ((self.classes, 0.01), (self.boxes, 0.001)):
            nn.init.normal_(layer.weight, std=std)
            nn.init.zeros_(layer.bias)

    def forward(self, v: Tensor) -> tuple[Tensor, Tensor]:
        deltas = self.boxes(v).float().unflatten(-1, (-1, 4))
        every = deltas.expand(*deltas.shape[:-2], self.num_classes + 1, 4)
        return self.classes(v).float(), every
