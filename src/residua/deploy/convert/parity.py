"""Whether a file computes what the net computes: logits compared on real pictures.

Dimension key:
    N pictures   C channels   H, W height and width   K classes
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from residua.errors import RunError

Logits = Callable[[Tensor], Tensor]

# Pictures at a time, so that a file meets batches of several sizes; the last size is repeated.
BATCHES = (1, 2, 5, 16)


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How far two answers about the same pictures are apart.

    Attributes:
        count: N.
        difference: the largest difference of a logit.
        largest: the largest absolute value of a logit that was expected.
        agreement: percent of the pictures with the same most probable class.
    """

    count: int
    difference: float
    largest: float
    agreement: float

    @property
    def relative(self) -> float:
        """The difference in units of the largest logit, or of 1 where all are smaller."""
        return self.difference / max(self.largest, 1.0)

    def check(self, tolerance: float) -> None:
        """See that the difference is small.

        Raises:
            RunError: it is not, or is no number.
        """
        if not self.relative <= tolerance:
            raise RunError(
                f"the file does not compute what the net does: on {self.count} pictures logits "
                f"differ by up to {self.difference:.3g}, {self.relative:.2g} of the largest, and "
                f"{tolerance:g} is allowed; {self.agreement:.1f} % have the same class. Nothing "
                "was written (--tolerance allows more)"
            )


def compare(expected_NK: Tensor, got_NK: Tensor) -> Parity:
    """Compare logits.

    Raises:
        RunError: they have other shapes.
    """
    if expected_NK.shape != got_NK.shape:
        raise RunError(
            f"the file does not compute what the net does: logits of the shape "
            f"{tuple(got_NK.shape)} where {tuple(expected_NK.shape)} were expected"
        )
    same_N = expected_NK.argmax(dim=1) == got_NK.argmax(dim=1)
    return Parity(
        count=len(expected_NK),
        difference=(expected_NK - got_NK).abs().max().item(),
        largest=expected_NK.abs().max().item(),
        agreement=100 * same_N.double().mean().item(),
    )


@torch.inference_mode()
def answers(function: Logits, pixels_NCHW: Tensor) -> Tensor:
    """Ask about pictures, in batches of several sizes; the result is N, K."""
    parts = list[Tensor]()
    done = 0
    while done < len(pixels_NCHW):
        size = BATCHES[min(len(parts), len(BATCHES) - 1)]
        parts.append(function(pixels_NCHW[done : done + size]))
        done += size
    return torch.cat(parts)
