import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from residua.data.augment import AsIs, PadCropFlip, RotateShift, pad_crop_flip, rotate_shift
from residua.errors import ConfigError
from residua.runtime import generator

shapes = st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(2, 9), st.integers(2, 9))


def pictures(shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8)


@settings(deadline=None)
@given(
    shape=shapes,
    pad=st.integers(0, 4),
    flip=st.booleans(),
    seed=st.integers(0, 99),
    fill=st.sampled_from(["zero", "reflect"]),
)
def test_every_crop_is_a_window_of_the_padded_picture_or_its_mirror(shape, pad, flip, seed, fill):
    images = pictures(shape)
    pad = min(pad, min(shape[2:]) - 1) if fill == "reflect" else pad
    cropped = pad_crop_flip(images, generator(seed), pad=pad, flip=flip, fill=fill)
    assert cropped.shape == images.shape
    assert cropped.dtype == images.dtype
    mode = "constant" if fill == "zero" else fill
    padded = torch.nn.functional.pad(images.float(), (pad,) * 4, mode=mode).to(torch.uint8)
    height, width = shape[2:]
    for picture, source in zip(cropped, padded, strict=True):
        windows = [
            source[:, y : y + height, x : x + width]
            for y in range(2 * pad + 1)
            for x in range(2 * pad + 1)
        ]
        windows += [window.flip(2) for window in windows] if flip else []
        assert any(torch.equal(picture, window) for window in windows)


def test_every_offset_and_both_directions_occur():
    images = torch.arange(16, dtype=torch.uint8).view(1, 1, 4, 4).repeat(2000, 1, 1, 1)
    cropped = pad_crop_flip(images, generator(0), pad=1, flip=True)
    assert len({tuple(picture.flatten().tolist()) for picture in cropped}) == 3 * 3 * 2


def test_without_padding_or_flip_nothing_changes():
    images = pictures((3, 3, 8, 8))
    assert torch.equal(pad_crop_flip(images, generator(0), pad=0, flip=False), images)


def test_a_turn_of_nothing_leaves_the_picture():
    images = pictures((3, 1, 8, 8))
    still = rotate_shift(images, generator(0), degrees=0, pixels=0)
    assert torch.allclose(still, images.float(), atol=1e-2)


def test_a_shift_moves_by_at_most_the_stated_pixels():
    images = torch.zeros(500, 1, 9, 9, dtype=torch.uint8)
    images[:, :, 4, 4] = 255
    moved = rotate_shift(images, generator(0), degrees=0, pixels=1.0)
    mass = moved[:, 0].clamp_min(0)
    rows = (mass.sum(2) * torch.arange(9.0)).sum(1) / mass.sum((1, 2))
    assert 0.9 < (rows - 4).abs().max().item() < 1.001


def test_a_quarter_turn_at_most_turns_a_quarter():
    images = torch.zeros(1000, 1, 9, 9, dtype=torch.uint8)
    images[:, :, 4, 8] = 255
    turned = rotate_shift(images, generator(0), degrees=30, pixels=0)[:, 0]
    rows = (turned.sum(2) * torch.arange(9.0)).sum(1) / turned.sum((1, 2))
    angles = torch.asin(((rows - 4) / 4).clamp(-1, 1)).rad2deg()
    assert angles.abs().max() < 31
    assert angles.min() < -25
    assert angles.max() > 25


@pytest.mark.parametrize("augment", [AsIs(), PadCropFlip(pad=2), RotateShift()])
def test_equal_generators_give_equal_pictures(augment):
    images = pictures((4, 1, 8, 8))
    one, two = (augment.apply(images, generator(5)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == images.shape


def test_padding_that_is_longer_than_the_picture_is_not_reflected():
    with pytest.raises(ConfigError, match="pad must be below 4 to reflect pictures of 4x6"):
        pad_crop_flip(pictures((1, 1, 4, 6)), generator(0), pad=4, flip=False, fill="reflect")
