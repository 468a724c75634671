"""A net bound to its preprocessing computes what the two compute one after the other."""

import pytest
import torch
from torch import nn

from deploy.written import pictures, used
from residua.data.normalize import ChannelStats, ContrastNormalize, PixelMean, Scale, Whiten
from residua.deploy.convert.bound import bind
from residua.deploy.convert.program import program
from residua.errors import ConfigError
from residua.nets.cifar import CifarConfig
from residua.nets.wide import WideConfig
from residua.surgery.deepen import deepen
from residua.surgery.residualize import residualize
from residua.surgery.slim import slim

KINDS = (ChannelStats(), PixelMean(), Scale(), ContrastNormalize(), Whiten())


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return used(CifarConfig(depth=8, in_channels=1).build())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
@torch.no_grad()
def test_pixels_give_the_logits_of_the_normalized_picture(net, kind):
    normalize = kind.fit(pictures(40))
    x = pictures(6)
    expected = net(normalize(x))
    assert torch.equal(bind(net, normalize, (1, 8, 8), fold=False)(x), expected)
    folded = bind(net, normalize, (1, 8, 8))
    torch.testing.assert_close(folded(x), expected, rtol=0, atol=1e-5)
    assert torch.equal(folded(x), folded(x.float()))


@torch.no_grad()
def test_the_mean_picture_is_resized_to_another_size(net):
    normalize = PixelMean().fit(pictures(40))
    x = pictures(2, side=12)
    bound = bind(net, normalize, (1, 12, 12), fold=False)
    assert torch.equal(bound(x), net(normalize(x)))


@torch.no_grad()
def test_what_is_bound_is_a_copy(net):
    normalize = ChannelStats().fit(pictures(40))
    bound = bind(net, normalize, (1, 8, 8))
    before = bound(pictures(2))
    expected = net(normalize(pictures(2)))
    for parameter in bound.net.parameters():
        parameter.add_(1)
    assert torch.equal(net(normalize(pictures(2))), expected)
    assert not torch.equal(bound(pictures(2)), before)


def changed_nets():
    """Nets that surgery made, and blocks that decide or weigh."""
    torch.manual_seed(0)
    plain = CifarConfig(depth=8, shortcut="none", in_channels=1).build()
    x = torch.randn(2, 1, 8, 8)
    yield "residualized", residualize(plain, x)
    residual = used(CifarConfig(depth=14, in_channels=1).build())
    yield "deepened", deepen(residual, 1)
    yield "slimmed", slim(residual, lambda net: 0.0, most=2).net
    yield "gated", CifarConfig(depth=8, in_channels=1, shortcut="exclusive_gating").build()
    yield "wide", WideConfig(depth=10, widen=1.0, in_channels=1).build()


@pytest.mark.parametrize(("name", "net"), changed_nets(), ids=lambda value: str(value)[:12])
def test_changed_nets_are_traced_for_any_number_of_pictures(name, net):
    net = used(net)
    normalize = ChannelStats().fit(pictures(40))
    graph = program(bind(net, normalize, (1, 8, 8))).module()
    with torch.no_grad():
        for count in (1, 2, 5):
            expected = net(normalize(pictures(count)))
            torch.testing.assert_close(graph(pictures(count)), expected, rtol=1e-4, atol=1e-4)


class Deciding(nn.Module):
    """Decides by the values of its pictures, which no graph can."""

    def forward(self, x):
        return x.flatten(1)[:, :3] if x.sum() > 0 else x.flatten(1)[:, 3:6]


def test_a_net_that_cannot_be_traced_is_refused_with_a_sentence():
    normalize = ChannelStats().fit(pictures(4))
    with pytest.raises(ConfigError, match=r"cannot be exported: torch\.export cannot trace Decid"):
        program(bind(Deciding(), normalize, (1, 8, 8)))
