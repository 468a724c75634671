import dataclasses

import pytest
import torch
from torch import nn

from residua.data.images import ImageSet
from residua.data.normalize import Normalize
from residua.errors import ConfigError
from residua.evaluate import score
from residua.evaluate.exact_norm import take_exact_statistics
from residua.nets.cifar import resnet

HALF = Normalize.of((0.5,), (0.5,))


def images(count=30):
    return ImageSet(
        torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8),
        torch.zeros(count, dtype=torch.int64),
        ("a",),
    )


def test_the_first_layer_gets_the_moments_of_the_normalized_pictures():
    net, pictures = nn.Sequential(nn.BatchNorm2d(1)), images()
    words = take_exact_statistics(net, pictures, HALF)
    pixels = HALF(pictures.images).double()
    assert net[0].running_mean.item() == pytest.approx(pixels.mean().item(), abs=1e-6)
    assert net[0].running_var.item() == pytest.approx(pixels.var(correction=0).item(), rel=1e-6)
    assert words == (
        "with batch-norm statistics averaged over 30 training images, not augmented, in batches "
        "of 30"
    )


def test_the_batches_are_as_equal_as_can_be(monkeypatch):
    """A last batch of one picture would have no variance to normalize with."""
    monkeypatch.setattr(score, "MOST_VIEWS", 9)
    assert take_exact_statistics(resnet(8, in_channels=1), images(28), HALF).endswith("of 7")
    monkeypatch.setattr(score, "MOST_VIEWS", 27)
    assert take_exact_statistics(resnet(8, in_channels=1), images(28), HALF).endswith("of 14")


def test_pictures_in_files_are_cut_to_what_is_learned_from():
    @dataclasses.dataclass
    class InFiles:
        pictures: list
        shape: tuple = (1, 8, 8)

        def __len__(self):
            return len(self.pictures)

        def viewed(self, view, batch_size):
            yield torch.cat([view(picture) for picture in self.pictures])

    files = [torch.full((1, 1, *size), 51, dtype=torch.uint8) for size in [(20, 30), (9, 9)]]
    net = nn.Sequential(nn.BatchNorm2d(1))
    words = take_exact_statistics(net, InFiles(files), HALF)
    assert "over 2 training images" in words
    assert net[0].running_mean.item() == pytest.approx(-0.6, abs=1e-6)


def test_a_net_without_batch_normalization_is_refused():
    with pytest.raises(ConfigError, match="no batch normalization"):
        take_exact_statistics(nn.Flatten(), images(), HALF)
