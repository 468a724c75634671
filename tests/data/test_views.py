import dataclasses
import pickle
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from residua.data import views
from residua.errors import ConfigError


def pictures(height, width, count=2, channels=3):
    return torch.randint(0, 256, (count, channels, height, width), dtype=torch.uint8)


def smooth(height, width):
    """A picture without noise, as photographs are at the scale of a pixel."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    waves = [(y / 9 + x / 7).sin(), (x / 11).cos(), (y * x / 500).sin()]
    return (127.5 * (1 + torch.stack(waves))).to(torch.uint8)[None]


sides = st.integers(8, 60)


@settings(deadline=None, max_examples=40)
@given(height=sides, width=sides, short_side=st.integers(4, 50))
def test_resizing_is_that_of_torchvision(height, width, short_side):
    images = pictures(height, width)
    theirs = v2.functional.resize(images, [short_side], antialias=True)
    assert torch.equal(views.resize_short_side(images, short_side), theirs)


@settings(deadline=None, max_examples=40)
@given(height=sides, width=sides, size=st.integers(2, 30), more=st.integers(0, 9))
def test_the_center_crop_is_that_of_torchvision(height, width, size, more):
    images = pictures(height, width)
    theirs = v2.Compose([v2.Resize(size + more, antialias=True), v2.CenterCrop(size)])(images)
    ours = views.center_crop(images, short_side=size + more, size=size)
    assert torch.equal(ours[:, 0], theirs)


@pytest.mark.parametrize(("height", "width"), [(40, 52), (52, 40), (40, 40)])
def test_the_ten_crops_are_those_of_torchvision(height, width):
    images = pictures(height, width)
    theirs = torch.stack(v2.TenCrop(28)(images), dim=1)
    ours = views.ten_crop(images, short_side=40, size=28)
    assert torch.equal(ours[:, :5], theirs[:, :5])
    # Theirs are the corners of the mirror image, ours the mirror images of the corners.
    assert torch.equal(ours[:, [6, 5, 8, 7, 9]], theirs[:, 5:])


def test_resizing_is_that_of_pillow_to_one_level():
    image = smooth(90, 120)
    ours = views.resize(image, 32, 43)[0].permute(1, 2, 0).int()
    theirs = Image.fromarray(image[0].permute(1, 2, 0).numpy()).resize(
        (43, 32), Image.Resampling.BILINEAR
    )
    difference = (ours - torch.from_numpy(np.array(theirs)).int()).abs()
    assert difference.max() <= 1


@given(height=sides, width=sides, short_side=st.integers(4, 50))
def test_the_shorter_side_is_as_asked_and_the_proportions_are_kept(height, width, short_side):
    _, _, high, wide = views.resize_short_side(pictures(height, width, 1, 1), short_side).shape
    assert min(high, wide) == short_side
    exact = short_side * max(height, width) / min(height, width)
    assert exact - 1 < max(high, wide) <= exact


def test_a_picture_of_the_size_asked_for_is_not_touched():
    images = pictures(8, 8)
    assert torch.equal(views.ten_crop(images, short_side=8, size=8)[:, 0], images)
    assert torch.equal(views.center_crop(images, short_side=8, size=8)[:, 0], images)


def test_the_last_half_of_the_views_is_the_mirror_of_the_first():
    crops = views.ten_crop(pictures(20, 30), short_side=16, size=12)
    assert torch.equal(crops[:, 5:], crops[:, :5].flip(-1))
    both = views.mirrored(pictures(5, 7))
    assert torch.equal(both[:, 1], both[:, 0].flip(-1))


KINDS = [cls() for cls in get_args(get_args(views.Views)[0])]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_pass_gives_the_views_that_are_announced(kind):
    images = pictures(30, 40, count=1)
    looks = kind.looks((3, 30, 40))
    for view in looks.passes:
        seen = view(images)
        assert seen.dtype is torch.uint8
        assert seen.shape[:3] == (1, looks.count, 3)
        assert seen.shape[3] * seen.shape[4] <= looks.pixels
        assert view.one_size == (kind.kind in {"center_crop", "ten_crop"})
    if view.one_size:
        assert seen.shape == looks.passes[0](pictures(50, 20, count=1)).shape


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_views_can_be_sent_to_workers(kind):
    images = pictures(12, 10)
    for view in kind.looks((3, 12, 10)).passes:
        assert torch.equal(pickle.loads(pickle.dumps(view))(images), view(images))


def test_the_papers_protocols_are_the_defaults():
    assert views.MultiScale().short_sides == (224, 256, 384, 480, 640)
    assert dataclasses.astuple(views.TenCrop())[1:] == (256, 224, "probabilities")
    assert views.TenCrop().protocol == (
        "10-crop: corners and center of 224 pixels and their mirror images, shorter side 256, "
        "mean of the probabilities"
    )
    assert [views.proportional(32, side) for side in (224, 256, 640)] == [32, 37, 91]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (views.TenCrop(size=300), "got 300 of 256"),
        (views.CenterCrop(size=0), "got 0 of 256"),
        (views.MultiScale(short_sides=()), r"got \(\)"),
        (views.MultiScale(short_sides=(8, 0)), r"got \(8, 0\)"),
    ],
)
def test_views_that_cannot_be_are_refused(kind, message):
    with pytest.raises(ConfigError, match=message):
        kind.looks((3, 32, 32))
