from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pictured import photograph
from residua.data.fit import Center, InceptionCrop, ScaleJitterCrop, Whole
from residua.errors import ConfigError

sizes = st.tuples(st.integers(1, 5000), st.integers(1, 5000))
outs = st.tuples(st.integers(1, 256), st.integers(1, 256))


def inside(box, size):
    slack = 1e-6 * max(size)
    assert -slack <= box.left < box.right <= size[0] + slack
    assert -slack <= box.top < box.bottom <= size[1] + slack


@given(sizes, outs, st.integers(0, 99))
def test_every_part_lies_inside_the_picture(size, out, seed):
    for rule in (Whole(), Center(), Center(share=0.875)):
        inside(rule.box(size, out), size)
    jitter = ScaleJitterCrop(short_side=(256, 300))
    for rule in (jitter, InceptionCrop()):
        inside(rule.draw(size, out, Random(seed)), size)


@given(sizes, outs)
def test_the_middle_has_the_proportions_asked_for(size, out):
    left, top, right, bottom = Center().box(size, out)
    assert (right - left) * out[1] == pytest.approx((bottom - top) * out[0])
    assert left == pytest.approx(size[0] - right, abs=1e-6)
    touches = pytest.approx(size[0]) == right - left or pytest.approx(size[1]) == bottom - top
    assert touches


def test_a_share_of_seven_eighths_is_the_224_in_the_middle_of_256():
    box = Center(share=0.875).box((512, 1024), (224, 224))
    assert box == (32, 288, 480, 736)


def test_a_jittered_part_is_what_resizing_and_cropping_give():
    """The paper resizes the whole picture and crops; here only the part is resampled."""
    picture = Image.fromarray(photograph(120, 90))
    rule = ScaleJitterCrop(short_side=(40, 70))
    for seed in range(20):
        random = Random(seed)
        short = 40 + int(random.random() * 31)
        resized = picture.resize((round(120 * short / 90), short), Image.Resampling.BILINEAR)
        x = int(random.random() * (resized.width - 31))
        y = int(random.random() * (resized.height - 31))
        expected = np.asarray(resized.crop((x, y, x + 32, y + 32))).astype(int)
        box = rule.draw(picture.size, (32, 32), Random(seed))
        found = picture.resize((32, 32), Image.Resampling.BILINEAR, box=box)
        assert np.abs(np.asarray(found).astype(int) - expected).max() <= 2


def test_jittered_scales_reach_both_ends_and_offsets_all_places():
    rule = ScaleJitterCrop(short_side=(10, 12))
    boxes = [rule.draw((12, 12), (10, 10), Random(seed)) for seed in range(300)]
    assert {round(120 / (box.right - box.left)) for box in boxes} == {10, 11, 12}
    at_twelve = {(round(b.left), round(b.top)) for b in boxes if b.right - b.left == 10}
    assert at_twelve == {(x, y) for x in range(3) for y in range(3)}


def test_scales_follow_the_size_of_the_part_in_the_proportion_of_the_paper():
    assert ScaleJitterCrop().bounds((224, 224)) == (256, 480)
    assert ScaleJitterCrop().bounds((448, 448)) == (512, 960)
    assert ScaleJitterCrop().bounds((32, 32)) == (37, 69)
    for size in (1, 7, 320):
        ScaleJitterCrop().draw((9, 5), (size, size), Random(0))


def test_inception_parts_have_the_areas_and_proportions_of_their_settings():
    rule = InceptionCrop(area=(0.25, 0.5), aspect=(0.8, 1.0))
    for seed in range(200):
        left, top, right, bottom = rule.draw((1000, 1000), (224, 224), Random(seed))
        assert 0.24 < (right - left) * (bottom - top) / 1e6 < 0.51
        assert 0.79 < (right - left) / (bottom - top) < 1.26


def test_a_picture_too_narrow_for_any_part_gives_its_middle():
    assert InceptionCrop(area=(0.9, 1.0)).draw((1000, 10), (5, 5), Random(0)) == (495, 0, 505, 10)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda: ScaleJitterCrop(short_side=(200, 480)).draw((9, 9), (224, 224), Random(0)),
            "200 and",
        ),
        (
            lambda: ScaleJitterCrop(short_side=(480, 256)).draw((9, 9), (224, 224), Random(0)),
            "480 and",
        ),
        (lambda: InceptionCrop(area=(0.0, 1.0)).draw((9, 9), (8, 8), Random(0)), "crop.area"),
        (lambda: Center(share=0.0).box((9, 9), (8, 8)), "fit.share"),
    ],
)
def test_rules_without_sense_are_refused(use, message):
    with pytest.raises(ConfigError, match=message):
        use()
