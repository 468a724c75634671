"""A detector of torchvision's own parts with our weights has the same proposals, boxes, losses.

Its parts are AnchorGenerator, RegionProposalNetwork and RoIHeads on one map of features; no model
of torchvision is one on C4.
"""

import pytest
import torch
from torch import nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import MultiScaleRoIAlign

from detect.tiny import batch, config, shaken
from residua.data.objects import Objects
from residua.detect.anchors import AnchorsConfig

ALL = 10**6
SIZES = (16, 32, 64)
RATIOS = (0.5, 1.0, 2.0)
COUNTS = {"training": 300, "testing": 150}
KEPT = {"training": 60, "testing": 25}


class Siblings(nn.Module):
    def __init__(self, predict):
        super().__init__()
        self.predict = predict

    def forward(self, vectors):
        return self.predict.classes(vectors), self.predict.boxes(vectors)


def ours():
    detector = config(
        anchors=AnchorsConfig(sizes=SIZES, ratios=RATIOS, convention="torchvision"),
        rpn={
            "objectness": "sigmoid",
            "channels": 64,
            "train_pre": COUNTS["training"],
            "train_post": KEPT["training"],
            "test_pre": COUNTS["testing"],
            "test_post": KEPT["testing"],
            "min_size": 1e-3,
            "per_picture": ALL,
            "inside_only": False,
        },
        roi={"pool": "align", "per_picture": ALL, "background": (0.0, 0.5), "sigma": 3.0},
        output={"score_threshold": 0.2, "nms": 0.4, "per_picture": 12, "candidates": ALL},
    ).build()
    return shaken(detector)


def theirs(detector):
    head = RPNHead(64, len(SIZES) * len(RATIOS))
    head.conv[0][0].load_state_dict(detector.rpn.conv.state_dict())
    head.cls_logits.load_state_dict(detector.rpn.objectness.state_dict())
    head.bbox_pred.load_state_dict(detector.rpn.deltas.state_dict())
    anchors = AnchorGenerator((SIZES,), (RATIOS,))
    rpn = RegionProposalNetwork(anchors, head, 0.7, 0.3, ALL, 0.5, COUNTS, KEPT, 0.7)
    pool = MultiScaleRoIAlign(["0"], output_size=detector.pool.size, sampling_ratio=2)
    siblings = Siblings(detector.predict)
    heads = RoIHeads(pool, detector.head, siblings, 0.5, 0.5, ALL, 0.25, None, 0.2, 0.4, 12)
    return rpn, heads


@pytest.fixture(scope="module")
def case():
    detector = ours()
    objects = (
        Objects.of([[8, 8, 60, 70], [40, 20, 118, 90]], [1, 3]),
        Objects.of([[20, 30, 50, 62]], [2]),
    )
    given = batch(*objects)
    images = ImageList(given.images_NCHW, [(96, 128), (96, 128)])
    return detector, theirs(detector), given, images


def test_proposals_and_final_boxes_are_the_same(case):
    detector, (rpn, heads), given, images = case
    rpn.eval()
    heads.eval()
    with torch.no_grad():
        features = detector.features(given.images_NCHW)
        boxes, _ = rpn(images, {"0": features})
        proposed = detector.propose(features, given.sizes_N2)
        results, _ = heads({"0": features}, boxes, images.image_sizes)
        found = detector(given.images_NCHW, given.sizes_N2)
    anchors = rpn.anchor_generator(images, [features])
    assert torch.equal(detector.rpn(features).anchors_A4, anchors[0])
    for number, result in enumerate(results):
        valid = proposed.valid_NP[number]
        assert torch.allclose(proposed.rois_NP4[number, valid], boxes[number], atol=1e-4)
        valid = found.valid_NE[number]
        assert valid.sum() > 1
        assert torch.allclose(found.boxes_NE4[number, valid], result["boxes"], atol=1e-4)
        assert torch.allclose(found.scores_NE[number, valid], result["scores"], atol=1e-4)
        assert torch.equal(found.labels_NE[number, valid], result["labels"])


def test_losses_are_the_same_when_everything_is_looked_at(case):
    detector, (rpn, heads), given, images = case
    detector.train()
    rpn.train()
    heads.train()
    wanted = [{"boxes": each.boxes_R4, "labels": each.labels_R} for each in given.objects]
    features = detector.features(given.images_NCHW)
    boxes, expected = rpn(images, {"0": features}, wanted)
    _, more = heads({"0": features}, boxes, images.image_sizes, wanted)
    expected = expected | more
    found = detector.losses(given, torch.Generator().manual_seed(0))
    detector.eval()
    names = {
        "rpn_class": "loss_objectness",
        "rpn_box": "loss_rpn_box_reg",
        "roi_class": "loss_classifier",
        "roi_box": "loss_box_reg",
    }
    for name, other in names.items():
        assert expected[other].item() > 0
        assert torch.allclose(found[name], expected[other], rtol=1e-4, atol=1e-6), name
    assert torch.allclose(found["loss"], sum(expected.values()), rtol=1e-4)
