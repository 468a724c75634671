import torch

from residua.data.sets import DigitsConfig

# The split is by content, so these hold on every machine and for every version of scikit-learn.
FINGERPRINTS = ["b55513d5b3a4", "1704fb3cc169", "7b760dfb99a5"]


def test_the_digits_are_split_into_equal_shares_of_every_class():
    splits = DigitsConfig().load()
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [
        1077,
        360,
        360,
    ]
    for part in (splits.validation, splits.test):
        assert torch.bincount(part.labels).tolist() == [36] * 10


def test_no_picture_is_in_two_parts():
    splits = DigitsConfig().load()
    parts = [
        {picture.numpy().tobytes() for picture in part.images}
        for part in (splits.train, splits.validation, splits.test)
    ]
    assert len(parts[0] | parts[1] | parts[2]) == 1797


def test_the_split_is_the_same_everywhere():
    splits = DigitsConfig().load()
    assert [
        part.fingerprint() for part in (splits.train, splits.validation, splits.test)
    ] == FINGERPRINTS


def test_ink_is_light_and_uses_the_whole_range():
    images = DigitsConfig().load().train.images
    assert images.shape[1:] == (1, 8, 8)
    assert images.min() == 0
    assert images.max() == 255
    assert len(images.unique()) == 17
