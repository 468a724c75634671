import dataclasses

import pytest
import torch
from torch import nn

from residua.data import views
from residua.data.images import ImageSet
from residua.data.normalize import Normalize
from residua.evaluate import scores
from residua.evaluate.score import averaged, fit
from residua.nets.cifar import resnet

HALF = Normalize.of((0.5,), (0.5,))


def images(count=7, size=8, channels=1):
    return ImageSet(
        torch.randint(0, 256, (count, channels, size, size), dtype=torch.uint8),
        torch.arange(count) % 3,
        ("a", "b", "c"),
    )


def net():
    """Ends in global average pooling and a linear layer, with statistics that are not the first."""
    made = resnet(8, in_channels=1, num_classes=3)
    made(torch.randn(8, 1, 8, 8))
    return made.eval()


@dataclasses.dataclass(frozen=True)
class OnDisk:
    """Pictures of different sizes, one at a time, as files give them."""

    pictures: tuple
    labels: torch.Tensor
    classes: tuple = ("a", "b", "c")
    shape: tuple = (1, 8, 8)

    def __len__(self):
        return len(self.pictures)

    def viewed(self, view, batch_size):
        for picture in self.pictures:
            yield view(picture[None])


def test_scoring_uses_eval_mode_and_restores_the_mode():
    made = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 3))
    before = made[0].running_mean.clone()
    made.train()
    whole = scores(made, images(), HALF)
    assert made.training
    assert torch.equal(made[0].running_mean, before)
    assert whole.logits.shape == (7, 3)
    assert whole.protocol == "one view of each picture"
    assert whole.classes == ("a", "b", "c")


def test_one_whole_view_is_the_net_itself_in_any_batches():
    made, pictures = net(), images()
    expected = made(HALF(pictures.images)).detach()
    for batch_size in (None, 1, 3, 100):
        told = scores(made, pictures, HALF, batch_size=batch_size)
        assert torch.allclose(told.logits, expected, atol=1e-5)


def test_the_views_of_a_picture_are_averaged_as_probabilities():
    made, pictures = net(), images()
    told = scores(made, pictures, HALF, views=views.TenCrop(short_side=9, size=8), batch_size=2)
    crops = views.ten_crop(pictures.images, short_side=9, size=8)
    for index, ten in enumerate(crops):
        expected = made(HALF(ten)).softmax(dim=1).mean(dim=0)
        assert torch.allclose(told.probabilities[index], expected, atol=1e-5)
    assert told.protocol.startswith("10-crop")


def test_logits_are_averaged_if_asked():
    made, pictures = net(), images()
    told = scores(made, pictures, HALF, views=views.Flips(rule="logits"))
    both = made(HALF(pictures.images)) + made(HALF(pictures.images.flip(-1)))
    assert torch.allclose(told.logits, both / 2, atol=1e-5)


def test_all_scales_and_mirrors_count_alike():
    made, pictures = net(), images(3)
    protocol = views.MultiScale(short_sides=(8, 12, 20), mirror=True)
    told = scores(made, pictures, HALF, views=protocol)
    single = [
        made(HALF(seen)).softmax(dim=1)
        for side in (8, 12, 20)
        for whole in [views.resize_short_side(pictures.images, side)]
        for seen in (whole, whole.flip(-1))
    ]
    assert torch.allclose(told.probabilities, torch.stack(single).mean(dim=0), atol=1e-5)


def test_a_larger_picture_gets_the_mean_of_the_logits_at_every_position():
    """What makes a net with global average pooling fully convolutional as it stands."""
    made = net()
    picture = HALF(views.resize_short_side(images(1).images, 20))
    maps = made.stages(made.pool(made.stem(picture)))
    _, channels, height, width = maps.shape
    positions = maps.permute(0, 2, 3, 1).reshape(height * width, channels)
    assert torch.allclose(made.head(positions).mean(dim=0), made(picture)[0], atol=1e-5)


@pytest.mark.parametrize(
    "protocol",
    [views.Whole(), views.Flips(), views.MultiScale(short_sides=(8, 11)), views.TenCrop(size=8)],
    ids=lambda protocol: protocol.kind,
)
def test_pictures_of_different_sizes_are_scored_as_each_alone(protocol):
    made = net()
    sizes = [(8, 8), (9, 14), (20, 10)]
    pictures = tuple(torch.randint(0, 256, (1, *size), dtype=torch.uint8) for size in sizes)
    told = scores(made, OnDisk(pictures, torch.arange(3)), HALF, views=protocol)
    for index, picture in enumerate(pictures):
        alone = ImageSet(picture[None], torch.tensor([index]), ("a", "b", "c"))
        expected = scores(made, alone, HALF, views=protocol)
        assert torch.allclose(told.logits[index], expected.logits[0], atol=1e-5)


def test_a_mean_of_each_pixel_is_resized_with_the_pictures():
    pictures = images(40).images
    mean = pictures.float().mean(dim=0) / 255
    normalize = Normalize(mean, torch.ones(1, 1, 1))
    resized = views.resize(pictures, 13, 13)
    assert normalize(resized).mean(dim=0).abs().max() < 1 / 255


def test_one_view_is_its_own_average():
    said = torch.randn(4, 1, 3)
    assert torch.equal(averaged(said, "probabilities"), said[:, 0])


def test_large_pictures_come_in_small_batches():
    small = views.Whole().looks((3, 32, 32))
    large = views.TenCrop().looks((3, 224, 224))
    assert fit(small) == 500
    assert fit(large) == 3
    assert fit(views.MultiScale().looks((3, 3000, 4000))) >= 1
