import numpy as np
import pytest
import torch

from residua.data.augment import PadCropFlip
from residua.data.images import Batches, ImageSet
from residua.data.loading import Serving
from residua.data.normalize import (
    ChannelStats,
    ContrastNormalize,
    FixedStats,
    Normalize,
    PixelMean,
    Scale,
    Whiten,
)
from residua.errors import ConfigError, ShapeError
from residua.runtime import generator


def pictures(n=60, channels=3, size=4):
    shape = (n, channels, size, size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator(1))


def zca_by_hand(train, images, scale, bias):
    """Whiten as pylearn2 does, one vector at a time, in NumPy."""

    def contrast(x):
        x = x.reshape(len(x), -1).astype(np.float64)
        x = x - x.mean(axis=1, keepdims=True)
        return scale * x / np.sqrt((x**2).sum(axis=1, keepdims=True))

    g = contrast(train.numpy())
    mean = g.mean(axis=0)
    covariance = (g - mean).T @ (g - mean) / len(g) + bias * np.eye(g.shape[1])
    u, s, _ = np.linalg.svd(covariance)
    whitening = u @ np.diag(1 / np.sqrt(s)) @ u.T
    return np.stack([whitening @ (x - mean) for x in contrast(images.numpy())])


@pytest.mark.parametrize("bias", [0.1, 2.0])
def test_whitening_is_pylearn2s(bias):
    train, others = pictures(), pictures(n=5, size=4).flip(0)
    found = Whiten(bias=bias).fit(train)(others)
    expected = zca_by_hand(train, others, 55.0, bias)
    np.testing.assert_allclose(found.flatten(1), expected, atol=2e-3)


def test_whitened_pictures_are_uncorrelated():
    train = pictures(n=500, channels=1, size=3)
    x = Whiten(bias=1e-4).fit(train)(train).flatten(1).double()
    covariance = x.T @ x / len(x)
    # Contrast normalization takes one direction away: along it there is nothing to whiten.
    rank = torch.eye(9, dtype=torch.float64) - 1 / 9
    torch.testing.assert_close(covariance, rank, atol=1e-2, rtol=0)


def test_contrast_normalized_pictures_have_the_norm_and_no_mean():
    train = pictures()
    normalize = ContrastNormalize(scale=55.0).fit(train)
    x = normalize(train)
    g = x + normalize.preparation.mean
    torch.testing.assert_close(g.flatten(1).norm(dim=1), torch.full((60,), 55.0))
    assert g.mean(dim=(1, 2, 3)).abs().max() < 1e-4
    assert x.mean(dim=0).abs().max() < 1e-4


def test_a_picture_of_one_colour_is_no_division_by_zero():
    train = pictures()
    train[0] = 200
    assert ContrastNormalize().fit(train)(train).isfinite().all()


def test_preparing_is_for_pictures_of_the_fitted_size_alone():
    with pytest.raises(ShapeError, match=r"must be \(3, 4, 4\).*got \(3, 5, 5\)"):
        Whiten().fit(pictures())(pictures(size=5))


def test_prepared_pictures_are_augmented_after_their_preparation():
    train = pictures()
    images = ImageSet(train, torch.zeros(60, dtype=torch.int64), ("a",))
    normalize = ContrastNormalize().fit(train)
    augment = PadCropFlip(pad=3)
    serving = Serving(
        batch_size=8,
        seed=0,
        augment=augment.apply,
        normalize=normalize.finish,
        prepare=normalize.prepare,
    )
    batches = Batches(images, serving)
    whole = normalize(train)[batches.indices(2)]
    expected = augment.apply(whole, generator(0, "augment", 2))
    torch.testing.assert_close(batches[2].images, expected)
    assert (batches[2].images == 0).any()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Scale(factor=1 / 256), lambda x: x / 256),
        (Scale(factor=1.0), lambda x: x),
        (
            FixedStats(mean=(0.4, 0.5, 0.6), std=(0.1, 0.2, 0.3)),
            lambda x: (
                (x / 255 - torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1))
                / torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1)
            ),
        ),
    ],
)
def test_given_numbers_are_used_as_they_are(kind, expected):
    images = pictures()
    torch.testing.assert_close(kind.fit(images)(images).contiguous(), expected(images.float()))


KINDS = [ChannelStats(), PixelMean(), FixedStats(), Scale(), ContrastNormalize(), Whiten()]


@pytest.mark.parametrize("kind", KINDS)
def test_whole_is_prepare_then_finish_and_survives_being_written(kind):
    images = pictures()
    normalize = kind.fit(images)
    expected = normalize(images)
    assert torch.equal(normalize.finish(normalize.prepare(images)), expected)
    preparation = normalize.preparation
    again = Normalize.of(
        *normalize.numbers(),
        None
        if preparation is None
        else type(preparation).of(preparation.facts(), preparation.arrays()),
    )
    torch.testing.assert_close(again(images), expected)
    assert expected.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(normalize.to(torch.device("cpu"))(images), expected)


class Counted:
    """A set of pictures that counts how often it was read."""

    def __init__(self, images):
        self.images, self.reads = images, 0

    @property
    def shape(self):
        return tuple(self.images.shape[1:])

    def sample(self):
        self.reads += 1
        return self.images


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_set_is_read_once_and_only_if_its_pictures_matter(kind):
    files = Counted(pictures())
    found, expected = kind.fit(files), kind.fit(files.images)
    assert torch.equal(found(files.images), expected(files.images))
    assert files.reads == (kind.kind not in {"fixed_stats", "scale"})


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Scale(factor=0.0), "factor must be above 0, got 0.0"),
        (FixedStats(mean=(0.1,), std=(0.2,)), "for each of 3 channels"),
        (FixedStats(std=(0.2, 0.0, 0.1)), "a std above 0"),
        (Whiten(bias=0.0), "bias must be above 0"),
        (ContrastNormalize(scale=-1.0), "scale must be above 0"),
    ],
)
def test_numbers_without_sense_are_refused(kind, message):
    with pytest.raises(ConfigError, match=message):
        kind.fit(pictures())


def test_a_mean_of_each_pixel_follows_the_size_of_the_pictures():
    train = pictures(size=8)
    normalize = PixelMean().fit(train)
    small = train[:, :, ::2, ::2]
    assert normalize(small).shape == small.shape
    constant = PixelMean().fit(torch.full((2, 3, 8, 8), 51, dtype=torch.uint8))
    flat = torch.full((1, 3, 5, 3), 51, dtype=torch.uint8)
    assert constant(flat).abs().max() < 1e-6
