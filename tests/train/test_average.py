import copy
import io

import pytest
import torch
from torch import nn

from residua.errors import CheckpointError, ConfigError
from residua.train.average import AverageConfig


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


def train(module, steps, seed=0):
    """Change weights and statistics, and yield after each change."""
    random = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        module(torch.randn(4, 1, 5, 5, generator=random))
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=random))
        yield


@pytest.mark.parametrize("warmup", [True, False])
def test_the_average_is_the_recurrence_by_hand(warmup):
    module = net()
    average = AverageConfig(decay=0.5, warmup=warmup).build(module)
    name = "1.running_var"
    expected = {key: value.double() for key, value in module.state_dict().items()}
    for n, _ in enumerate(train(module, 12)):
        average.update(module)
        keep = min(0.5, (1 + n) / (10 + n)) if warmup else 0.5
        for key, value in module.state_dict().items():
            expected[key] = keep * expected[key] + (1 - keep) * value.double()
    for key, value in average.values.items():
        if value.is_floating_point():
            torch.testing.assert_close(value.double(), expected[key], atol=1e-5, rtol=1e-5)
    assert average.values["1.num_batches_tracked"] == 12
    assert not torch.equal(average.values[name], module.state_dict()[name])


def test_the_net_has_its_own_weights_again_afterwards():
    module = net()
    average = AverageConfig(decay=0.999).build(module)
    for _ in train(module, 3):
        average.update(module)
    own = copy.deepcopy(module.state_dict())
    with average.applied(module) as averaged:
        assert all(torch.equal(v, average.values[k]) for k, v in averaged.state_dict().items())
    assert all(torch.equal(value, own[key]) for key, value in module.state_dict().items())
    with pytest.raises(KeyError), average.applied(module) as averaged:
        averaged.state_dict()["no such name"]
    assert all(torch.equal(value, own[key]) for key, value in module.state_dict().items())
    assert not torch.equal(own["0.weight"], average.values["0.weight"])


def test_a_resumed_average_is_that_of_an_undisturbed_run():
    straight, module = net(), net()
    one, two = (AverageConfig(decay=0.9).build(m) for m in (straight, module))
    for _ in train(straight, 8):
        one.update(straight)
    for n, _ in enumerate(train(module, 8)):
        two.update(module)
        if n == 4:
            file = io.BytesIO()
            torch.save(two.state(), file)
            file.seek(0)
            two = AverageConfig(decay=0.9).build(net())
            two.restore(torch.load(file, weights_only=True))
    assert all(torch.equal(value, one.values[key]) for key, value in two.values.items())
    assert two.updates == 8


def test_the_average_of_another_net_and_a_decay_out_of_range_are_refused():
    average = AverageConfig(decay=0.999).build(net())
    with pytest.raises(CheckpointError, match="of another net"):
        average.restore(AverageConfig(decay=0.999).build(nn.Linear(1, 1)).state())
    with pytest.raises(ConfigError, match=r"decay must be in \[0, 1\), got 1.0"):
        AverageConfig(decay=1.0).build(net())
