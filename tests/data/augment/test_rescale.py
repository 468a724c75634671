import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as V

from residua.data.augment import RandomResizedCrop, RescaleCrop, random_resized_crop, rescale_crop
from residua.data.augment.resample import axis_weights, resample
from residua.data.augment.rescale import _windows
from residua.errors import ConfigError
from residua.runtime import generator


def pictures(*shape):
    return torch.rand(shape, generator=generator(3)) * 255


@settings(deadline=None, max_examples=40)
@given(height=st.integers(1, 20), width=st.integers(1, 20), size=st.integers(1, 24), data=st.data())
def test_a_window_is_resized_as_torchvision_does(height, width, size, data):
    rows = data.draw(st.integers(1, height))
    columns = data.draw(st.integers(1, width))
    top = data.draw(st.integers(0, height - rows))
    left = data.draw(st.integers(0, width - columns))
    images = pictures(2, 3, height, width)
    expected = V.resized_crop(images, top, left, rows, columns, [size, size], antialias=True)

    def weights(first, count, length):
        first, count = (torch.full((2,), float(value)) for value in (first, count))
        return axis_weights(first, count / size, size, first, first + count, length)

    found = resample(images, weights(top, rows, height), weights(left, columns, width))
    torch.testing.assert_close(found, expected, atol=0.02, rtol=1e-4)


def test_a_rescaled_crop_is_a_window_of_the_whole_picture_resized():
    images = pictures(12, 3, 10, 15)
    cropped = rescale_crop(images, generator(1), size=6, short_side=(7, 9), flip=True)
    assert cropped.shape == (12, 3, 6, 6)
    for picture, source in zip(cropped, images, strict=True):
        windows = []
        for short in (7, 8, 9):
            shape = (short, round(short * 1.5))
            whole = F.interpolate(source[None], shape, mode="bilinear", antialias=True)[0]
            for y in range(shape[0] - 5):
                for x in range(shape[1] - 5):
                    window = whole[:, y : y + 6, x : x + 6]
                    windows += [window, window.flip(2)]
        distance = min((picture - window).abs().max().item() for window in windows)
        assert distance < 0.05


def test_every_length_place_and_direction_occurs():
    images = pictures(1, 1, 8, 8).repeat(3000, 1, 1, 1)
    cropped = rescale_crop(images, generator(0), size=8, short_side=(8, 9), flip=True)
    distinct = {tuple((p.flatten() * 10).round().int().tolist()) for p in cropped}
    assert len(distinct) == 2 * (1 + 4)


def test_windows_have_the_areas_and_shapes_that_are_asked_for():
    top, left, rows, columns = _windows(4000, 100, 100, (0.08, 1.0), (3 / 4, 4 / 3), generator(0))
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + rows <= 100).all()
    assert (left + columns <= 100).all()
    area = rows * columns / 100**2
    assert area.min() < 0.09
    assert area.max() > 0.97
    aspect = columns / rows
    assert aspect.min() == pytest.approx(3 / 4, abs=0.03)
    assert aspect.max() == pytest.approx(4 / 3, abs=0.05)
    assert (aspect > 1).double().mean() == pytest.approx(0.5, abs=0.05)


def test_where_no_window_fits_the_middle_is_taken():
    found = _windows(5, 10, 40, (1.0, 1.0), (1.0, 1.0), generator(0))
    assert [part.tolist() for part in found] == [[0] * 5, [15] * 5, [10] * 5, [10] * 5]


def test_a_flat_picture_stays_flat():
    images = torch.full((5, 3, 9, 9), 77, dtype=torch.uint8)
    for augment in (RandomResizedCrop(size=5), RescaleCrop(size=12, short_side=(12, 20))):
        found = augment.apply(images, generator(0))
        torch.testing.assert_close(found, torch.full_like(found, 77.0))


def test_bounds_that_make_no_window_are_refused():
    images = pictures(1, 1, 8, 8)
    with pytest.raises(ConfigError, match=r"at least size = 8 in order, got \(7, 9\)"):
        rescale_crop(images, generator(0), size=8, short_side=(7, 9), flip=False)
    with pytest.raises(ConfigError, match=r"area in \(0, 1\]"):
        random_resized_crop(
            images, generator(0), size=8, area=(0.5, 1.5), aspect=(1.0, 1.0), flip=False
        )
