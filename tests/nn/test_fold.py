import copy

import pytest
import torch
from torch import nn

from residua.nets.catalogue import find
from residua.nn.fold import fold
from residua.nn.frozen import freeze
from residua.nn.norms import by_batch, norms_of


def unlike(net):
    """Give normalization statistics and parameters that show in the output."""
    random = torch.Generator().manual_seed(1)
    for layer in norms_of(net).values():
        layer.running_mean.normal_(generator=random)
        layer.running_var.uniform_(0.5, 2, generator=random)
        nn.init.uniform_(layer.weight, 0.5, 2, generator=random)
        nn.init.normal_(layer.bias, generator=random)
    return net.eval()


def test_one_channel_is_folded_as_by_hand():
    """2 x + 1 is normalized to 3 (2 x + 1 - 5) / 4 - 1 = 1.5 x - 4."""
    net = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1, eps=0.0)).eval()
    values = {"weight": 3.0, "bias": -1.0, "running_mean": 5.0, "running_var": 16.0}
    net[1].load_state_dict({n: torch.tensor([v]) for n, v in values.items()}, strict=False)
    nn.init.constant_(net[0].weight, 2.0)
    nn.init.constant_(net[0].bias, 1.0)
    found = fold(net)
    assert found.net[0].weight.item() == pytest.approx(1.5)
    assert found.net[0].bias.item() == pytest.approx(-4)
    assert found.folded == ("1",)
    assert net[0].weight.item() == 2


@pytest.mark.parametrize(
    ("name", "folded", "left"),
    [
        ("cifar.resnet20", 19, 0),
        ("cifar.preresnet20", 10, 9),
        ("wide.wrn16-4", 6, 7),
        ("mnist.residual34_blog", 31, 0),
    ],
)
def test_folded_nets_give_the_same_output(name, folded, left):
    """In full pre-activation units, normalization after an addition has no layer before it."""
    config = find(name)
    net = unlike(config.build())
    before = copy.deepcopy(net.state_dict())
    found = fold(net)
    assert (len(found.folded), len(found.left)) == (folded, left)
    with torch.no_grad():
        x = torch.randn(2, *config.input_shape)
        y, folded_y = net(x), found.net(x)
    assert (y - folded_y).abs().max() <= 1e-5 * y.abs().max()
    assert all(torch.equal(net.state_dict()[key], value) for key, value in before.items())


class Shared(nn.Module):
    """The convolution's output goes to normalization and past it."""

    def __init__(self, *, untraceable):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        self.norm = nn.BatchNorm2d(1)
        self.chain = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
        self.untraceable = untraceable

    def forward(self, x):
        y = self.conv(x)
        if self.untraceable and y.sum() > 1e9:
            return y
        return self.chain(self.norm(y) + y)


@pytest.mark.parametrize("untraceable", [False, True])
def test_what_others_use_too_is_left(untraceable):
    net = unlike(Shared(untraceable=untraceable))
    found = fold(net)
    assert found.folded == ("chain.1",)
    assert found.left == ("norm",)
    x = torch.randn(3, 1, 4, 4)
    assert torch.allclose(found.net(x), net(x), atol=1e-5)


def test_frozen_normalization_is_folded_too():
    net = unlike(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    x = torch.randn(2, 3, 8, 8)
    y = net(x)
    freeze(net, [net[1]])
    found = fold(net)
    assert found.folded == ("1",)
    assert torch.allclose(found.net(x), y, atol=1e-5)


def test_by_batch_uses_the_batch_in_evaluation_and_keeps_all():
    net = unlike(find("cifar.resnet20").build())
    x = torch.randn(6, 3, 8, 8)
    before = copy.deepcopy(net.state_dict())
    with torch.no_grad(), by_batch(net):
        found = net(x)
        assert not net.training
    twin = copy.deepcopy(net).train()
    with torch.no_grad():
        assert torch.equal(found, twin(x))
    assert all(torch.equal(net.state_dict()[key], value) for key, value in before.items())


def test_by_batch_gives_back_what_was_kept_after_an_error():
    net = unlike(nn.Sequential(nn.BatchNorm2d(2)))
    kept = net[0].running_mean
    with pytest.raises(KeyError), by_batch(net):
        raise KeyError
    assert net[0].running_mean is kept
