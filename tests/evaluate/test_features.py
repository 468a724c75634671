import pytest
import torch
import torchvision
from torch import nn

from residua.errors import ConfigError
from residua.evaluate.features import activation_maps, pooled
from residua.nets import highway, imagenet, mnist, wide
from residua.nets.cifar import resnet


def settle(net, x):
    """Give batch normalization other statistics than the first, and the linear layer a bias."""
    net.train()(x)
    for layer in net.modules():
        if isinstance(layer, nn.Linear) and layer.bias is not None:
            nn.init.normal_(layer.bias)
    return net.eval()


NETS = {
    "residual": (lambda: resnet(8), 32),
    "pre-activation": (lambda: resnet(8, order="full_preact"), 32),
    "bottleneck": (lambda: resnet(11, block="bottleneck"), 32),
    "stochastic": (lambda: resnet(8, survival=0.5), 32),
    "wide, dropout": (lambda: wide.wide_resnet(10, 2, dropout=0.5), 32),
    "highway": (lambda: highway.highway("cifar19"), 32),
    "imagenet": (lambda: imagenet.resnet18(num_classes=10), 64),
    "torchvision": (lambda: torchvision.models.resnet18(num_classes=10), 64),
    "no bias": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4, bias=False)
        ),
        9,
    ),
}


@pytest.mark.parametrize("name", NETS)
def test_the_mean_of_a_map_and_the_bias_are_the_logit(name):
    make, size = NETS[name]
    x = torch.randn(3, 3, size, size)
    net = settle(make(), x)
    maps, bias = activation_maps(net, x)
    assert maps.shape[2:] != (1, 1)
    assert torch.allclose(maps.mean(dim=(2, 3)) + bias, net(x), atol=1e-4)


def test_a_map_is_what_the_linear_layer_says_of_each_place():
    x = torch.randn(2, 3, 32, 32)
    net = settle(resnet(8), x)
    features = net.stages(net.pool(net.stem(x)))
    maps, bias = activation_maps(net, x)
    for row in range(features.shape[2]):
        said = net.head(features[:, :, row, 3])
        assert torch.allclose(maps[:, :, row, 3] + bias, said, atol=1e-4)


def test_pooled_features_are_what_the_linear_layer_takes():
    x = torch.randn(3, 3, 32, 32)
    net = settle(resnet(8), x)
    net.train()
    features = pooled(net, x)
    assert net.training
    assert not net.head._forward_hooks
    net.eval()
    assert features.shape == (3, 64)
    assert torch.allclose(net.head(features), net(x), atol=1e-5)
    assert torch.allclose(features, net.features(x)["C4"].mean(dim=(2, 3)), atol=1e-5)


@pytest.mark.parametrize(
    "net",
    [
        mnist.mnist_net(34),
        nn.Sequential(nn.Flatten(), nn.Linear(784, 10)),
        nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(1, 10)),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 8), nn.Linear(8, 10)),
    ],
    ids=["mnist", "linear", "maximum", "hidden layer"],
)
def test_nets_that_end_otherwise_have_features_and_no_exact_map(net):
    x = torch.randn(3, 1, 28, 28)
    assert len(pooled(net.eval(), x)) == 3
    with pytest.raises(ConfigError, match="does not end in global average pooling"):
        activation_maps(net, x)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), "no linear"),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Softmax(1)), "one linear layer"),
    ],
)
def test_nets_without_a_last_linear_layer_are_refused(net, message):
    with pytest.raises(ConfigError, match=message):
        pooled(net, torch.randn(2, 1, 28, 28))
