"""Regions: how they are cut out of the features, which are looked at, and what they lose.

Dimension key:
    N pictures   C channels   H, W height and width of the features   R regions of all pictures
    A regions of one picture   K classes without background   p side of a pooled region

Sources:
    [G] Girshick, Fast R-CNN, arXiv:1504.08083, sections 2.1 (RoI pooling) and 2.3.
    [F] Ren et al., Faster R-CNN, arXiv:1506.01497; py-faster-rcnn, lib/fast_rcnn/config.py.
    [M] He et al., Mask R-CNN, arXiv:1703.06870, section 3 (RoIAlign).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from residua.config import settings
from residua.detect.align import align, fits
from residua.detect.boxes import STD, Std, encode
from residua.detect.rpn import Proposals, smooth_l1
from residua.detect.targets import Truth, region_goal, sample

Pool = Literal["max", "align"]


@settings
class RoiConfig:
    """How regions are pooled and learned from; the defaults are those of [F].

    Attributes:
        pool: "max", the largest value of each bin ([G]); "align", the mean of points that are
            interpolated in it ([M]). On Apple GPUs the gradient of "max" is wrong in torchvision:
            take "align" there.
        pool_size: p; by default what the head makes 7x7 of: 14 where it has a stride of 2.
        sampling: points of a bin in each direction for "align"; 0 for as many as it has cells.
        half_pixel: for "align", take the first pixel of a picture to be around 0.5 and not 0, as
            detectron2's ROIAlignV2 does; torchvision's detectors do not.
        per_picture: regions that are looked at in a picture while training.
        foreground_share: how many of them are objects at the most.
        foreground: least IoU of objects.
        background: IoU in [low, high) of background. The authors' alternating training has 0.1 as
            low, their joint training 0; pictures without objects teach only with 0.
        std: what the deltas are divided by.
        sigma: of the smooth L1 loss, which is quadratic below 1 / sigma^2.
        class_agnostic: one box for all classes, and not one for each.
    """

    pool: Pool = "max"
    pool_size: int | None = None
    sampling: int = 2
    half_pixel: bool = False
    per_picture: int = 64
    foreground_share: float = 0.25
    foreground: float = 0.5
    background: tuple[float, float] = (0.1, 0.5)
    std: Std = STD
    sigma: float = 1.0
    class_agnostic: bool = False


class RoiPool(nn.Module):
    """Cut regions out of the features, each to p x p.

    It computes in float32 also under autocast, where RoI pooling does not exist on processors, and
    returns the type of the features.

    Args:
        kind: "max" or "align".
        size: p.
        stride: of the features in pixels.
        sampling: points of a bin in each direction, for "align".
        half_pixel: see `RoiConfig`.
    """

    def __init__(
        self, kind: Pool, size: int, stride: int, *, sampling: int = 2, half_pixel: bool = False
    ) -> None:
        super().__init__()
        self.kind = kind
        self.size = size
        self.scale = 1 / stride
        self.sampling = sampling
        self.half_pixel = half_pixel

    def forward(self, features: Tensor, rois_R5: Tensor) -> Tensor:
        device = features.device.type
        if not torch.is_autocast_enabled(device):
            return self._cut(features.float(), rois_R5).to(features.dtype)
        with torch.autocast(device, enabled=False):
            return self._cut(features.float(), rois_R5).to(features.dtype)

    def _cut(self, x: Tensor, rois_R5: Tensor) -> Tensor:
        from torchvision.ops import roi_align, roi_pool

        if self.kind == "align" and not self.half_pixel and fits(x, self.size, self.sampling):
            rule = {"size": self.size, "scale": self.scale, "sampling": self.sampling}
            return align(x, rois_R5, **rule)
        if self.kind == "align":
            half = self.half_pixel
            return roi_align(x, rois_R5, self.size, self.scale, self.sampling, aligned=half)
        # RoI pooling counts pixels inclusively: the last one of a box is x2 - 1.
        last_5 = rois_R5.new_tensor([0, 0, 0, 1, 1])
        return roi_pool(x, rois_R5 - last_5, self.size, self.scale)


class Regions(NamedTuple):
    """Regions of several pictures to learn from.

    Shape:
        rois_R5: index of the picture, then XYXY.  labels_R: int64 in [0, K].
        targets_R4: deltas; zeros for background.
    """

    rois_R5: Tensor
    labels_R: Tensor
    targets_R4: Tensor


def indexed(rois_NP4: Tensor) -> Tensor:
    """Put the index of its picture before every region: N * P, 5."""
    count, each = rois_NP4.shape[:2]
    index_N = torch.arange(count, device=rois_NP4.device, dtype=rois_NP4.dtype)
    index_NP1 = index_N[:, None, None].expand(count, each, 1)
    return torch.cat([index_NP1, rois_NP4], dim=2).flatten(0, 1)


def regions(
    proposals: Proposals, truths: Sequence[Truth], config: RoiConfig, random: Generator
) -> Regions:
    """Choose the regions that are looked at, among the proposals and the objects themselves.

    Args:
        proposals: of each picture.
        truths: the objects of each picture.
        config: thresholds and counts.
        random: draws.
    """
    rois: list[Tensor] = []
    labels: list[Tensor] = []
    targets: list[Tensor] = []
    pictures = zip(proposals.rois_NP4, proposals.valid_NP, truths, strict=True)
    for number, (rois_P4, valid_P, truth) in enumerate(pictures):
        rois_A4 = torch.cat([rois_P4[valid_P], truth.learnable().boxes_R4.to(rois_P4)])
        goal = region_goal(
            rois_A4, truth, foreground=config.foreground, background=config.background
        )
        chosen = sample(goal.labels_A, config.per_picture, config.foreground_share, random)
        rois.append(F.pad(rois_A4[chosen], (1, 0), value=number))
        labels.append(goal.labels_A[chosen])
        target = encode(goal.boxes_A4[chosen], rois_A4[chosen], config.std)
        targets.append(target * (labels[-1] > 0)[:, None])
    return Regions(torch.cat(rois), torch.cat(labels), torch.cat(targets))


def roi_losses(
    logits_RK: Tensor, deltas_RK4: Tensor, wanted: Regions, sigma: float
) -> dict[str, Tensor]:
    """Return the two terms of the loss, each divided by the number of regions ([G] equation 1).

    Args:
        logits_RK: of the K + 1 classes, background first.
        deltas_RK4: for each class.
        wanted: what they should be.
        sigma: of the smooth L1 loss.

    Returns:
        "roi_class": the mean cross-entropy; "roi_box": smooth L1 of the objects.
    """
    labels_R = wanted.labels_R
    count = max(len(labels_R), 1)
    objects = (labels_R > 0).nonzero().flatten()
    deltas = deltas_RK4[objects, labels_R[objects]]
    return {
        "roi_class": F.cross_entropy(logits_RK, labels_R, reduction="sum") / count,
        "roi_box": smooth_l1(deltas, wanted.targets_R4[objects], sigma) / count,
    }
