"""A deeper net starts as the same function, and learns from there."""

import dataclasses

import hypothesis
import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from residua.errors import ConfigError
from residua.nets.catalogue import find
from residua.nets.cifar import CifarConfig, resnet
from residua.nets.deepened import deeper
from residua.nets.insert import ends
from residua.nn.blocks import PlainBlock
from residua.surgery.deepen import deepen, output_change
from residua.surgery.identity import make_identity, take_statistics
from settled import built, pictures, settled

ORDERS = ["post", "bn_after_add", "relu_preact", "full_preact"]

RESIDUAL = [
    *(CifarConfig(depth=14, order=order) for order in ORDERS),
    *(CifarConfig(depth=20, block="bottleneck", shortcut="B", order=order) for order in ORDERS),
    CifarConfig(depth=14, block="single", order="full_preact"),
    CifarConfig(depth=14, shortcut="dropout"),
    CifarConfig(depth=14, shortcut="average_pad", survival=0.5),
    dataclasses.replace(find("wide.wrn16-4"), widen=1.0, dropout=0.3),
    find("dense.residual10"),
    find("imagenet.resnet18_slides_literal"),
]
THROUGH_WEIGHTS = [
    CifarConfig(depth=14, shortcut="none"),
    CifarConfig(depth=14, shortcut="none", order="bn_after_add"),
    CifarConfig(depth=14, shortcut="none", order="relu_before_add"),
    CifarConfig(depth=14, shortcut="C"),
    find("mnist.plain34"),
    find("mnist.plain34_printed"),
    find("dense.plain10"),
]


def shape_of(config):
    channels, height, _ = config.input_shape
    side = height if height == 28 else 32 if height > 32 else 8
    return channels, side, side


@pytest.mark.parametrize("config", RESIDUAL)
def test_a_residual_net_stays_the_same_to_the_last_bit(config):
    net, x = built(config), pictures(shape_of(config))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    deeper_net = deepen(net, 2)
    assert sum(p.numel() for p in deeper_net.parameters()) > sum(
        p.numel() for p in net.parameters()
    )
    with torch.no_grad():
        assert net(x).std() > 0
    assert output_change(net, deeper_net, x) == 0.0
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("config", THROUGH_WEIGHTS)
def test_what_passes_through_weights_stays_the_same_up_to_rounding(config):
    net, x = built(config), pictures(shape_of(config), 4)
    with torch.no_grad():
        size = float(net(x).abs().max())
        assert net(x).std(0).max() > 0
    assert output_change(net, deepen(net, 2), x) <= 1e-5 * max(1, size)
    assert output_change(net, deepen(net, 2, batches=[x]), x) <= 1e-5 * max(1, size)


@pytest.mark.parametrize("make", [torchvision.models.resnet18, torchvision.models.resnet50])
def test_torchvisions_nets_too(make):
    torch.manual_seed(1)
    net = settled(make(num_classes=4))
    other = deepen(net, (0, 1, 2, 0))
    assert [len(other.layer2), len(other.layer3)] == [len(net.layer2) + 1, len(net.layer3) + 2]
    assert output_change(net, other, pictures((3, 32, 32))) == 0.0


@hypothesis.settings(max_examples=12)
@given(st.tuples(*[st.integers(0, 2)] * 3).filter(any), st.integers(0, 5))
def test_wherever_blocks_go_and_whatever_is_drawn(blocks, seed):
    net = built(CifarConfig(depth=14))
    made = deepen(net, blocks, seed=seed)
    assert [len(stage) for stage in made.stages] == [2 + more for more in blocks]
    assert output_change(net, made, pictures((3, 8, 8))) == 0.0


def test_behind_blocks_that_are_named():
    net = built(CifarConfig(depth=14))
    made = deepen(net, after=["stages.1.0", "stages.1.0"])
    assert [len(stage) for stage in made.stages] == [2, 4, 2]
    assert output_change(net, made, pictures((3, 8, 8))) == 0.0


@pytest.mark.parametrize("config", [CifarConfig(depth=14), CifarConfig(depth=14, shortcut="none")])
def test_its_weights_are_those_of_the_settings_of_the_deeper_net(config):
    net = built(config)
    made = deepen(net, 1)
    again = deeper(config, ends(net, 1)).build()
    again.load_state_dict(made.state_dict())
    assert output_change(made, again.eval(), pictures((3, 8, 8))) == 0.0


def test_in_training_a_residual_net_is_the_same_too():
    net, x = built(CifarConfig(depth=14)).train(), pictures((3, 8, 8), 16)
    made = deepen(net, 1)
    assert all(module.training for module in made.modules())
    with torch.no_grad():
        assert torch.equal(net(x), made(x))


def test_in_training_a_plain_net_is_the_same_where_it_was_told_what_passes():
    net, x = built(CifarConfig(depth=14, shortcut="none")), pictures((3, 8, 8), 64)
    # Batch normalization that has seen the batch before: what it takes of it is what it keeps.
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        net.train()(x)
        told, untold = deepen(net, 1, batches=[x]), deepen(net, 1)
        as_it_was = net.train()(x)
        change = (told.train()(x) - as_it_was).abs().max()
        without = (untold.train()(x) - as_it_was).abs().max()
    assert change < 0.05 * without
    assert change < 0.1


def test_by_hand_the_statistics_of_what_passes():
    block = PlainBlock(
        before=nn.Identity(),
        residual=nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, bias=False), nn.BatchNorm2d(1)),
        after=nn.ReLU(),
    )
    norms = make_identity(block, nn.Sequential(block.residual, nn.ReLU()))
    x = torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1)
    take_statistics(block, norms, [x[:1], x[1:]])
    (norm,) = norms
    assert norm.running_mean.item() == 2.0
    assert norm.running_var.item() == 1.0
    assert norm.weight.item() == pytest.approx((1 + 1e-5) ** 0.5)
    assert norm.bias.item() == 2.0
    assert block.training
    assert torch.allclose(block.eval()(x), x)
    assert torch.allclose(block.train()(x), x)


def test_the_new_blocks_learn():
    net, x = built(CifarConfig(depth=14)), pictures((3, 8, 8), 8)
    made = deepen(net, 1).train()
    new = made.get_submodule("stages.1.2.residual")
    optimizer = torch.optim.SGD(made.parameters(), lr=0.1)
    drawn = new.conv1.weight.clone()
    for _ in range(3):
        optimizer.zero_grad()
        nn.functional.cross_entropy(made(x), torch.arange(8)).backward()
        optimizer.step()
    assert new.norm2.weight.abs().max() > 0
    assert not torch.equal(new.conv1.weight, drawn)


def test_what_is_drawn_depends_on_the_seed_alone():
    net = built(CifarConfig(depth=14))
    state = torch.random.get_rng_state()
    one, two, other = (deepen(net, 1, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    name = "stages.2.2.residual.conv1.weight"
    assert torch.equal(one.get_parameter(name), two.get_parameter(name))
    assert not torch.equal(one.get_parameter(name), other.get_parameter(name))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"order": "relu_before_add"}, "would never learn"),
        ({"shortcut": "none", "order": "full_preact"}, "can be negative"),
        ({"shortcut": "none", "block": "bottleneck", "depth": 20}, "fewer inside"),
        ({"shortcut": "constant_scaling"}, "values cannot pass as they are through Scale"),
        ({"shortcut": "exclusive_gating"}, "no residual or plain blocks in a row"),
        ({"shortcut": "C", "order": "full_preact"}, "can be negative"),
    ],
)
def test_what_cannot_start_as_the_identity_gets_a_sentence(options, words):
    with pytest.raises(ConfigError, match=words):
        deepen(resnet(**{"depth": 14, **options}), 1)


def test_the_change_of_an_output_is_the_largest_and_modes_are_restored():
    one, two = nn.Linear(1, 2), nn.Linear(1, 2)
    for net, bias in ((one, [0.0, 1.0]), (two, [0.5, -1.0])):
        nn.init.ones_(net.weight)
        net.bias.data = torch.tensor(bias)
    two.eval()
    assert output_change(one, two, torch.zeros(1, 1)) == 2.0
    assert one.training
    assert not two.training
