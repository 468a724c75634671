import pytest
import torch
from torch import nn

import residua
from residua.errors import ConfigError
from residua.nn.gated import GatedSum, follow, gated_sums
from residua.train.optimize import SgdConfig


def test_the_formula():
    added = GatedSum(nn.Identity())
    x, f = torch.tensor([[1.0, 2.0]]), torch.tensor([[10.0, 20.0]])
    assert added(x, f).tolist() == [[10.0, 20.0]]
    nn.init.constant_(added.gate, 0.5)
    assert added(x, f).tolist() == [[10.5, 21.0]]


def test_what_is_too_large_is_cut_in_the_middle():
    added = GatedSum(nn.Identity(), crop=True)
    nn.init.constant_(added.gate, 1.0)
    x = torch.arange(25.0).view(1, 1, 5, 5)
    assert added(x, torch.zeros(1, 1, 2, 3)).tolist() == [[[[6.0, 7.0, 8.0], [11.0, 12.0, 13.0]]]]


def test_gates_never_decay():
    net = nn.ModuleDict({"layer": nn.Linear(2, 2), "added": GatedSum(nn.Identity())})
    with_decay, without = residua.parameter_groups(net, weight_decay=0.1)
    assert with_decay["weight_decay"] == 0.1
    assert len(with_decay["params"]) == 2
    assert without["params"] == [net["added"].gate]
    assert without["weight_decay"] == 0
    of = {
        id(parameter): group["weight_decay"]
        for group in SgdConfig(weight_decay=0.1).build(net).param_groups
        for parameter in group["params"]
    }
    assert of[id(net["added"].gate)] == 0
    assert of[id(net["layer"].weight)] == of[id(net["layer"].bias)] == 0.1


def test_groups_of_a_net_without_gates_are_one():
    (group,) = residua.parameter_groups(nn.Linear(2, 2), weight_decay=0.1)
    assert len(group["params"]) == 2


def test_a_gate_is_annealed_to_one_by_the_updates_of_an_optimizer():
    net = nn.ModuleDict({"layer": nn.Linear(2, 2), "added": GatedSum(nn.Identity(), anneal=4)})
    optimizer = torch.optim.SGD(residua.parameter_groups(net, weight_decay=0.1), lr=0.1)
    follow(net, optimizer)
    seen = []
    for _ in range(6):
        net["layer"](torch.ones(1, 2)).sum().backward()
        optimizer.step()
        seen.append(net["added"].gate.item())
    assert seen == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_our_optimizers_anneal_too_and_go_on_where_they_were():
    def made():
        return nn.ModuleDict({"l": nn.Linear(2, 2), "added": GatedSum(nn.Identity(), anneal=4)})

    net, again = made(), made()
    for _ in range(2):
        optimizer = SgdConfig().build(net)
        net["l"](torch.ones(1, 2)).sum().backward()
        optimizer.step()
        again.load_state_dict(net.state_dict())
        net = again
    assert net["added"].gate.item() == 0.5


def test_gates_are_found_by_their_paths():
    net = nn.Sequential(nn.Linear(1, 1), nn.ModuleDict({"a": GatedSum(nn.Identity())}))
    assert list(gated_sums(net)) == ["1.a"]


def test_less_than_no_updates_is_refused():
    with pytest.raises(ConfigError, match="got -1"):
        GatedSum(nn.Identity(), anneal=-1)
