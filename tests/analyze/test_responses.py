import pytest
import torch
from looked_at import assert_same, pictures, settled, snapshot
from torch import nn

from residua.analyze.responses import responses
from residua.errors import ConfigError, DataError
from residua.nets.imagenet import resnet as imagenet_resnet
from residua.nets.vgg import vgg


def by_hand(net, images):
    """The same deviations, from outputs kept by hooks on norms, with gradients, so none is lost."""
    kept = {}
    layers = dict(net.named_modules())
    handles = [
        layers[name].register_forward_hook(lambda _m, _a, y, name=name: kept.update({name: y}))
        for name in layers
        if isinstance(layers[name], nn.BatchNorm2d) and "shortcut" not in name
    ]
    net.eval()(images)
    for handle in handles:
        handle.remove()
    return [float(y.detach().double().std(correction=0)) for y in kept.values()]


@pytest.mark.parametrize("shortcut", ["A", "C", "none"])
def test_deviations_are_those_of_what_batch_norm_gives(shortcut):
    net, batch = settled(8, shortcut), pictures(20)
    found = responses(net, [batch.images])
    assert found.in_order == pytest.approx(by_hand(net, batch.images), rel=1e-5)
    assert [layer.name for layer in found.layers][:3] == [
        "stem.conv",
        "stages.0.0.residual.conv1",
        "stages.0.0.residual.conv2",
    ]
    assert len(found.layers) == 7
    assert all(layer.normalized for layer in found.layers)
    assert found.pictures == 20


def test_batches_are_put_together():
    net, batch = settled(8), pictures(20)
    whole = responses(net, [batch.images])
    parts = responses(net, batch.images.split(6))
    assert parts.pictures == 20
    assert parts.in_order == pytest.approx(whole.in_order, rel=1e-5)


def test_ranks_begin_with_the_largest():
    found = responses(settled(8), [pictures(4).images])
    assert found.ranked == sorted(found.in_order, reverse=True)
    assert found.mean == pytest.approx(sum(found.in_order) / 7)


def test_a_convolution_before_an_addition_answers_for_itself():
    net, batch = settled(8, order="full_preact"), pictures(8)
    outputs = {}
    for block in range(3):
        conv = net.stages[block][0].residual.conv2
        conv.register_forward_hook(lambda m, _a, y, key=block: outputs.update({key: y}))
    found = {layer.name: layer for layer in responses(net, [batch.images]).layers}
    for block in range(3):
        assert found[f"stages.{block}.0.residual.conv1"].normalized
        second = found[f"stages.{block}.0.residual.conv2"]
        assert not second.normalized
        assert second.std == pytest.approx(float(outputs[block].double().std(correction=0)), 1e-5)


def test_of_a_bottleneck_the_3x3_layer_alone_counts():
    net = imagenet_resnet(50, num_classes=4)
    found = responses(net, [torch.randn(2, 3, 64, 64)])
    assert len(found.layers) == 16
    assert {layer.name.rpartition(".")[2] for layer in found.layers} == {"conv2"}


def test_nets_without_batch_norm_answer_with_their_convolutions():
    found = responses(vgg(16, num_classes=3), [torch.randn(1, 3, 224, 224)])
    assert len(found.layers) == 13
    assert not any(layer.normalized for layer in found.layers)


def test_the_net_is_as_it_was():
    net = settled(8)
    before = snapshot(net)
    responses(net, [pictures(4).images])
    assert_same(snapshot(net), before)


def test_bad_input():
    with pytest.raises(ConfigError, match="no 3x3 convolution"):
        responses(nn.Sequential(nn.Linear(3, 3)), [torch.zeros(1, 3)])
    with pytest.raises(ConfigError, match="no convolution"):
        responses(nn.ReLU(), [torch.zeros(1, 3)])
    with pytest.raises(DataError, match="no pictures"):
        responses(settled(8), [])
