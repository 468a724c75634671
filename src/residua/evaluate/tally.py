"""What a network said of a set of pictures, and the numbers that follow from it.

Sources:
    [G] Guo et al., On Calibration of Modern Neural Networks, arXiv:1706.04599, section 2.

Dimension key:
    N pictures   K classes   B bins
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

BINS = 15


@dataclass(frozen=True)
class ClassErrors:
    """How one class fared.

    Attributes:
        name: of the class.
        count: its pictures.
        wrong: those of them that were taken for another class.
        mistaken_for: the class that most of the wrong ones were taken for; empty if none is wrong.
    """

    name: str
    count: int
    wrong: int
    mistaken_for: str

    @property
    def error(self) -> float:
        """Share of its pictures that are wrong, in percent."""
        return 100 * self.wrong / self.count


@dataclass(frozen=True)
class Bin:
    """The pictures whose confidence lies in (low, high].

    Attributes:
        low: in [0, 1].
        high: likewise.
        count: of pictures.
        confidence: mean probability of the predicted class.
        accuracy: share of right predictions, in [0, 1].
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Scores:
    """What a network, or several, said of N pictures, and how it was asked.

    Shape:
        logits: N, K, float32 on the processor.  labels: N.

    Args:
        logits: their softmax are the probabilities; where probabilities were averaged, these are
            their logarithms.
        labels: what the pictures show.
        protocol: the words that belong beside every number.
        classes: the names of the K classes.
        fingerprint: of the pictures.
    """

    logits: Tensor
    labels: Tensor
    protocol: str = "one view of each picture"
    classes: tuple[str, ...] = ()
    fingerprint: str = ""

    @cached_property
    def predictions(self) -> Tensor:
        """The most probable class of each picture: N."""
        return self.logits.argmax(dim=1)

    @cached_property
    def probabilities(self) -> Tensor:
        """Softmax of the logits: N, K."""
        return self.logits.softmax(dim=1)

    @property
    def loss(self) -> float:
        """Mean cross-entropy, in nats."""
        return F.cross_entropy(self.logits, self.labels).item()

    @property
    def top1_error(self) -> float:
        """Share of pictures whose most probable class is wrong, in percent."""
        return 100 * (self.predictions != self.labels).double().mean().item()

    @property
    def top5_error(self) -> float | None:
        """Share whose class is not among the five most probable; None for five classes or less."""
        return self.top_error(5) if self.logits.shape[1] > 5 else None

    def top_error(self, k: int) -> float:
        """Share of pictures whose class is not among the k most probable, in percent.

        Of equal scores the class with the smaller number stands first, as for `predictions`.
        """
        own_N1 = self.logits.gather(1, self.labels[:, None])
        earlier_NK = torch.arange(self.logits.shape[1]) < self.labels[:, None]
        # What is not a number is not at most the class's score, so such pictures count as wrong.
        ahead_NK = ~(self.logits <= own_N1) | ((self.logits == own_N1) & earlier_NK)
        return 100 * (ahead_NK.sum(dim=1) >= k).double().mean().item()

    def calibration(self, bins: int = BINS) -> list[Bin]:
        """Compare confidence and accuracy in bins of equal width; empty ones are left out ([G])."""
        confidence_N = self.probabilities.max(dim=1).values.double()
        right_N = (self.predictions == self.labels).double()
        index_N = ((confidence_N * bins).ceil().long() - 1).clamp(0, bins - 1)
        count_B = torch.bincount(index_N, minlength=bins)
        confidence_B = torch.bincount(index_N, confidence_N, minlength=bins) / count_B
        accuracy_B = torch.bincount(index_N, right_N, minlength=bins) / count_B
        columns = (count_B.tolist(), confidence_B.tolist(), accuracy_B.tolist())
        return [
            Bin(i / bins, (i + 1) / bins, count, confidence, accuracy)
            for i, (count, confidence, accuracy) in enumerate(zip(*columns, strict=True))
            if count
        ]

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, `sum over bins of n_b / N * |accuracy - confidence|` ([G]).

        In percent, over 15 bins of equal width.
        """
        found = self.calibration()
        gaps = sum(each.count * abs(each.accuracy - each.confidence) for each in found)
        return 100 * gaps / len(self.labels)

    def confusion(self) -> Tensor:
        """Count pictures by class (row) and predicted class (column): K, K."""
        k = self.logits.shape[1]
        return torch.bincount(self.labels * k + self.predictions, minlength=k * k).view(k, k)

    def by_class(self) -> list[ClassErrors]:
        """Say of each class that has pictures how it fared, in the order of the labels."""
        names = self.classes or tuple(map(str, range(self.logits.shape[1])))
        return by_class(self.confusion().tolist(), names)

    def mistakes(self) -> Tensor:
        """Indices of the pictures that are wrong, the most confident mistake first."""
        wrong = (self.predictions != self.labels).nonzero().flatten()
        confidence = self.probabilities.max(dim=1).values[wrong]
        return wrong[confidence.argsort(descending=True, stable=True)]


def by_class(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> list[ClassErrors]:
    """Say of each class that has pictures how it fared, in the order of the labels.

    Args:
        confusion: pictures by class (row) and predicted class (column).
        classes: the names of the classes.
    """
    rows = []
    for label, line in enumerate(confusion):
        others = [0 if column == label else count for column, count in enumerate(line)]
        most = max(others)
        if sum(line):
            mistaken_for = classes[others.index(most)] if most else ""
            rows.append(ClassErrors(classes[label], sum(line), sum(others), mistaken_for))
    return rows
