"""Multi-scale testing of the Fast R-CNN step: each region at two scales of a pyramid of features.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, appendix B, "Multi-scale testing".
    [N] Ren et al., Object Detection Networks on Convolutional Feature Maps, arXiv:1504.06066:
        two adjacent scales, merged by maxout.
    [S] He et al., Spatial Pyramid Pooling, arXiv:1406.4729, section 4: the scale at which a window
        has the number of pixels closest to 224 x 224.

Dimension key:
    N pictures of one size   R regions of each   L scales   D numbers in the vector of a region
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from residua.detect.boxes import area

PAPER_SCALES = (200, 400, 600, 800, 1000)
# The shorter side of pictures that these, and regions of 224 pixels, belong to.
PAPER_SHORT = 600
PAPER_SIDE = 224


class Level(NamedTuple):
    """One scale of the pyramid.

    Args:
        describe: from the index of a picture and r, 4 regions in the pixels of this scale to r, D.
        ratios: pixels of this scale per pixel of the scale that proposals are made at, down and
            across.
    """

    describe: Callable[[int, Tensor], Tensor]
    ratios: tuple[float, float]


def in_proportion(pixels: int, short: int) -> int:
    """Return what so many pixels of the paper's pictures are in those of another shorter side."""
    return max(1, round(pixels * short / PAPER_SHORT))


def lower_of_pair(rois_NR4: Tensor, levels: Sequence[Level], side: int = PAPER_SIDE) -> Tensor:
    """Choose two adjacent scales for each region: N, R, the index of the first of the two.

    They are the scale at which the region has nearest to `side` squared pixels ([S]), and that of
    its neighbours which is nearer to it in the same sense: of all pairs of neighbours, the one
    whose two distances have the smallest sum. [R] and [N] say "adjacent" and leave open which.

    Args:
        rois_NR4: in the pixels of the scale that proposals are made at.
        levels: two at least, from small to large.
        side: in pixels.
    """
    ratios_L = rois_NR4.new_tensor([level.ratios[0] * level.ratios[1] for level in levels])
    distances_NRL = (area(rois_NR4)[:, :, None] * ratios_L - side**2).abs()
    return (distances_NRL[..., :-1] + distances_NRL[..., 1:]).argmin(dim=2)


def describe_at_two(levels: Sequence[Level], rois_NR4: Tensor, *, side: int = PAPER_SIDE) -> Tensor:
    """Describe each region at its two scales, and take the larger of every two numbers: N, R, D.

    Args:
        levels: from small to large; one alone is a net at that scale.
        rois_NR4: in the pixels of the scale that proposals are made at.
        side: regions go where they have nearest to this many pixels, squared.
    """
    chosen_NR = torch.zeros_like(rois_NR4[..., 0], dtype=torch.long)
    if len(levels) > 1:
        chosen_NR = lower_of_pair(rois_NR4, levels, side)
    pictures = enumerate(zip(rois_NR4, chosen_NR, strict=True))
    return torch.stack([_one(levels, index, rois, chosen) for index, (rois, chosen) in pictures])


def _one(levels: Sequence[Level], index: int, rois_R4: Tensor, chosen_R: Tensor) -> Tensor:
    """Describe the regions of one picture: R, D."""
    found: Tensor | None = None
    for number, level in enumerate(levels):
        here_r = ((chosen_R == number) | (chosen_R == number - 1)).nonzero().flatten()
        if not len(here_r):
            continue
        y, x = level.ratios
        vectors_rD = level.describe(index, rois_R4[here_r] * rois_R4.new_tensor([x, y, x, y]))
        if found is None:
            found = vectors_rD.new_full((len(rois_R4), *vectors_rD.shape[1:]), -torch.inf)
        found[here_r] = found[here_r].maximum(vectors_rD)
    return levels[0].describe(index, rois_R4) if found is None else found
