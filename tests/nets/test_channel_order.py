import pytest
import torch
from torch import nn

from residua.errors import ConfigError
from residua.nets.channel_order import in_rgb
from residua.nets.imagenet import ImagenetConfig
from residua.nets.preprocessing import IMAGENET, MSRA, Preprocessing


@pytest.mark.parametrize(
    "told",
    [
        MSRA,
        IMAGENET,
        Preprocessing(channels="BGR"),
        Preprocessing(range=255.0, std=(2.0, 3.0, 5.0)),
    ],
)
def test_a_network_computes_what_it_computed_before(told):
    torch.manual_seed(0)
    net = ImagenetConfig(depth=18, widen=0.125, num_classes=5).build().eval().double()
    pictures = torch.rand(2, 3, 64, 64, dtype=torch.float64)
    before = net(told(pictures).double())
    now = in_rgb(net, told)
    assert (now.channels, now.range) == ("RGB", 1.0)
    torch.testing.assert_close(net(now(pictures).double()), before, rtol=1e-5, atol=1e-6)


def test_channels_are_turned_once_and_in_the_numbers_too():
    net = nn.Sequential(nn.Conv2d(3, 1, 1, bias=False), nn.Conv2d(1, 3, 1))
    net[0].weight.data = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)
    told = Preprocessing(
        channels="BGR", range=255.0, mean=(255.0, 51.0, 0.0), std=(5.0, 10.0, 15.0)
    )
    now = in_rgb(net, told)
    assert net[0].weight.flatten().tolist() == [3.0, 2.0, 1.0]
    assert now.mean == (0.0, 0.2, 1.0)
    assert now.std == pytest.approx((15 / 255, 10 / 255, 5 / 255))


def test_a_net_of_grey_pictures_cannot_be_turned():
    with pytest.raises(ConfigError, match="three channels"):
        in_rgb(nn.Sequential(nn.Conv2d(1, 3, 1), nn.Conv2d(3, 3, 1)), MSRA)


def test_a_mean_of_each_pixel_is_refused():
    with pytest.raises(ConfigError, match="mean of each pixel"):
        in_rgb(nn.Conv2d(3, 1, 1), Preprocessing(mean=(((0.5,),),) * 3))
