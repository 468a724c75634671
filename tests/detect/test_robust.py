"""Odd pictures and boxes give finite numbers, in float32 and under autocast."""

import dataclasses

import pytest
import torch

from detect.tiny import TRUNK, batch, config
from residua.config import decode, encode
from residua.data.objects import Objects
from residua.detect.settings import FasterRcnnConfig
from residua.errors import ConfigError, ShapeError
from residua.nets.vgg import VggConfig

ONE = Objects.of([[8, 8, 30, 30]], [2])
CROWD = Objects.of([[0, 0, 40, 40]], [1], crowd_R=[True])


def many(count):
    random = torch.Generator().manual_seed(0)
    corners = torch.rand(count, 2, generator=random) * 60
    sides = 1 + torch.rand(count, 2, generator=random) * 30
    return Objects.of(torch.cat([corners, corners + sides], dim=1), [1] * count)


CASES = {
    "one picture": batch(ONE),
    "no objects": batch(Objects.none(), Objects.none()),
    "some without": batch(Objects.none(), ONE),
    "only a crowd": batch(CROWD),
    "1,000 boxes": batch(many(1000)),
    "no area": batch(Objects.of([[5, 5, 5, 9], [8, 8, 30, 30]], [1, 1])),
    "40 pixels": batch(ONE, height=40, width=40),
    "narrow": batch(ONE, height=40, width=4000),
}


@pytest.fixture(scope="module")
def detector():
    return config(trunk=dataclasses.replace(TRUNK, zero_init_residual=True)).build()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_losses_gradients_and_detections_are_finite(detector, name, dtype):
    given = CASES[name]
    detector.train()
    detector.zero_grad()
    with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
        losses = detector.losses(given, torch.Generator().manual_seed(0))
        losses["loss"].backward()
        detector.eval()
        with torch.no_grad():
            found = detector(given.images_NCHW, given.sizes_N2)
    assert all(value.isfinite() for value in losses.values())
    for parameter in detector.parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all()
    assert all(each.isfinite().all() for each in found)
    assert found.boxes_NE4.dtype == torch.float32
    sizes = given.sizes_N2[:, None].flip(-1)
    assert (found.boxes_NE4 >= 0).all()
    assert (found.boxes_NE4[..., 2:] <= sizes).all()


def test_there_are_no_more_proposals_than_anchors():
    detector = config().build().eval()
    sizes = torch.tensor([[16, 16]])
    with torch.no_grad():
        rois, valid = detector.propose(detector.features(torch.zeros(1, 3, 16, 16)), sizes)
    assert rois.shape[1] <= 9
    assert rois.shape[:2] == valid.shape
    assert valid.all()


def test_the_number_of_proposals_follows_the_mode_or_the_word():
    detector = config().build().eval()
    given = batch(ONE)
    features = detector.features(given.images_NCHW)
    assert detector.propose(features, given.sizes_N2).rois_NP4.shape[1] == 20
    many = detector.propose(features, given.sizes_N2, many=True)
    assert many.rois_NP4.shape[1] == 50
    assert not many.rois_NP4.requires_grad


def test_pictures_smaller_than_the_stride_are_refused():
    with pytest.raises(ShapeError, match="at least 16x16"):
        config().build().features(torch.zeros(1, 3, 15, 40))


def test_nothing_is_kept_for_what_is_frozen():
    detector = config(freeze=4).build().train()
    features = detector.features(batch(ONE).images_NCHW)
    assert not features.requires_grad


def test_settings_round_trip_and_refuse_what_they_do_not_know():
    settings = FasterRcnnConfig(trunk=VggConfig(), num_classes=7, context=True)
    assert decode(FasterRcnnConfig, encode(settings)) == settings
    with pytest.raises(ConfigError, match="no such setting"):
        decode(FasterRcnnConfig, {**encode(settings), "backbone": 1})
