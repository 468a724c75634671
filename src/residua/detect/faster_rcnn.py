"""Faster R-CNN on the features of a classifier: propose regions, describe, classify, move.

Dimension key:
    N pictures   C channels   H, W height and width   P regions of a picture   K classes without
    background   V = K + 1, background first   D numbers that describe a region
    R regions of all pictures   Q candidates of a picture, one for a region and a class
    E detections of a picture

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, appendices A and B.
    [F] Ren et al., Faster R-CNN, arXiv:1506.01497; and py-faster-rcnn.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Generator, Tensor, nn

from residua.config import settings
from residua.detect.boxes import clip, decode, shorter_side
from residua.detect.predict import Predict
from residua.detect.roi import RoiConfig, RoiPool, indexed, regions, roi_losses
from residua.detect.rpn import Proposals, Rpn, RpnConfig, Said, proposals, rpn_losses
from residua.detect.suppress import NEVER, best_of_each
from residua.detect.targets import Truth
from residua.nets.inputs import Input

Term = Literal["rpn", "roi"]
BOTH: tuple[Term, ...] = ("rpn", "roi")


class Labelled(Protocol):
    """Pictures with their objects, as `data.objectbatches.ObjectBatch` holds them."""

    @property
    def images_NCHW(self) -> Tensor: ...
    @property
    def sizes_N2(self) -> Tensor: ...
    @property
    def scales_N(self) -> Tensor: ...
    @property
    def objects(self) -> Sequence[Truth]: ...


class Detections(NamedTuple):
    """What was found in each picture, the most probable first.

    Shape:
        boxes_NE4: XYXY in pixels of the pictures that the net was given.
        scores_NE: probabilities, 0 for what is not valid.  labels_NE: int64, in [1, K].
        valid_NE: bool; what is not valid fills up.
    """

    boxes_NE4: Tensor
    scores_NE: Tensor
    labels_NE: Tensor
    valid_NE: Tensor


@settings
class OutputConfig:
    """What `forward` returns.

    Attributes:
        score_threshold: probabilities up to this are no detections.
        nms: boxes of a class that overlap a more probable one by more than this IoU are left out.
        per_picture: E, the most detections of a picture.
        candidates: the most probable boxes of all classes that go into the suppression.
    """

    score_threshold: float = 0.05
    nms: float = 0.3
    per_picture: int = 100
    candidates: int = 1000


class FasterRcnn(nn.Module):
    """`propose` regions of the `features`, `describe` each, `classify` it and move its borders.

    Its forward has results of a fixed size and nothing that depends on values, so that it can be
    exported for pictures of one size.

    Args:
        takes: the pictures that fit.
        trunk: N, C, H, W to features; a chain, of which the first parts may be frozen.
        rpn: features to objectness and deltas of anchors.
        pool: features and regions to pooled regions.
        head: pooled regions to vectors R, D.
        predict: vectors to logits and deltas.
        proposing: how proposals are made and learned.
        learning: how regions are learned from.
        output: what is found in the end.
        context: append to each region's vector that of the whole picture ([R] appendix B).
    """

    def __init__(  # noqa: PLR0913 -- one argument for each part
        self,
        *,
        takes: Input,
        trunk: nn.Sequential,
        rpn: Rpn,
        pool: RoiPool,
        head: nn.Module,
        predict: Predict,
        proposing: RpnConfig,
        learning: RoiConfig,
        output: OutputConfig,
        context: bool = False,
    ) -> None:
        super().__init__()
        self.takes = takes
        self.trunk = trunk
        self.rpn = rpn
        self.pool = pool
        self.head = head
        self.predict = predict
        self.proposing = proposing
        self.learning = learning
        self.output = output
        self.context = context
        # What was not frozen before: alternating training freezes more, and undoes it.
        self.learnable = frozenset(
            name for name, parameter in self.named_parameters() if parameter.requires_grad
        )

    def forward(
        self, images_NCHW: Tensor, sizes_N2: Tensor, scales_N: Tensor | None = None
    ) -> Detections:
        """Find objects.

        Args:
            images_NCHW: normalized, zeros right of and below each picture.
            sizes_N2: height and width of each picture inside the padding, int64.
            scales_N: pixels of these per pixel of the picture before resizing; 1 if not given.
        """
        features = self.features(images_NCHW)
        rois_NP4, valid_NP = self.propose(features, sizes_N2, scales_N)
        vectors_NPD = self.describe(features, rois_NP4, sizes_N2)
        probabilities_NPV, deltas_NPV4 = self.classify(vectors_NPD)
        boxes_NPV4 = clip(self.decode(deltas_NPV4, rois_NP4[:, :, None]), sizes_N2[:, None, None])
        scores_NPV = probabilities_NPV.masked_fill(~valid_NP[:, :, None], NEVER)
        longest = float(max(images_NCHW.shape[2:]))
        return detections(boxes_NPV4[:, :, 1:], scores_NPV[:, :, 1:], longest, self.output)

    def features(self, images_NCHW: Tensor) -> Tensor:
        """Return what all regions of a picture share: N, C, H, W with the stride of the trunk.

        Raises:
            ShapeError: the pictures do not fit.
        """
        self.takes.check(images_NCHW)
        if not self.training:
            return self.trunk(images_NCHW)
        x = images_NCHW
        for part in self.trunk:
            # Nothing is kept for the backward pass of what is frozen.
            learns = x.requires_grad or any(p.requires_grad for p in part.parameters())
            with torch.set_grad_enabled(torch.is_grad_enabled() and learns):
                x = part(x)
        return x

    def propose(
        self,
        features: Tensor,
        sizes_N2: Tensor,
        scales_N: Tensor | None = None,
        *,
        many: bool | None = None,
    ) -> Proposals:
        """Return the regions that may hold an object, P of each picture, and which are valid.

        P is at most `proposing.test_post`, or `train_post` in train mode.

        Args:
            features: of the pictures.
            sizes_N2: height and width of each picture inside the padding.
            scales_N: pixels of these per pixel of the picture before resizing; 1 if not given.
            many: as many as to learn from (True) or to test (False), whatever the mode is.
        """
        many = self.training if many is None else many
        return self._proposals(self.rpn(features), sizes_N2, scales_N, many=many)

    def describe(self, features: Tensor, rois_NP4: Tensor, sizes_N2: Tensor) -> Tensor:
        """Return a vector for each region: N, P, D; with context twice as long.

        Args:
            features: of the pictures.
            rois_NP4: in pixels of the pictures that the features are of.
            sizes_N2: height and width of each picture inside the padding.
        """
        vectors_RD = self._vectors(features, indexed(rois_NP4), sizes_N2)
        return vectors_RD.unflatten(0, rois_NP4.shape[:2])

    def classify(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return probabilities ..., K + 1 and deltas ..., K + 1, 4 of vectors ..., D, in float32.

        The background comes first. One box for all classes is repeated for each.
        """
        logits, deltas = self.predict(vectors)
        return logits.softmax(dim=-1), deltas

    def decode(self, deltas: Tensor, rois: Tensor) -> Tensor:
        """Move the borders of regions ..., 4 by deltas ..., 4; nothing is cut."""
        return decode(deltas, rois, self.learning.std)

    def losses(
        self,
        batch: Labelled,
        generator: Generator,
        *,
        terms: tuple[Term, ...] = BOTH,
        proposals: Proposals | None = None,
    ) -> dict[str, Tensor]:
        """Return the terms of the loss, and their sum as "loss".

        Args:
            batch: pictures with their objects, on one device.
            generator: on the processor; draws which anchors and regions are looked at.
            terms: "rpn" for "rpn_class" and "rpn_box", "roi" for "roi_class" and "roi_box".
            proposals: regions of another net, in pixels of the batch; its own if not given.
        """
        features = self.features(batch.images_NCHW)
        found: dict[str, Tensor] = {}
        if proposals is None or "rpn" in terms:
            said = self.rpn(features)
            if "rpn" in terms:
                found |= rpn_losses(said, batch.sizes_N2, batch.objects, self.proposing, generator)
            if "roi" in terms and proposals is None:
                proposals = self._proposals(
                    said, batch.sizes_N2, batch.scales_N, many=self.training
                )
        if "roi" in terms and proposals is not None:
            found |= self._roi_losses(features, proposals, batch, generator)
        return {"loss": torch.stack(list(found.values())).sum(), **found}

    def _roi_losses(
        self, features: Tensor, given: Proposals, batch: Labelled, generator: Generator
    ) -> dict[str, Tensor]:
        wanted = regions(given, batch.objects, self.learning, generator)
        vectors_RD = self._vectors(features, wanted.rois_R5, batch.sizes_N2)
        logits_RV, deltas_RV4 = self.predict(vectors_RD)
        return roi_losses(logits_RV, deltas_RV4, wanted, self.learning.sigma)

    def _proposals(
        self, said: Said, sizes_N2: Tensor, scales_N: Tensor | None, *, many: bool
    ) -> Proposals:
        rule = self.proposing
        scales = sizes_N2.new_ones(sizes_N2.shape[0]) if scales_N is None else scales_N
        pre, post = (rule.train_pre, rule.train_post) if many else (rule.test_pre, rule.test_post)
        least_N = rule.min_size * scales.float()
        return proposals(said, sizes_N2, least_N, pre=pre, post=post, nms=rule.nms)

    def _vectors(self, features: Tensor, rois_R5: Tensor, sizes_N2: Tensor) -> Tensor:
        if not self.context:
            return self.head(self.pool(features, rois_R5))
        count = rois_R5.shape[0]
        sides_N2 = sizes_N2.flip(1).to(rois_R5)
        whole_N4 = torch.cat([torch.zeros_like(sides_N2), sides_N2], dim=1)
        all_5 = torch.cat([rois_R5, indexed(whole_N4[:, None])])
        vectors = self.head(self.pool(features, all_5))
        return torch.cat([vectors[:count], vectors[count:][rois_R5[:, 0].long()]], dim=1)


def detections(
    boxes_NPK4: Tensor, scores_NPK: Tensor, longest: float, output: OutputConfig
) -> Detections:
    """Choose what was found: the best boxes of each class that do not overlap much.

    Args:
        boxes_NPK4: inside the pictures, for each region and class.
        scores_NPK: probabilities.
        longest: height or width of the pictures in pixels, whichever is larger.
        output: thresholds and counts.
    """
    classes = scores_NPK.shape[2]
    empty_NPK = shorter_side(boxes_NPK4) <= 0
    unlikely_NPK = (scores_NPK <= output.score_threshold) | empty_NPK
    scores = scores_NPK.masked_fill(unlikely_NPK, NEVER).flatten(1)
    scores_NQ, index_NQ = scores.topk(min(output.candidates, scores.shape[1]), dim=1)
    boxes_NQ4 = boxes_NPK4.flatten(1, 2).gather(1, index_NQ[..., None].expand(-1, -1, 4))
    classes_NQ = index_NQ % classes
    chosen_NE, valid_NE = best_of_each(
        boxes_NQ4,
        scores_NQ,
        classes_NQ,
        nms=output.nms,
        count=output.per_picture,
        places=(longest, classes),
    )
    return Detections(
        boxes_NQ4.gather(1, chosen_NE[..., None].expand(-1, -1, 4)),
        scores_NQ.gather(1, chosen_NE).masked_fill(~valid_NE, 0),
        classes_NQ.gather(1, chosen_NE) + 1,
        valid_NE,
    )
