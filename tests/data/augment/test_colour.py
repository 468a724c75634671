import itertools

import pytest
import torch

from residua.data.augment import (
    AsIs,
    Chain,
    ColourJitter,
    PadCropFlip,
    PcaColour,
    RandomResizedCrop,
    RescaleCrop,
    RotateShift,
    colour_jitter,
    pca_colour,
)
from residua.errors import ConfigError, ShapeError
from residua.runtime import generator


def pictures(n=6, size=4):
    return torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8, generator=generator(2))


def grey(x):
    return 0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2]


def by_hand(x, order, alpha):
    """Apply the three blends of one picture in an order, pixel by pixel."""
    for which in order:
        target = [torch.zeros_like(x), grey(x).mean().expand_as(x), grey(x).expand_as(x)][which]
        x = alpha[which] * x + (1 - alpha[which]) * target
    return x


def test_each_picture_is_blended_by_factors_of_its_own_in_whatever_order():
    images = pictures(n=10)
    found = colour_jitter(images, generator(9), brightness=0.4, contrast=0.3, saturation=0.2)
    alphas = 1 + (torch.rand(3, 10, generator=generator(9)).T * 2 - 1) * torch.tensor(
        [0.4, 0.3, 0.2]
    )
    for picture, image, alpha in zip(found, images.float(), alphas, strict=True):
        for order in itertools.permutations(range(3)):
            expected = by_hand(image, order, alpha)
            torch.testing.assert_close(picture, expected, atol=1e-3, rtol=0)


def test_without_strength_the_colours_stay():
    images = pictures()
    still = colour_jitter(images, generator(0), brightness=0.0, contrast=0.0, saturation=0.0)
    torch.testing.assert_close(still, images.float(), atol=1e-3, rtol=0)


def test_the_pca_colour_is_the_sum_over_the_eigenvectors():
    images = pictures(n=2)
    found = pca_colour(images, generator(4), std=0.1)
    a = 0.1 * torch.randn(2, 3, generator=generator(4))
    value = (0.2175, 0.0188, 0.0045)
    red = (-0.5675, 0.7192, 0.4009)
    blue = (-0.5836, -0.6948, 0.4203)
    for n in range(2):
        for channel, row in ((0, red), (2, blue)):
            shift = 255 * sum(row[k] * a[n, k].item() * value[k] for k in range(3))
            expected = images[n, channel].float() + shift
            torch.testing.assert_close(found[n, channel], expected, atol=1e-3, rtol=0)


def test_the_eigenvectors_are_orthonormal():
    from residua.data.augment.colour import EIGENVECTORS

    e = torch.tensor(EIGENVECTORS)
    torch.testing.assert_close(e.T @ e, torch.eye(3), atol=1e-3, rtol=0)


def test_colours_need_three_channels_and_sensible_strengths():
    with pytest.raises(ShapeError, match="RGB pictures, got 1 channels"):
        PcaColour().apply(torch.zeros(1, 1, 2, 2), generator(0))
    with pytest.raises(ConfigError, match="std must be at least 0"):
        PcaColour(std=-1.0).apply(pictures(), generator(0))
    with pytest.raises(ConfigError, match=r"at least 0, got -0\.1"):
        ColourJitter(brightness=-0.1).apply(pictures(), generator(0))


def test_a_chain_applies_its_steps_in_order_with_one_generator():
    images = pictures()
    steps = (RandomResizedCrop(size=4), PcaColour())
    random = generator(7)
    expected = steps[1].apply(steps[0].apply(images, random), random)
    assert torch.equal(Chain(steps=steps).apply(images, generator(7)), expected)
    assert torch.equal(Chain().apply(images, generator(7)), images)


EVERY = [
    AsIs(),
    PadCropFlip(pad=2, fill="reflect"),
    RotateShift(),
    RescaleCrop(size=4, short_side=(4, 6)),
    RandomResizedCrop(size=4),
    ColourJitter(),
    PcaColour(),
]


@pytest.mark.parametrize("augment", [*EVERY, Chain(steps=tuple(EVERY))])
def test_equal_generators_give_equal_pictures_and_others_do_not(augment):
    images = pictures()
    kept = images.clone()
    one, two, other = (augment.apply(images, generator(seed)) for seed in (5, 5, 6))
    assert torch.equal(one, two)
    assert torch.equal(images, kept)
    assert one.shape == images.shape
    assert isinstance(augment, AsIs) or not torch.equal(one, other)
