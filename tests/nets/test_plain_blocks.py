import pytest
import torch
import torch.nn.functional as F

from residua.errors import ConfigError
from residua.nets.cifar import resnet
from residua.nets.plain_blocks import plain_blocks_of, plain_bypassed


def test_blocks_of_a_plain_net_stand_in_its_order():
    found = plain_blocks_of(resnet(14, shortcut="none"))
    assert [each.name for each in found] == [f"stages.{s}.{b}" for s in range(3) for b in range(2)]
    assert [each.keeps_shape for each in found] == [True, True, False, True, False, True]
    assert plain_blocks_of(resnet(14)) == []


@pytest.mark.parametrize("gradients", [True, False])
def test_what_is_left_passes_on_what_comes_in(gradients):
    net = resnet(14, shortcut="none").eval()
    x = torch.randn(2, 16, 8, 8)
    kept = x.clone()
    with torch.set_grad_enabled(gradients), plain_bypassed(net, ["stages.0.1"]):
        y = net.stages[0][1](x)
    assert torch.equal(y, F.relu(kept))
    assert torch.equal(x, kept)


def test_where_the_shape_changes_there_are_zeros():
    net = resnet(14, shortcut="none").eval()
    x = torch.rand(2, 16, 7, 7)
    with plain_bypassed(net, ["stages.1.0"]):
        y = net.stages[1][0](x)
    assert y.shape == net.stages[1][0](x).shape == (2, 32, 4, 4)
    assert torch.equal(y[:, :16], x[:, :, ::2, ::2])
    assert not y[:, 16:].any()


def test_the_net_is_as_it_was_even_after_an_error():
    net = resnet(8, shortcut="none").eval()
    x = torch.randn(1, 3, 8, 8)
    before = net(x)
    with plain_bypassed(net, ["stages.0.0"]):
        assert not torch.equal(net(x), before)
    assert torch.equal(net(x), before)

    def fail():
        with plain_bypassed(net, ["stages.0.0"]):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert torch.equal(net(x), before)


def test_a_wrong_name():
    net = resnet(8, shortcut="none")
    with (
        pytest.raises(ConfigError, match=r"did you mean stages\.0\.0"),
        plain_bypassed(net, ["stages.0.9"]),
    ):
        pass
