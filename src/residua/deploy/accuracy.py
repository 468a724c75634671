"""Whether an engine still says what the net says.

Dimension key:
    N pictures   C channels   H, W height and width   K classes
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from residua.deploy.engine import Engine
from residua.errors import RunError


@dataclass(frozen=True, eq=False)
class Sample:
    """Pictures that engines are compared on.

    Shape:
        pixels: N, C, H, W, in [0, 255].  labels: N; None where they are not known.

    Args:
        pixels: the pictures.
        labels: what they show.
        words: which pictures these are.
    """

    pixels: Tensor
    labels: Tensor | None
    words: str


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How an engine compares with the net.

    Args:
        agreement: share of pictures for which both name the same class first, in percent.
        error: of the engine in percent; None without labels.
        change: points that the error of the engine is above that of the net; None without labels.
    """

    agreement: float
    error: float | None
    change: float | None

    def excess(self, budget: float) -> str | None:
        """Say how an engine breaks a budget of points of error; None if it keeps it.

        Without labels every disagreement counts as an error: that is the most that it can cost.
        """
        if self.change is not None:
            over = self.change > budget
            return f"{self.change:+.2f} points of error, above the budget" if over else None
        lost = 100 - self.agreement
        told = f"disagrees on {lost:.2f} % of the pictures, above the budget"
        return told if lost > budget else None


def answers(engine: Engine, pixels: Tensor, *, batch: int) -> Tensor:
    """Compute the logits of all pictures, some at a time: N, K.

    Raises:
        RunError: they are not finite.
    """
    logits = torch.cat([engine(each).float() for each in pixels.split(batch)])
    if not bool(logits.isfinite().all()):
        count = int((~logits.isfinite().all(dim=1)).sum())
        raise RunError(f"gives numbers that are not finite for {count} of {len(logits)} pictures")
    return logits


def accuracy(logits: Tensor, reference: Tensor, labels: Tensor | None) -> Accuracy:
    """Compare logits with those of the net.

    Args:
        logits: of the engine, N, K.
        reference: of the net.
        labels: of the pictures, if they are known.
    """
    said, expected = logits.argmax(dim=1), reference.argmax(dim=1)
    agreement = 100 * (said == expected).double().mean().item()
    if labels is None:
        return Accuracy(agreement=agreement, error=None, change=None)
    error, own = (_error(each, labels) for each in (said, expected))
    return Accuracy(agreement=agreement, error=error, change=error - own)


def _error(said: Tensor, labels: Tensor) -> float:
    return 100 * (said != labels).double().mean().item()
