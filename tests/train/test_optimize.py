import copy
from collections import OrderedDict

import pytest
import torch
from torch import nn

from residua.errors import ConfigError
from residua.nets import cifar
from residua.nn.frozen import FrozenNorm
from residua.train.optimize import SgdConfig


def test_momentum_and_decay_are_the_papers_update():
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, 2.0)
    optimizer = SgdConfig(momentum=0.9, weight_decay=0.1).build(net)
    weight, velocity = 2.0, 0.0
    for gradient in (1.0, -3.0, 0.5):
        optimizer.param_groups[0]["lr"] = 0.1
        net.weight.grad = torch.tensor([[gradient]])
        optimizer.step()
        velocity = 0.9 * velocity + gradient + 0.1 * weight
        weight -= 0.1 * velocity
        assert abs(net.weight.item() - weight) < 1e-6


def test_batch_norm_decays_too():
    net = nn.BatchNorm2d(3)
    (group,) = SgdConfig(weight_decay=0.1).build(net).param_groups
    assert len(group["params"]) == 2
    assert group["weight_decay"] == 0.1


def small():
    return cifar.resnet(8, num_classes=3)


def test_every_parameter_is_in_one_group_by_default():
    net = small()
    (group,) = SgdConfig().build(net).param_groups
    assert [id(p) for p in group["params"]] == [id(p) for p in net.parameters()]
    assert (group["factor"], group["weight_decay"]) == (1.0, 1e-4)


def found_groups(net, **options):
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    return {
        names[id(parameter)]: (group["factor"], group["weight_decay"])
        for group in SgdConfig(weight_decay=0.1, **options).build(net).param_groups
        for parameter in group["params"]
    }


def test_norms_and_biases_can_be_spared_the_decay():
    of = found_groups(small(), decay_norm=False, decay_bias=False, bias_lr=2.0)
    assert of["stem.conv.weight"] == (1.0, 0.1)
    assert of["stem.norm.weight"] == of["stem.norm.bias"] == (1.0, 0.0)
    assert of["head.weight"] == (1.0, 0.1)
    assert of["head.bias"] == (2.0, 0.0)
    assert len(of) == len(list(small().parameters()))


def test_earlier_parts_learn_more_slowly_down_from_the_head():
    of = found_groups(small(), stage_lr=0.5)
    expected = {"stem.conv": 1 / 16, "stages.0": 1 / 8, "stages.1": 1 / 4, "stages.2": 1 / 2}
    for name, (factor, _) in of.items():
        prefix = next((p for p in expected if name.startswith(p)), None)
        if prefix:
            assert factor == expected[prefix]
    assert of["head.weight"][0] == of["head.bias"][0] == 1.0


def test_parts_of_a_strangers_net_are_its_children():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2, 3))
    of = found_groups(net, stage_lr=0.1)
    assert of["0.weight"][0] == 0.1
    assert of["3.weight"][0] == 1.0


def test_dampening_is_torchs():
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, 2.0)
    optimizer = SgdConfig(momentum=0.5, weight_decay=0.0, dampening=0.25).build(net)
    weight, velocity = 2.0, None
    for gradient in (1.0, -3.0, 0.5):
        optimizer.param_groups[0]["lr"] = 0.1
        net.weight.grad = torch.tensor([[gradient]])
        optimizer.step()
        velocity = gradient if velocity is None else 0.5 * velocity + 0.75 * gradient
        weight -= 0.1 * velocity
        assert abs(net.weight.item() - weight) < 1e-6


def test_what_a_batch_did_not_use_decays_and_keeps_its_momentum():
    used, skipped = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.constant_(skipped.weight, 2.0)
    optimizer = SgdConfig(momentum=0.5, weight_decay=0.1).build(nn.ModuleList([used, skipped]))
    weight, velocity = 2.0, 0.0
    for gradient in (None, 1.0, None, None):
        optimizer.zero_grad()
        optimizer.param_groups[0]["lr"] = 0.1
        used.weight.grad = torch.ones(1, 1)
        if gradient is not None:
            skipped.weight.grad = torch.full((1, 1), gradient)
        optimizer.step()
        velocity = 0.5 * velocity + (gradient or 0.0) + 0.1 * weight
        weight -= 0.1 * velocity
        assert abs(skipped.weight.item() - weight) < 1e-6


def test_frozen_parts_change_neither_weights_nor_statistics_and_the_others_do():
    torch.manual_seed(0)
    net = small()
    before = copy.deepcopy(net.state_dict())
    optimizer = SgdConfig(freeze=2, weight_decay=0.1).build(net)
    for _ in range(2):
        net.train()
        optimizer.param_groups[0]["lr"] = 0.1
        optimizer.zero_grad()
        net(torch.randn(4, 3, 16, 16)).sum().backward()
        optimizer.step()
    after = net.state_dict()
    assert after.keys() == before.keys()
    for name, value in after.items():
        if name.startswith(("stem.", "stages.0.")):
            assert torch.equal(value, before[name]), name
    assert not torch.equal(
        after["stages.1.0.residual.norm1.running_mean"],
        before["stages.1.0.residual.norm1.running_mean"],
    )
    assert not torch.equal(after["head.weight"], before["head.weight"])


def test_a_frozen_norm_is_batch_norm_in_eval_mode():
    norm = nn.BatchNorm2d(3)
    for _ in range(3):
        norm(torch.randn(8, 3, 4, 4) * 3 + 1)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = torch.randn(2, 3, 4, 4)
    expected = norm.eval()(x)
    frozen = FrozenNorm(norm).train()
    assert torch.equal(frozen(x), expected)
    assert frozen.state_dict().keys() == norm.state_dict().keys()
    nn.BatchNorm2d(3).load_state_dict(frozen.state_dict())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (SgdConfig(freeze=5), r"freeze must be in \[0, 5\): the net has 5 parts, got 5"),
        (SgdConfig(freeze=-1), "freeze must be in"),
        (SgdConfig(stage_lr=0.0), "stage_lr must be above 0"),
        (SgdConfig(bias_lr=float("nan")), "bias_lr must be above 0"),
        (SgdConfig(momentum=-1.0), "momentum"),
        (SgdConfig(nesterov=True, dampening=0.1), "(?i)nesterov"),
    ],
)
def test_numbers_without_sense_are_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        config.build(small())


def test_a_normalization_that_is_a_part_of_its_own_is_frozen_too():
    net = nn.Sequential(
        OrderedDict(conv1=nn.Conv2d(1, 2, 3), bn1=nn.BatchNorm2d(2), fc=nn.Conv2d(2, 3, 1))
    )
    SgdConfig(freeze=2).build(net)
    before = net.bn1.running_mean.clone()
    net.train()(torch.randn(4, 1, 8, 8))
    assert torch.equal(net.bn1.running_mean, before)
    assert not net.bn1.weight.requires_grad
    assert net.fc.weight.requires_grad
    assert set(net.state_dict()) >= {"bn1.running_mean", "bn1.num_batches_tracked"}
