import math

import pytest
import torch
from torch import tensor

from detect.tiny import batch, config
from residua.data.objects import Objects
from residua.detect.alternating import STEPS, learn_only
from residua.detect.roi import Regions, RoiConfig, RoiPool, regions, roi_losses
from residua.detect.rpn import Proposals, Rpn, RpnConfig, Said, proposals, rpn_losses, smooth_l1

ONE = Objects.of([[8, 8, 40, 40]], [2])
RANDOM = torch.Generator()


def said(logits, anchors, deltas=None):
    anchors = tensor(anchors)
    moved = torch.zeros(1, len(anchors), 4) if deltas is None else tensor([deltas])
    return Said(tensor([logits]), moved, anchors)


def test_smooth_l1_by_hand():
    x = tensor([0.1, 1.0])
    # 0.5 (3 * 0.1)^2, and 1 - 0.5 / 9.
    assert float(smooth_l1(x, torch.zeros(2), 3.0)) == pytest.approx(0.045 + 1 - 1 / 18)


def test_the_loss_of_anchors_by_hand():
    anchors = [[8.0, 8, 40, 40], [50.0, 50, 60, 60], [8.0, 8, 40, 24], [90.0, 90, 110, 110]]
    given = said([0.0, math.log(3), 5.0, 5.0], anchors, [[0.1, 0, 0, 0], *[[9.0, 9, 9, 9]] * 3])
    found = rpn_losses(given, tensor([[100, 100]]), [ONE], RpnConfig(), RANDOM)
    # The third overlaps the object by half and the fourth crosses the border: two are looked at.
    assert float(found["rpn_class"]) == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert float(found["rpn_box"]) == pytest.approx(0.045 / 2)
    across = rpn_losses(given, tensor([[100, 100]]), [ONE], RpnConfig(inside_only=False), RANDOM)
    assert float(across["rpn_box"]) == pytest.approx(0.045 / 3)


def test_a_picture_where_no_anchor_fits_has_no_loss():
    found = rpn_losses(said([1.0], [[-9.0, 0, 9, 9]]), tensor([[8, 8]]), [ONE], RpnConfig(), RANDOM)
    assert [float(value) for value in found.values()] == [0, 0]


def test_two_logits_are_background_then_object():
    net = Rpn(in_channels=1, stride=1, cells=((0.0, 0, 1, 1), (0.0, 0, 2, 2)), channels=1)
    net.objectness.bias.data = tensor([1.0, 2, 5, 9])
    net.deltas.bias.data = torch.arange(8.0)
    net.conv.weight.data.zero_()
    found = net(torch.ones(1, 1, 1, 2))
    assert found.objectness_NA.tolist() == [[4, 7, 4, 7]]
    assert found.deltas_NA4[0, 2].tolist() == [0, 1, 2, 3]
    assert found.anchors_A4[3].tolist() == [1, 0, 3, 2]


def test_proposals_are_moved_cut_and_suppressed():
    given = said(
        [3.0, 2.0, 9.0, 1.0],
        [[0.0, 0, 20, 20], [0.0, 0, 20, 18], [0.0, 0, 20, 8], [30.0, 30, 60, 60]],
        [[0.5, 0, 0, 0], [0.5, 0, 0, 0], [0.0] * 4, [0.0] * 4],
    )
    sizes = tensor([[50, 50]])
    found = proposals(given, sizes, tensor([16.0]), pre=4, post=3, nms=0.7)
    assert found.valid_NP.tolist() == [[True, True]]
    assert found.rois_NP4[0].tolist() == [[10, 0, 30, 20], [30, 30, 50, 50]]
    # Twice as large a picture has twice as large a least size; there is one place all the same.
    found = proposals(given, sizes, tensor([32.0]), pre=4, post=3, nms=0.7)
    assert found.valid_NP.tolist() == [[False]]


def test_proposals_of_several_pictures_are_filled_up_to_the_most_of_one():
    anchors = tensor([[0.0, 0, 20, 20], [30.0, 30, 60, 60]])
    deltas = torch.zeros(2, 2, 4)
    # The second anchor of the first picture is moved out of it, and has no height left.
    deltas[0, 1, 1] = 1.5
    both = Said(tensor([[3.0, 2.0]] * 2), deltas, anchors)
    found = proposals(both, tensor([[50, 50]] * 2), tensor([1.0] * 2), pre=2, post=9, nms=0.7)
    assert found.valid_NP.tolist() == [[True, False], [True, True]]


def test_objects_are_regions_themselves_and_fillers_are_none():
    given = Proposals(
        tensor([[[8.0, 8, 40, 24], [8, 8, 40, 16], [50, 50, 60, 60]]]),
        tensor([[True, True, False]]),
    )
    rule = RoiConfig(background=(0.0, 0.5))
    found = regions(given, [ONE], rule, RANDOM)
    assert found.labels_R.tolist() == [2, 2, 0]
    assert found.rois_R5[:, 1:].tolist() == [[8, 8, 40, 24], [8, 8, 40, 40], [8, 8, 40, 16]]
    # From 32 x 16 around (24, 16) to 32 x 32 around (24, 24), by the standard deviations.
    assert torch.allclose(found.targets_R4[0], tensor([0, 0.5 / 0.1, 0, math.log(2) / 0.2]))
    assert not found.targets_R4[1:].any()


def test_the_loss_of_regions_by_hand():
    wanted = Regions(torch.zeros(2, 5), tensor([2, 0]), tensor([[1.0, 0, 0, 0], [0, 0, 0, 0]]))
    logits = tensor([[0.0, 0, math.log(2)], [0, 0, math.log(2)]])
    deltas = torch.full((2, 3, 4), 7.0)
    deltas[0, 2] = tensor([0.5, 0, 0, 2.0])
    found = roi_losses(logits, deltas, wanted, sigma=1.0)
    assert float(found["roi_class"]) == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert float(found["roi_box"]) == pytest.approx((0.125 + 1.5) / 2)


def test_pooling_takes_the_largest_value_up_to_the_last_pixel():
    features = torch.arange(16.0).view(1, 1, 4, 4)
    pool = RoiPool("max", 1, 16)
    # The last pixel of 17 is 16, in cell 1; that of 25 is 24, which rounds to cell 2.
    found = pool(features, tensor([[0.0, 0, 0, 17, 17], [0, 0, 0, 25, 25]]))
    assert found.flatten().tolist() == [5, 10]


def test_aligned_pooling_interpolates():
    features = torch.arange(16.0).view(1, 1, 4, 4)
    found = RoiPool("align", 1, 16, sampling=1)(features, tensor([[0.0, 0, 0, 32, 32]]))
    assert found.flatten().tolist() == [5]


def test_context_is_the_vector_of_the_whole_picture():
    detector = config(context=True).build().eval()
    given = batch(ONE, ONE)
    sizes = tensor([[96, 128], [64, 64]])
    rois = tensor([[[0.0, 0, 50, 50], [0, 0, 128, 96]], [[0, 0, 64, 64], [9, 9, 30, 30]]])
    with torch.no_grad():
        features = detector.features(given.images_NCHW)
        vectors = detector.describe(features, rois, sizes)
        own, context = vectors.chunk(2, dim=2)
    assert torch.equal(context[:, 0], context[:, 1])
    assert torch.allclose(context[0, 0], own[0, 1])
    assert torch.allclose(context[1, 0], own[1, 0])
    assert not torch.allclose(own[1, 0], own[1, 1])


def test_one_box_for_all_classes_is_repeated():
    detector = config(roi={"class_agnostic": True}).build()
    probabilities, deltas = detector.classify(torch.randn(2, 5, 128))
    assert probabilities.shape == (2, 5, 4)
    assert deltas.shape == (2, 5, 4, 4)
    assert torch.equal(deltas[:, :, 0], deltas[:, :, 3])
    assert torch.allclose(probabilities.sum(-1), torch.ones(2, 5))


def test_the_same_generator_draws_the_same_anchors_and_regions():
    detector = config(rpn={"per_picture": 8}, roi={"per_picture": 6}).build().train()
    given = batch(ONE, Objects.of([[10, 10, 90, 60]], [1]))

    def loss(seed):
        random = torch.Generator().manual_seed(seed)
        return {name: v.item() for name, v in detector.losses(given, random).items()}

    assert loss(3) == loss(3)
    assert loss(3)["rpn_class"] != loss(4)["rpn_class"]
    assert loss(3)["loss"] == pytest.approx(sum(v for k, v in loss(3).items() if k != "loss"))


def changed(detector, step, given):
    """Make an update of a step of alternating training, and return the parts that it changed."""
    learning = learn_only(detector, step.learns)
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    regions_of = None
    if step.proposals == "proposer":
        rois = tensor([[[8.0, 8, 40, 40], [20, 20, 40, 50]]])
        regions_of = Proposals(rois, torch.ones(1, 2, dtype=torch.bool))
    losses = detector.losses(given, RANDOM, terms=step.terms, proposals=regions_of)
    losses["loss"].backward()
    with torch.no_grad():
        for parameter in learning:
            parameter.sub_(1e-6 * parameter.grad)
    detector.zero_grad()
    after = detector.state_dict()
    names = {name for name in after if not torch.equal(after[name], before[name])}
    return {name.split(".")[0] for name in names}, losses.keys(), names


def test_the_four_steps_train_what_they_say():
    detector = config(freeze=1, roi={"background": (0.0, 0.5)}).build().train()
    found = [changed(detector, step, batch(ONE)) for step in STEPS]
    parts = [each[0] for each in found]
    assert parts == [
        {"trunk", "rpn"},
        {"trunk", "head", "predict"},
        {"rpn"},
        {"head", "predict"},
    ]
    assert found[0][1] == {"loss", "rpn_class", "rpn_box"}
    assert found[1][1] == {"loss", "roi_class", "roi_box"}
    assert not any(name.startswith("trunk.stem") for name in found[0][2] | found[1][2])
    everything = learn_only(detector)
    assert len(everything) == len(detector.learnable)
