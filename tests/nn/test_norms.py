import pytest
import torch
from torch import nn

from residua.errors import ConfigError, DataError
from residua.nets.cifar import resnet
from residua.nn.norms import average_statistics


def norms(net):
    return [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]


def brute_force(net, batches):
    """Record what every layer takes, put it all side by side, and take mean and variance."""
    seen = {layer: [] for layer in norms(net)}
    for layer, into in seen.items():
        layer.register_forward_pre_hook(lambda _, args, into=into: into.append(args[0]))
    net.eval()
    for layer in norms(net):
        layer.train()
    with torch.no_grad():
        for batch in batches:
            net(batch)
    pixels = [torch.cat(into).double().transpose(0, 1).flatten(1) for into in seen.values()]
    return [(x.mean(dim=1), x.var(dim=1, correction=0)) for x in pixels]


def test_several_batches_give_the_mean_and_variance_of_all_pixels():
    torch.manual_seed(1)
    net, twin = resnet(8), resnet(8)
    twin.load_state_dict(net.state_dict())
    batches = [torch.randn(count, 3, 16, 16) * 2 + count for count in (5, 4, 2)]
    # What stood there has no influence, not even where it is no number.
    norms(net)[0].running_mean.fill_(float("nan"))
    assert average_statistics(net, iter(batches)) == 11
    for layer, (mean, variance) in zip(norms(net), brute_force(twin, batches), strict=True):
        assert torch.allclose(layer.running_mean, mean.float(), rtol=1e-5, atol=1e-6)
        assert torch.allclose(layer.running_var, variance.float(), rtol=1e-5, atol=1e-6)


def test_one_batch_gives_what_training_on_it_would():
    net, batch = resnet(8), torch.randn(20, 3, 16, 16)
    average_statistics(net, [batch])
    with torch.no_grad():
        # In evaluation the net now does to this batch what it does to it in training.
        assert torch.allclose(net.eval()(batch), net.train()(batch), atol=1e-4)


def test_the_variance_holds_the_differences_between_batches():
    net = nn.Sequential(nn.BatchNorm2d(1))
    average_statistics(net, [torch.zeros(2, 1, 2, 2), torch.ones(2, 1, 2, 2)])
    assert net[0].running_mean.item() == 0.5
    assert net[0].running_var.item() == 0.25


def test_nothing_but_the_statistics_changes():
    net = resnet(8)
    net.train()
    net.head.eval()
    momenta = [layer.momentum for layer in norms(net)]
    before = {name: value.clone() for name, value in net.state_dict().items()}
    average_statistics(net, [torch.randn(4, 3, 16, 16)])
    after = net.state_dict()
    for name, value in before.items():
        changed = name.endswith(("running_mean", "running_var"))
        assert torch.equal(after[name], value) != changed, name
    assert net.training
    assert not net.head.training
    assert [layer.momentum for layer in norms(net)] == momenta
    assert not any(layer._forward_pre_hooks for layer in norms(net))


def test_a_failure_leaves_the_statistics_alone():
    def batches():
        yield torch.randn(4, 3, 16, 16)
        raise DataError("unreadable")

    net = resnet(8)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(DataError, match="unreadable"):
        average_statistics(net, batches())
    assert all(torch.equal(net.state_dict()[name], value) for name, value in before.items())


def test_nothing_is_dropped_while_statistics_are_taken():
    """All else is in evaluation, so two goes give equal numbers."""
    net = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm2d(2))
    batch = torch.randn(9, 2, 4, 4)
    average_statistics(net, [batch])
    assert torch.allclose(net[1].running_mean, batch.mean(dim=(0, 2, 3)), atol=1e-6)


def test_the_exact_statistics_do_not_depend_on_the_order_of_pictures():
    net, twin, batch = nn.BatchNorm2d(3), nn.BatchNorm2d(3), torch.randn(12, 3, 4, 4) + 1e3
    average_statistics(net, batch.split(5))
    average_statistics(twin, batch.flip(0).split(4))
    assert torch.allclose(net.running_var, twin.running_var, rtol=1e-6)
    exact = batch.double().var(dim=(0, 2, 3), correction=0)
    assert torch.allclose(net.running_var.double(), exact, rtol=1e-6)


def test_nets_without_statistics_and_sets_without_pictures_are_refused():
    with pytest.raises(ConfigError, match="no batch normalization"):
        average_statistics(nn.Linear(2, 2), [torch.zeros(1, 2)])
    with pytest.raises(ConfigError, match="no batch normalization"):
        average_statistics(nn.BatchNorm2d(2, track_running_stats=False), [torch.zeros(2, 2, 1, 1)])
    with pytest.raises(DataError, match="no pictures"):
        average_statistics(nn.BatchNorm2d(2), [])
