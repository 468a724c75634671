import torch
from torch import nn

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
