import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from residua.data.augment import AsIs, RotateShift
from residua.data.images import Batches, ImageSet
from residua.data.loading import Serving
from residua.data.normalize import ChannelStats, Normalize
from residua.errors import DataError, ShapeError


def images(count=10, classes=2, channels=1):
    return ImageSet(
        torch.randint(0, 256, (count, channels, 4, 4), dtype=torch.uint8),
        torch.arange(count) % classes,
        tuple(map(str, range(classes))),
    )


def batches(count=10, batch_size=4, seed=0, augment=None, part=None):
    part = part or images(count)
    serving = Serving(
        batch_size=batch_size,
        seed=seed,
        augment=(augment or AsIs()).apply,
        normalize=ChannelStats().fit(part.images),
    )
    return Batches(part, serving)


@settings(deadline=None)
@given(count=st.integers(1, 30), size=st.integers(1, 40), seed=st.integers(0, 9))
def test_every_picture_is_seen_once_per_epoch_and_no_batch_is_short(count, size, seed):
    loader = batches(count, size, seed)
    stream = torch.cat([loader.indices(i) for i in range(3 * count)])
    assert len(stream) == 3 * count * size
    for start in range(0, len(stream) - count + 1, count):
        assert sorted(stream[start : start + count].tolist()) == list(range(count))


@given(st.lists(st.integers(0, 50), min_size=1))
def test_a_batch_depends_on_its_iteration_alone(order):
    part = images()
    fresh, used = (batches(augment=RotateShift(), part=part) for _ in range(2))
    for iteration in order:
        used[iteration]
    for mine, theirs in zip(used[order[0]], fresh[order[0]], strict=True):
        assert torch.equal(mine, theirs)


def test_epochs_and_seeds_are_shuffled_differently():
    one, two = batches(100, 100, seed=0), batches(100, 100, seed=1)
    orders = [one.indices(0), one.indices(1), two.indices(0)]
    assert len({tuple(order.tolist()) for order in orders}) == 3


def test_normalized_training_pictures_have_mean_zero_and_deviation_one():
    part = images(50, channels=3)
    normal = ChannelStats().fit(part.images)(part.images)
    assert normal.mean((0, 2, 3)).abs().max() < 1e-5
    assert (normal.std((0, 2, 3), correction=0) - 1).abs().max() < 1e-5
    assert normal.is_contiguous(memory_format=torch.channels_last)


def test_normalizing_leaves_the_given_pictures_alone():
    given_images = torch.full((2, 1, 4, 4), 7.0)
    Normalize.of((0.5,), (0.5,))(given_images)
    assert (given_images == 7).all()


def test_equal_pictures_have_equal_fingerprints_and_others_do_not():
    part = images()
    assert part.fingerprint() == part.select(torch.arange(10)).fingerprint()
    assert part.fingerprint() != part.select(torch.arange(9)).fingerprint()


@pytest.mark.parametrize(
    ("pixels", "labels", "error", "message"),
    [
        (torch.zeros(2, 1, 4, 4), torch.zeros(2, dtype=torch.int64), ShapeError, "uint8"),
        (
            torch.zeros(2, 4, 4, dtype=torch.uint8),
            torch.zeros(2, dtype=torch.int64),
            ShapeError,
            "N, C",
        ),
        (
            torch.zeros(2, 1, 4, 4, dtype=torch.uint8),
            torch.zeros(3, dtype=torch.int64),
            ShapeError,
            "2 numbers",
        ),
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.zeros(2), ShapeError, "int64"),
        (
            torch.zeros(0, 1, 4, 4, dtype=torch.uint8),
            torch.zeros(0, dtype=torch.int64),
            DataError,
            "empty",
        ),
        (
            torch.zeros(2, 1, 4, 4, dtype=torch.uint8),
            torch.tensor([0, 2]),
            DataError,
            "numbered 0 to 1",
        ),
        (
            torch.zeros(2, 1, 4, 4, dtype=torch.uint8),
            torch.tensor([-1, 0]),
            DataError,
            r"\[-1, 0\]",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused(pixels, labels, error, message):
    with pytest.raises(error, match=message):
        ImageSet(pixels, labels, ("a", "b"))
