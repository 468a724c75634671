import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pictured import photograph
from residua.data.resize import ResizeConfig, resized
from residua.errors import ConfigError


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        # VOC's usual 375x500: 600 / 375 = 1.6.
        ((375, 500), (600, 800)),
        # The longer side would be 1200: 1000 / 500 = 2.
        ((250, 500), (500, 1000)),
        ((500, 250), (1000, 500)),
        ((600, 1000), (600, 1000)),
        ((1, 1), (600, 600)),
        ((1, 4000), (1, 1000)),
        ((40, 4000), (10, 1000)),
    ],
)
def test_sizes_of_the_paper(size, expected):
    assert ResizeConfig().size(size) == expected


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_sides_are_within_their_limits_and_proportions_stay(height, width):
    config = ResizeConfig(short=300, long=500)
    new = config.size((height, width))
    assert min(new) >= 1
    assert min(new) <= 300
    assert max(new) <= 500
    assert min(new) == 300 or max(new) == 500
    scale = config.scale((height, width))
    assert all(abs(a - max(1, b * scale)) <= 1 for a, b in zip(new, (height, width), strict=True))


def test_a_picture_is_shrunk_as_pillow_shrinks_it():
    pixels = photograph(90, 70, seed=5)
    picture = torch.tensor(pixels).permute(2, 0, 1)
    found = resized(picture, ResizeConfig(short=35, long=45))
    assert found.picture.shape == (3, 35, 45)
    assert found.picture.dtype == torch.uint8
    assert found.ratios == (0.5, 0.5)
    expected = Image.fromarray(pixels).resize((45, 35), Image.Resampling.BILINEAR)
    difference = found.picture.permute(1, 2, 0).int() - torch.tensor(np.array(expected)).int()
    assert difference.abs().max() <= 1


def test_ratios_are_those_of_each_side():
    found = resized(torch.zeros(3, 7, 10, dtype=torch.uint8), ResizeConfig(short=10, long=99))
    assert found.picture.shape == (3, 10, 14)
    assert found.ratios == (10 / 7, 1.4)


def test_a_picture_of_the_right_size_is_left_alone():
    picture = torch.randint(0, 256, (3, 6, 9)).byte()
    assert resized(picture, ResizeConfig(short=6, long=9)).picture is picture


def test_sides_that_make_no_sense_are_refused():
    with pytest.raises(ConfigError, match=r"resize.short must be .*got 600 and 400"):
        ResizeConfig(long=400).size((3, 3))
    with pytest.raises(ConfigError, match="got 0 and 1000"):
        ResizeConfig(short=0).size((3, 3))
