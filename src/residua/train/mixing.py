"""Mixing pictures and their labels within a batch.

Every picture is mixed with the one before it in the batch; batches are shuffled, so that is any
other picture of the set. The label of a mixture is its first picture's to the share `share`, and
its second one's to the rest.

Dimension key:
    N pictures   K classes

Sources:
    [M] Zhang et al., mixup, arXiv:1710.09412.
    [C] Yun et al., CutMix, arXiv:1905.04899.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor


class Mixed(NamedTuple):
    """A batch of mixtures.

    Shape:
        images: N, C, H, W.  labels, others: N, in [0, K).

    Attributes:
        images: the mixtures.
        labels: of their first pictures.
        others: of their second pictures.
        share: of the first pictures, in [0, 1].
    """

    images: Tensor
    labels: Tensor
    others: Tensor
    share: float

    @property
    def dominant(self) -> Tensor:
        """The label of the larger share of each mixture: N."""
        return self.labels if self.share >= 0.5 else self.others


def draw_share(alpha: float, generator: Generator) -> float:
    """Draw from Beta(alpha, alpha)."""
    seed = int(torch.randint(2**62, (), generator=generator))
    return float(np.random.default_rng(seed).beta(alpha, alpha))


def mixup(images: Tensor, labels: Tensor, share: float) -> Mixed:
    """Mix pixel by pixel: `share x + (1 - share) x'` ([M]).

    Shape:
        images: N, C, H, W of floats.  labels: N.
    """
    return Mixed(share * images + (1 - share) * images.roll(1, 0), labels, labels.roll(1), share)


def cutmix(images: Tensor, labels: Tensor, box: tuple[int, int, int, int]) -> Mixed:
    """Replace a box of every picture by that of its other; shares are those of the areas ([C]).

    Shape:
        images: N, C, H, W.  labels: N.

    Args:
        images: the batch.
        labels: its labels.
        box: left, top, right, bottom in pixels, half-open.
    """
    left, top, right, bottom = box
    mixed = images.clone()
    mixed[..., top:bottom, left:right] = images.roll(1, 0)[..., top:bottom, left:right]
    height, width = images.shape[2:]
    share = 1 - (right - left) * (bottom - top) / (height * width)
    return Mixed(mixed, labels, labels.roll(1), share)


def draw_box(
    share: float, height: int, width: int, generator: Generator
) -> tuple[int, int, int, int]:
    """Draw a box that leaves about `share` of a picture, its center anywhere, cut at the edges."""
    y = int(torch.randint(height, (), generator=generator))
    x = int(torch.randint(width, (), generator=generator))
    half = 0.5 * (1 - share) ** 0.5
    rows, columns = int(half * height), int(half * width)
    return max(x - columns, 0), max(y - rows, 0), min(x + columns, width), min(y + rows, height)


def mixed_cross_entropy(logits: Tensor, mixed: Mixed, *, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy against the labels of mixtures, in nats.

    Shape:
        logits: N, K.

    Args:
        logits: of the mixtures.
        mixed: their labels.
        smoothing: share of every label that is spread over all classes.
    """
    first, second = (
        F.cross_entropy(logits, labels, label_smoothing=smoothing)
        for labels in (mixed.labels, mixed.others)
    )
    return mixed.share * first + (1 - mixed.share) * second
