"""Blocks found in depth order; what is left where a residual function is left out; reordering."""

import pytest
import torch
import torchvision
from torch import nn

from residua.errors import ConfigError
from residua.nets.blocks_of import blocks_of, bypassed, reordered, without
from residua.nets.catalogue import find
from residua.nets.cifar import resnet
from residua.nn.blocks import ResidualBlock
from residua.runtime import generator
from settled import settled

NAMES = [f"stages.{stage}.{place}" for stage in range(3) for place in range(3)]


def pictures(size=8, count=2):
    return torch.randn(count, 3, size, size, generator=generator(0, "pictures"))


def net(**options):
    torch.manual_seed(1)
    return settled(resnet(20, **options))


def scalar_block(weight, shortcut=None):
    """`y = relu(h(x) + weight x)` on one channel."""
    function = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(function.weight, weight)
    return ResidualBlock(
        before=nn.Identity(),
        residual=function,
        shortcut=shortcut or nn.Identity(),
        after=nn.ReLU(),
    )


def plane(*values):
    return torch.tensor(values).reshape(1, 1, 1, -1)


def test_the_blocks_come_in_order_and_say_whether_they_keep_the_shape():
    found = blocks_of(net())
    assert [each.name for each in found] == NAMES
    changing = [each.name for each in found if not each.keeps_shape]
    assert changing == ["stages.1.0", "stages.2.0"]
    assert all(isinstance(each.block, ResidualBlock) for each in found)


@pytest.mark.parametrize(
    "name", ["cifar.plain20", "cifar.resnet110_exclusive_gating", "highway.cifar19", "vgg.vgg16"]
)
def test_nets_without_residual_functions_to_leave_out_have_no_blocks(name):
    with torch.device("meta"):
        assert blocks_of(find(name).build(), foreign=True) == []


@pytest.mark.parametrize(
    ("name", "count", "changing"),
    [
        ("imagenet.resnet50", 16, 4),
        ("wide.wrn16-4", 6, 3),
        ("cifar.stochastic110", 54, 2),
        ("cifar.resnet110_conv1x1_shortcut", 54, 2),
        ("mnist.residual34", 15, 3),
    ],
)
def test_the_number_of_blocks_of_published_nets(name, count, changing):
    with torch.device("meta"):
        found = blocks_of(find(name).build())
    assert (len(found), sum(not each.keeps_shape for each in found)) == (count, changing)


def test_by_hand_a_block_left_out_passes_what_comes_in():
    chain = nn.Sequential(scalar_block(2.0), scalar_block(10.0))
    x = plane(1.0, -1.0)
    assert torch.equal(chain(x), plane(33.0, 0.0))
    assert torch.equal(without(chain, ["0"])(x), plane(11.0, 0.0))
    assert torch.equal(without(chain, ["1"])(x), plane(3.0, 0.0))
    assert torch.equal(without(chain, ["0", "1"])(x), plane(1.0, 0.0))


def test_the_shortcut_and_what_stands_around_it_stay():
    scaled = nn.Sequential(nn.Conv2d(1, 1, 1))
    nn.init.constant_(scaled[0].weight, 3.0)
    nn.init.constant_(scaled[0].bias, 1.0)
    block = scalar_block(5.0, scaled)
    block.before = nn.Hardtanh()
    chain = nn.Sequential(block)
    x = plane(2.0, -0.5)
    # before: 1, -0.5; shortcut: 4, -0.5; relu: 4, 0
    assert torch.equal(without(chain, ["0"])(x), plane(4.0, 0.0))
    with bypassed(chain, ["0"]):
        assert torch.equal(chain(x), plane(4.0, 0.0))
    assert torch.equal(chain(x), plane(9.0, 0.0))


ORDERS = ["post", "bn_after_add", "relu_before_add", "relu_preact", "full_preact"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("names", [["stages.0.0"], ["stages.1.0", "stages.2.2"], NAMES])
def test_the_copy_and_the_bypass_agree_in_every_order(order, names):
    module, x = net(order=order), pictures()
    with torch.no_grad():
        whole = module(x)
        shorter = without(module, names)(x)
        with bypassed(module, names):
            passed = module(x)
        assert torch.equal(shorter, passed)
        assert not torch.allclose(shorter, whole)
        assert torch.equal(module(x), whole)


def test_a_block_whose_function_is_zero_is_not_missed():
    module, x = net(), pictures()
    last = module.get_submodule("stages.1.1.residual.norm2")
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    with torch.no_grad():
        assert torch.equal(without(module, ["stages.1.1"])(x), module(x))


def test_the_state_dict_of_the_copy_is_that_of_the_net_without_the_functions():
    module = net(shortcut="B", order="full_preact")
    names = ["stages.1.0", "stages.2.1"]
    left = {
        name: value
        for name, value in module.state_dict().items()
        if not any(name.startswith(f"{block}.residual.") for block in names)
    }
    assert "stages.1.0.shortcut.conv.weight" in left
    copied = without(module, names).state_dict()
    assert list(copied) == list(left)
    assert all(torch.equal(copied[name], value) for name, value in left.items())


def test_the_net_itself_and_what_comes_in_are_left_alone():
    module = nn.Sequential(scalar_block(2.0))
    x = plane(1.0, -1.0)
    with torch.no_grad():
        without(module, ["0"])(x)
        with bypassed(module, ["0"]):
            module(x)
        assert torch.equal(x, plane(1.0, -1.0))
        assert torch.equal(module(x), plane(3.0, 0.0))


def test_modes_set_within_a_bypass_reach_all_modules():
    module = net().train()
    with bypassed(module, ["stages.0.1"]):
        module.eval()
    assert not any(each.training for each in module.modules())


def test_a_bypass_ends_with_an_exception():
    module, x = net(), pictures()
    whole = module(x)
    with pytest.raises(ZeroDivisionError), bypassed(module, NAMES):
        _ = 1 / 0
    assert torch.equal(module(x), whole)


def test_a_gradient_passes_a_bypass():
    module = net()
    with bypassed(module, ["stages.2.2"]):
        module(pictures()).sum().backward()
    assert module.get_submodule("stages.2.2.residual.conv1").weight.grad is None
    assert module.get_submodule("stages.2.1.residual.conv1").weight.grad is not None


def test_by_hand_blocks_change_places():
    # relu((1 + 2) x) and then relu(1 x + 3 x): (1 + 2) * (1 + 3) either way, so let one clip.
    first, second = scalar_block(2.0), scalar_block(1.0)
    first.after = nn.Hardtanh(0.0, 2.0)
    chain = nn.Sequential(first, second)
    x = plane(1.0)
    assert torch.equal(chain(x), plane(4.0))
    with reordered(chain, ["1", "0"]):
        assert torch.equal(chain(x), plane(2.0))
    assert torch.equal(chain(x), plane(4.0))
    assert chain[0] is first


def test_a_block_put_in_anothers_place_acts_there():
    module, x = net(), pictures()
    blocks = {each.name: each.block for each in blocks_of(module)}
    order = ["stages.2.2", "stages.2.1"]
    with torch.no_grad(), reordered(module, order):
        outputs = module.features(x)
        expected = blocks["stages.2.1"](blocks["stages.2.2"](blocks["stages.2.0"](outputs["C3"])))
        assert torch.equal(outputs["C4"], expected)


def test_what_cannot_change_places_gets_a_sentence():
    module = net()
    with pytest.raises(ConfigError, match="changes the shape"), reordered(module, ["stages.1.0"]):
        pass
    order = ["stages.1.1", "stages.2.1"]
    with pytest.raises(ConfigError, match=r"stages\.1\.1 on 32"), reordered(module, order):
        pass
    twice = ["stages.1.1", "stages.1.1"]
    with pytest.raises(ConfigError, match="once"), reordered(module, twice):
        pass


def test_a_name_that_is_no_block_is_answered_with_the_closest():
    with pytest.raises(ConfigError, match=r"did you mean stages\.0\.2"):
        without(net(), ["stage.0.2"])
    with pytest.raises(ConfigError, match="it has none"):
        without(nn.Linear(1, 1), ["0"])


@pytest.mark.parametrize("make", [torchvision.models.resnet18, torchvision.models.resnet50])
def test_torchvisions_blocks_where_told(make):
    torch.manual_seed(2)
    module, x = settled(make(num_classes=4)), pictures(32)
    assert blocks_of(module) == []
    found = blocks_of(module, foreign=True)
    changing = [each.name for each in found if not each.keeps_shape]
    bottleneck = make is torchvision.models.resnet50
    assert changing == [f"layer{n}.0" for n in range(1 if bottleneck else 2, 5)]
    block = module.layer2[0]
    seen = []
    module.layer2[1].register_forward_pre_hook(lambda _, args: seen.append(args[0].clone()))
    inner = []
    block.register_forward_pre_hook(lambda _, args: inner.append(args[0].clone()))
    with torch.no_grad(), bypassed(module, ["layer2.0", "layer3.1"]):
        module(x)
        assert torch.equal(seen[0], block.downsample(inner[0]).relu())
        passed = module(x)
    with torch.no_grad():
        assert torch.equal(without(module, ["layer2.0", "layer3.1"])(x), passed)
