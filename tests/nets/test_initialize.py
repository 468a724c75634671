import pytest
import torch
from torch import nn

from residua.errors import ConfigError
from residua.nets.highway import highway
from residua.nets.initialize import initialize_xavier


def test_xavier_weights_are_uniform_with_variance_one_over_fan_in():
    torch.manual_seed(0)
    convolution = nn.Conv2d(16, 64, 3)
    bias = convolution.bias.clone()
    initialize_xavier(convolution)
    weight, bound = convolution.weight, (3 / 144) ** 0.5
    assert weight.abs().max() <= bound
    assert weight.abs().max() > 0.99 * bound
    assert weight.var().item() == pytest.approx(1 / 144, rel=0.05)
    assert torch.equal(convolution.bias, bias)


def test_a_highway_net_can_start_as_its_authors_files_say():
    torch.manual_seed(0)
    net = highway("cifar19", weights="xavier")
    gates = [
        module
        for name, module in net.named_modules()
        if "gate" in name.split(".") and isinstance(module, nn.Conv2d)
    ]
    assert len(gates) == 14
    assert all((gate.bias == -2).all() for gate in gates)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            assert module.weight.abs().max() <= (3 / module.weight[0].numel()) ** 0.5
    with pytest.raises(ConfigError, match="weights must be he or xavier, got 'orthogonal'"):
        highway("cifar19", weights="orthogonal")
