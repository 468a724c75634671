"""The region proposal network: from features to boxes that may hold an object.

Dimension key:
    N pictures   C channels   H, W height and width of the features   A anchors of all places
    P proposals of a picture, of which only the valid ones mean something

Sources:
    [F] Ren et al., Faster R-CNN, arXiv:1506.01497, section 3.1; py-faster-rcnn,
        lib/fast_rcnn/config.py and lib/rpn/proposal_layer.py.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from residua.config import settings
from residua.detect.anchors import Cell, grid
from residua.detect.boxes import clip, decode, encode, inside, shorter_side
from residua.detect.suppress import NEVER, best
from residua.detect.targets import Truth, anchor_goal, sample

Objectness = Literal["softmax", "sigmoid"]


@settings
class RpnConfig:
    """How proposals are made and learned; the defaults are those of [F].

    Attributes:
        channels: of the 3x3 convolution; by default twice those of the features, 512 at the most.
        objectness: two logits with softmax ([F]), or one with sigmoid.
        train_pre: how many of the best boxes go into the suppression while training.
        train_post: how many proposals come out of it while training.
        test_pre: the same in a test.
        test_post: the same in a test; P.
        nms: boxes that overlap a better one by more than this IoU are left out.
        min_size: least width and height of a proposal, in pixels of the picture before resizing.
        per_picture: anchors that are looked at in a picture while training.
        positive_share: how many of them are positive at the most.
        positive: least IoU of positive anchors.
        negative: IoU that negative anchors stay below.
        inside_only: whether anchors across the border of a picture are not learned from.
        sigma: of the smooth L1 loss, which is quadratic below 1 / sigma^2.
    """

    channels: int | None = None
    objectness: Objectness = "softmax"
    train_pre: int = 12000
    train_post: int = 2000
    test_pre: int = 6000
    test_post: int = 300
    nms: float = 0.7
    min_size: float = 16.0
    per_picture: int = 256
    positive_share: float = 0.5
    positive: float = 0.7
    negative: float = 0.3
    inside_only: bool = True
    sigma: float = 3.0


class Proposals(NamedTuple):
    """Boxes that may hold an object, the most probable first.

    Shape:
        rois_NP4: XYXY in pixels of the pictures that the net was given.
        valid_NP: bool; what is not valid fills up.
    """

    rois_NP4: Tensor
    valid_NP: Tensor


class Said(NamedTuple):
    """What the network says of the anchors, which are the same in every picture of a batch.

    Shape:
        objectness_NA: logits in float32.  deltas_NA4: float32.  anchors_A4: in pixels.
    """

    objectness_NA: Tensor
    deltas_NA4: Tensor
    anchors_A4: Tensor


class Rpn(nn.Module):
    """`z = relu(conv(x)); objectness, deltas = conv1x1(z), conv1x1'(z)` at every place.

    Args:
        in_channels: C.
        stride: of the features in pixels.
        cells: the anchors of the first place.
        channels: of the 3x3 convolution.
        objectness: "softmax" or "sigmoid".
    """

    def __init__(
        self,
        *,
        in_channels: int,
        stride: int,
        cells: tuple[Cell, ...],
        channels: int = 512,
        objectness: Objectness = "softmax",
    ) -> None:
        super().__init__()
        self.cells = cells
        self.stride = stride
        logits = 2 if objectness == "softmax" else 1
        self.conv = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.objectness = nn.Conv2d(channels, logits * len(cells), 1)
        self.deltas = nn.Conv2d(channels, 4 * len(cells), 1)
        for layer in (self.conv, self.objectness, self.deltas):
            nn.init.normal_(layer.weight, std=0.01)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor) -> Said:
        z = F.relu(self.conv(features))
        # Two logits are background and object, whose softmax is the sigmoid of the difference.
        logits = self.objectness(z).float().unflatten(1, (-1, len(self.cells)))
        logit = logits[:, -1] - logits[:, 0] if logits.shape[1] == 2 else logits[:, 0]
        deltas = self.deltas(z).float()
        height, width = features.shape[2:]
        return Said(
            logit.permute(0, 2, 3, 1).flatten(1),
            deltas.permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, 4)),
            grid(self.cells, height, width, self.stride, features),
        )


def proposals(
    said: Said, sizes_N2: Tensor, min_size_N: Tensor, *, pre: int, post: int, nms: float
) -> Proposals:
    """Decode the anchors, cut them at the border, and keep the best that do not overlap much.

    No gradient flows through proposals ([F], approximate joint training).

    Args:
        said: of the anchors.
        sizes_N2: height and width of each picture inside the padding.
        min_size_N: least width and height in pixels of the resized pictures.
        pre: how many of the best boxes of a picture go into the suppression.
        post: the most of a picture, which P is in an exported or compiled net (or all anchors if
            they are fewer); else P is what the picture with the most has, at least 1.
        nms: IoU in [0, 1].
    """
    scores_NA = said.objectness_NA.detach()
    boxes_NA4 = clip(decode(said.deltas_NA4.detach(), said.anchors_A4), sizes_N2[:, None])
    scores_NA = scores_NA.masked_fill(shorter_side(boxes_NA4) < min_size_N[:, None], NEVER)
    scores_NQ, index_NQ = scores_NA.topk(min(pre, scores_NA.shape[1]), dim=1)
    boxes_NQ4 = boxes_NA4.gather(1, index_NQ[..., None].expand(-1, -1, 4))
    index_NP, valid_NP = best(boxes_NQ4, scores_NQ, nms=nms, count=post)
    return _short(boxes_NQ4.gather(1, index_NP[..., None].expand(-1, -1, 4)), valid_NP)


def _short(rois_NP4: Tensor, valid_NP: Tensor) -> Proposals:
    """Leave out places that no picture fills, where sizes may depend on values.

    The valid ones come first. Pooling and describing the others would be work for nothing.
    """
    if torch.compiler.is_compiling():
        return Proposals(rois_NP4, valid_NP)
    most = max(1, int(valid_NP.sum(dim=1).max()))
    return Proposals(rois_NP4[:, :most], valid_NP[:, :most])


def rpn_losses(
    said: Said,
    sizes_N2: Tensor,
    truths: Sequence[Truth],
    config: RpnConfig,
    random: Generator,
) -> dict[str, Tensor]:
    """Return the two terms of the loss, each divided by the number of anchors looked at ([F]).

    Args:
        said: of the anchors.
        sizes_N2: height and width of each picture inside the padding.
        truths: the objects of each picture.
        config: thresholds and counts.
        random: draws the anchors that are looked at.

    Returns:
        "rpn_class": the mean logistic loss of objectness; "rpn_box": smooth L1 of the positives.
    """
    anchors_A4 = said.anchors_A4
    classes: list[Tensor] = []
    boxes: list[Tensor] = []
    seen = 0
    for number, truth in enumerate(truths):
        goal = anchor_goal(
            anchors_A4,
            truth,
            positive=config.positive,
            negative=config.negative,
            usable_A=inside(anchors_A4, sizes_N2[number]) if config.inside_only else None,
        )
        chosen = sample(goal.labels_A, config.per_picture, config.positive_share, random)
        labels = goal.labels_A[chosen]
        logits = said.objectness_NA[number, chosen]
        classes.append(F.binary_cross_entropy_with_logits(logits, labels.float(), reduction="sum"))
        objects = chosen[labels > 0]
        target = encode(goal.boxes_A4[objects], anchors_A4[objects])
        boxes.append(smooth_l1(said.deltas_NA4[number, objects], target, config.sigma))
        seen += len(chosen)
    return {
        "rpn_class": torch.stack(classes).sum() / max(seen, 1),
        "rpn_box": torch.stack(boxes).sum() / max(seen, 1),
    }


def smooth_l1(x: Tensor, target: Tensor, sigma: float) -> Tensor:
    """Sum `0.5 (sigma d)^2` where `|d| < 1 / sigma^2`, else `|d| - 0.5 / sigma^2`."""
    return F.smooth_l1_loss(x, target, beta=1 / sigma**2, reduction="sum")
