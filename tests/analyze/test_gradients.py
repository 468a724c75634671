import math

import pytest
import torch
from looked_at import assert_same, loss, pictures, settled, snapshot
from torch import nn

from residua.analyze.gradients import gradients
from residua.data.loading import Batch
from residua.errors import ConfigError, DataError


def test_of_two_linear_layers_by_hand():
    # y = b * a * x, and the loss of a picture is its y: by a it is b x, by b it is a x.
    net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    nn.init.constant_(net[0].weight, 2.0)
    nn.init.constant_(net[1].weight, -3.0)
    batch = Batch(torch.tensor([[1.0], [4.0]]), torch.zeros(2, dtype=torch.int64))
    found = gradients(net, [batch], lambda net, batch: net(batch.images).mean())
    first, last = found.layers
    assert first.weights == pytest.approx(3 * 2.5)
    assert last.weights == pytest.approx(2 * 2.5)
    assert first.relative == pytest.approx(3 * 2.5 / 2)
    # By the outputs, of one picture's loss: -3 and 1.
    assert first.output == pytest.approx(3)
    assert last.output == pytest.approx(1)
    assert found.loss == pytest.approx(-6 * 2.5)
    assert found.pictures == 2


def test_weights_are_those_of_backward():
    net, batch = settled(8), pictures(16)
    found = gradients(net, [batch], loss)
    net.train()
    loss(net, batch).backward()
    wanted = [float(net.get_submodule(layer.name).weight.grad.norm()) for layer in found.layers]
    assert [layer.weights for layer in found.layers] == pytest.approx(wanted, rel=1e-4)
    assert len(found.layers) == 8
    assert found.layers[-1].name == "head"


def test_batches_are_put_together():
    net, batch = settled(8), pictures(18)
    whole = gradients(net, [batch], loss, batch_statistics=False)
    cut = [Batch(batch.images[i], batch.labels[i]) for i in (slice(0, 5), slice(5, 18))]
    parts = gradients(net, cut, loss, batch_statistics=False)
    assert parts.loss == pytest.approx(whole.loss, rel=1e-5)
    for one, other in zip(parts.layers, whole.layers, strict=True):
        assert one.weights == pytest.approx(other.weights, rel=1e-4)
        assert one.output == pytest.approx(other.output, rel=1e-4)


def test_statistics_are_of_the_batch_or_kept():
    net, batch = settled(8), pictures(16)
    net.train()
    of_batch = float(loss(net, batch).detach())
    kept = float(loss(net.eval(), batch).detach())
    assert gradients(net, [batch], loss).loss != pytest.approx(kept, abs=1e-4)
    assert gradients(net, [batch], loss).loss == pytest.approx(of_batch, rel=1e-5)
    assert gradients(net, [batch], loss, batch_statistics=False).loss == pytest.approx(kept)


@pytest.mark.parametrize("batch_statistics", [True, False])
def test_the_net_is_as_it_was(batch_statistics):
    net = settled(8, "B")
    net.stem.conv.weight.requires_grad_(False)
    before = snapshot(net)
    found = gradients(net, [pictures(4)], loss, batch_statistics=batch_statistics)
    assert_same(snapshot(net), before)
    # What is frozen has a gradient all the same.
    assert found.layers[0].weights > 0
    # Projections on shortcuts are off the main path.
    assert not [layer.name for layer in found.layers if "shortcut" in layer.name]


def test_a_layer_of_zeros_has_no_relative_gradient():
    net = nn.Sequential(nn.Linear(2, 2))
    nn.init.zeros_(net[0].weight)
    batch = Batch(torch.ones(3, 2), torch.zeros(3, dtype=torch.int64))
    found = gradients(net, [batch], loss)
    assert found.layers[0].weights > 0
    assert math.isnan(found.layers[0].relative)


def test_bad_input():
    with pytest.raises(DataError, match="no pictures"):
        gradients(settled(8), [], loss)
    with pytest.raises(ConfigError, match="no convolution"):
        gradients(nn.ReLU(), [pictures(1)], loss)
