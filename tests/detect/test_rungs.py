"""Every rung of the ladder on a real net: it changes what is found; without any it is the net."""

import dataclasses

import pytest
import torch

from residua.data.resize import ResizeConfig
from residua.detect import testing
from residua.detect.anchors import AnchorsConfig
from residua.detect.detector import Detector
from residua.detect.given import AtHand, given
from residua.detect.rpn import RpnConfig
from residua.detect.settings import FasterRcnnConfig
from residua.detect.testing import detect
from residua.nets.cifar import CifarConfig

SMALL = FasterRcnnConfig(
    trunk=CifarConfig(depth=8),
    num_classes=2,
    anchors=AnchorsConfig(sizes=(8, 16, 32)),
    rpn=RpnConfig(channels=8, test_pre=100, test_post=20, min_size=2),
    freeze=0,
)
RESIZE = ResizeConfig(short=48, long=96)
SIZES = [(96, 120), (60, 40), (96, 120)]
PICTURES = AtHand(
    [
        torch.randint(0, 256, (3, *size), generator=torch.Generator().manual_seed(i)).byte()
        for i, size in enumerate(SIZES)
    ]
)


def normalize(images):
    return images / 128 - 1


def detector(seed=0, **changes):
    """A net with an opinion: with its first weights all regions are alike."""
    torch.manual_seed(seed)
    net = dataclasses.replace(SMALL, **changes).build()
    for layer, std in (
        (net.predict.classes, 0.5),
        (net.predict.boxes, 2.0),
        (net.rpn.objectness, 1.0),
    ):
        torch.nn.init.normal_(layer.weight, std=std)
    return Detector(net=net.eval(), normalize=normalize, resize=RESIZE)


def found_in(detectors, **options):
    return detect(detectors, PICTURES, testing.TestingConfig(**options))


def differ(one, two):
    return any(
        a.boxes_D4.shape != b.boxes_D4.shape or not torch.allclose(a.boxes_D4, b.boxes_D4)
        for a, b in zip(one, two, strict=True)
    )


def test_with_everything_switched_off_it_is_the_forward_of_the_net():
    asked = detector()
    found = found_in([asked])
    assert all(map(len, found))
    assert all(len(each.scores_D.unique()) == len(each) for each in found), "ties prove nothing"
    for picture, each in zip(PICTURES.pictures, found, strict=True):
        one = given([picture], RESIZE, normalize)
        with torch.inference_mode():
            y = asked.net(one.images_NCHW, one.sizes_N2, torch.tensor([one.scale]))
        valid = y.valid_NE[0]
        down, across = one.ratios
        own = y.boxes_NE4[0, valid] / torch.tensor([across, down, across, down])
        torch.testing.assert_close(each.boxes_D4, own, rtol=1e-5, atol=1e-4)
        torch.testing.assert_close(each.scores_D, y.scores_NE[0, valid], rtol=1e-4, atol=1e-5)
        assert each.labels_D.equal(y.labels_NE[0, valid])


def test_the_defaults_of_testing_and_of_the_net_agree():
    assert testing.BASELINE.output == SMALL.output


LADDER = [
    {"refine": True},
    {"refine": True, "vote": True},
    {"refine": True, "vote": True, "scales": (16, 32, 48, 64, 80), "scale_side": 18},
]


@pytest.mark.parametrize("rung", range(3))
def test_each_rung_changes_what_is_found(rung):
    asked = [detector()]
    below = LADDER[rung - 1] if rung else {}
    assert differ(found_in(asked, **below), found_in(asked, **LADDER[rung]))


@pytest.mark.parametrize("nms", [0.1, 0.6])
def test_another_suppression_changes_what_is_found(nms):
    asked = [detector()]
    assert differ(found_in(asked), found_in(asked, nms=nms))


def test_a_second_net_changes_what_is_found_and_the_same_net_again_does_not():
    alone = found_in([detector()])
    assert differ(alone, found_in([detector(), detector(seed=1)]))
    assert not differ(alone, found_in([detector(), detector()]))


def test_context_is_in_the_vector_of_every_region():
    plain, wide = detector(), detector(context=True)
    assert not plain.net.context
    assert wide.net.context
    assert wide.net.predict.classes.in_features == 2 * plain.net.predict.classes.in_features
    # The same net on the same regions, of a picture that differs where no region is.
    picture = torch.randint(0, 256, (1, 3, 96, 96), generator=torch.Generator().manual_seed(9))
    other = picture.clone()
    other[..., 64:] = 0
    rois, sizes = torch.tensor([[[4.0, 4, 20, 20]]]), torch.tensor([[96, 96]])
    vectors = []
    for net in (plain.net, wide.net):
        with torch.inference_mode():
            one, two = (
                net.describe(net.features(normalize(x.float())), rois, sizes)
                for x in (picture, other)
            )
        vectors.append((one, two))
    assert vectors[0][0].equal(vectors[0][1])
    assert not vectors[1][0].equal(vectors[1][1])
    half = vectors[1][0].shape[2] // 2
    assert vectors[1][0][..., :half].equal(vectors[1][1][..., :half])
    assert differ(found_in([plain]), found_in([wide]))


def test_every_rung_together_with_context():
    every = found_in([detector(context=True), detector(seed=1)], **LADDER[2])
    for found, (height, width) in zip(every, SIZES, strict=True):
        assert len(found)
        assert found.boxes_D4.isfinite().all()
        assert (found.boxes_D4 >= 0).all()
        assert (found.boxes_D4 <= torch.tensor([width, height, width, height])).all()
        assert found.scores_D.equal(found.scores_D.sort(descending=True).values)


@pytest.mark.parametrize("rung", [{}, LADDER[2]])
def test_half_the_digits_do_no_harm(rung):
    exact = detector()
    rough = dataclasses.replace(exact, dtype=torch.bfloat16)
    for one, two in zip(found_in([exact], **rung), found_in([rough], **rung), strict=True):
        assert two.boxes_D4.dtype == two.scores_D.dtype == torch.float32
        assert two.boxes_D4.isfinite().all()
        assert two.scores_D.isfinite().all()
        assert len(one)
        assert len(two)


@pytest.mark.parametrize("size", [(16, 400), (400, 16), (40, 40), (1000, 1500)])
def test_pictures_of_odd_sizes(size):
    picture = AtHand([torch.full((3, *size), 99, dtype=torch.uint8)])
    (found,) = detect([detector()], picture, testing.TestingConfig(**LADDER[2]))
    height, width = size
    assert found.boxes_D4.isfinite().all()
    assert (found.boxes_D4 <= torch.tensor([width, height, width, height])).all()
