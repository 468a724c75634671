import pytest
import torch

from residua.data.resize import ResizeConfig
from residua.detect.given import AtHand, at_scale, given


def test_pictures_are_resized_normalized_and_padded_to_multiples_of_32():
    picture = torch.full((3, 20, 50), 200, dtype=torch.uint8)
    found = given([picture, picture], ResizeConfig(short=40, long=200), lambda x: x / 100)
    assert found.images_NCHW.shape == (2, 3, 64, 128)
    assert (found.images_NCHW[:, :, :40, :100] == 2).all()
    assert found.images_NCHW.sum() == 2 * 3 * 40 * 100 * 2
    assert found.sizes_N2.tolist() == [[40, 100]] * 2
    assert found.ratios == (2, 2)
    assert found.scale == 2


def test_sides_are_whole_and_the_ratios_say_by_what_each_was_multiplied():
    found = given([torch.zeros(3, 30, 31).byte()], ResizeConfig(short=20, long=99), lambda x: x)
    assert found.sizes_N2.tolist() == [[20, 21]]
    assert found.ratios == pytest.approx((20 / 30, 21 / 31))
    assert found.scale == pytest.approx(2 / 3)


@pytest.mark.parametrize("size", [(10, 4000), (4000, 10)])
def test_the_narrowest_picture_is_wide_enough_for_a_stride_of_32(size):
    found = given([torch.zeros(3, *size).byte()], ResizeConfig(), lambda x: x)
    assert min(found.images_NCHW.shape[2:]) == 32
    assert sorted(found.sizes_N2[0].tolist()) == [2, 1000]


def test_at_another_scale_the_longer_side_may_be_longer_too():
    assert at_scale(ResizeConfig(), 200) == ResizeConfig(short=200, long=333)
    assert at_scale(ResizeConfig(), 1000) == ResizeConfig(short=1000, long=1667)
    assert at_scale(ResizeConfig(), 600) == ResizeConfig()


def test_pictures_at_hand_tell_their_sizes():
    pictures = AtHand([torch.zeros(3, 4, 5), torch.zeros(3, 6, 7)])
    assert pictures.sizes == [(4, 5), (6, 7)]
    assert pictures.picture(1) is pictures.pictures[1]
