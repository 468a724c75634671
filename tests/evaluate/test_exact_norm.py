import dataclasses

import pytest
import torch
from torch import nn

from residua.data.images import ImageSet
from residua.data.loading import Serving
from residua.data.normalize import Normalize
from residua.errors import ConfigError
from residua.evaluate import score
from residua.evaluate.exact_norm import average_as_learned, average_unaugmented
from residua.nets.cifar import resnet

HALF = Normalize.of((0.5,), (0.5,))


def brighter(pictures, generator):
    """Add a number to each picture that is drawn for it."""
    by = torch.randint(1, 100, (len(pictures), 1, 1, 1), generator=generator, dtype=torch.uint8)
    return pictures // 2 + by


def serving(batch_size=10, **changes):
    return Serving(
        batch_size=batch_size, seed=3, augment=brighter, normalize=HALF.finish, **changes
    )


def images(count=30):
    return ImageSet(
        torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8),
        torch.zeros(count, dtype=torch.int64),
        ("a",),
    )


def test_the_first_layer_gets_the_moments_of_the_normalized_pictures():
    net, pictures = nn.Sequential(nn.BatchNorm2d(1)), images()
    words = average_unaugmented(net, pictures, HALF)
    pixels = HALF(pictures.images).double()
    assert net[0].running_mean.item() == pytest.approx(pixels.mean().item(), abs=1e-6)
    assert net[0].running_var.item() == pytest.approx(pixels.var(correction=0).item(), rel=1e-6)
    assert words == ("averaged over 30 training images, not augmented, in batches of 30")


def test_the_first_layer_gets_the_moments_of_the_pictures_as_they_were_learned_from():
    net, pictures = nn.Sequential(nn.BatchNorm2d(1)), images()
    words = average_as_learned(net, pictures, serving())
    batches = pictures.batches(serving())
    seen = torch.cat([batches[number].images for number in range(3)]).double()
    assert net[0].running_mean.item() == pytest.approx(seen.mean().item(), abs=1e-6)
    assert net[0].running_var.item() == pytest.approx(seen.var(correction=0).item(), rel=1e-6)
    plain = HALF(pictures.images).double()
    assert abs(net[0].running_mean.item() - plain.mean().item()) > 0.05
    assert words == (
        "averaged over 30 training images, augmented as they were learned from, in batches of 10"
    )


def test_what_is_drawn_for_the_averages_follows_from_the_seed_of_the_training():
    pictures, one = images(), nn.Sequential(nn.BatchNorm2d(1))
    torch.manual_seed(0)
    average_as_learned(one, pictures, serving())
    torch.manual_seed(1)
    again = nn.Sequential(nn.BatchNorm2d(1))
    average_as_learned(again, pictures, serving())
    assert torch.equal(one[0].running_var, again[0].running_var)
    other = nn.Sequential(nn.BatchNorm2d(1))
    average_as_learned(other, pictures, dataclasses.replace(serving(), seed=4))
    assert not torch.equal(one[0].running_var, other[0].running_var)


def test_every_picture_is_among_those_that_are_averaged():
    """The last batch is filled from the next epoch; a set below a batch is a batch."""
    words = average_as_learned(nn.Sequential(nn.BatchNorm2d(1)), images(25), serving())
    assert "over 30 training images" in words
    words = average_as_learned(nn.Sequential(nn.BatchNorm2d(1)), images(4), serving())
    assert words.endswith(
        "over 4 training images, augmented as they were learned from, in batches of 4"
    )


def test_what_reads_pictures_is_let_go_of_also_after_a_fault():
    closed = []

    @dataclasses.dataclass
    class Served:
        labels: torch.Tensor

        def __len__(self):
            return 4

        def batches(self, serving):
            return self

        def close(self):
            closed.append(True)

    with pytest.raises(ConfigError, match="no batch normalization"):
        average_as_learned(nn.Flatten(), Served(torch.zeros(4)), serving())
    assert closed == [True]


def test_the_batches_are_as_equal_as_can_be(monkeypatch):
    """A last batch of one picture would have no variance to normalize with."""
    monkeypatch.setattr(score, "MOST_VIEWS", 9)
    assert average_unaugmented(resnet(8, in_channels=1), images(28), HALF).endswith("of 7")
    monkeypatch.setattr(score, "MOST_VIEWS", 27)
    assert average_unaugmented(resnet(8, in_channels=1), images(28), HALF).endswith("of 14")


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
    words = average_unaugmented(net, InFiles(files), HALF)
    assert "over 2 training images" in words
    assert net[0].running_mean.item() == pytest.approx(-0.6, abs=1e-6)


def test_a_net_without_batch_normalization_is_refused():
    with pytest.raises(ConfigError, match="no batch normalization"):
        average_unaugmented(nn.Flatten(), images(), HALF)
