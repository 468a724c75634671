"""Weights by torchvision's names, of nets that torchvision has; a sentence for all others."""

import json

import pytest
import torch

from deploy.written import used
from residua.deploy.convert.to_torchvision import name_of, their_state, theirs, to_torchvision
from residua.errors import ConfigError
from residua.nets.cifar import CifarConfig
from residua.nets.imagenet import ImagenetConfig
from residua.nets.vgg import VggConfig
from residua.nets.wide import WideConfig


@torch.no_grad()
def test_torchvision_computes_the_same(tmp_path):
    net = used(ImagenetConfig(depth=18, num_classes=3).build(), 3, 32)
    to_torchvision(net, tmp_path / "net.pth", card={"classes": ["a", "b", "c"]})
    card = json.loads((tmp_path / "net.json").read_text())
    assert card == {"classes": ["a", "b", "c"], "torchvision": "resnet18"}
    state = torch.load(tmp_path / "net.pth", weights_only=True)
    x = torch.randn(2, 3, 40, 48)
    torch.testing.assert_close(theirs("resnet18", state)(x), net(x))


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (ImagenetConfig(depth=34, num_classes=5), "resnet34"),
        (ImagenetConfig(depth=50, stride_on="3x3"), "resnet50"),
        (ImagenetConfig(depth=50, stride_on="3x3", widen=2.0), "wide_resnet50_2"),
        (VggConfig(depth=16, num_classes=7), "vgg16"),
    ],
)
def test_nets_are_known_by_their_weights(config, name):
    with torch.device("meta"):
        net = config.build()
    assert name_of(their_state(net)) == name


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (ImagenetConfig(depth=50), "stride on the 3x3 convolution, this net on the 1x1"),
        (ImagenetConfig(depth=18, pool_rounding="ceil"), "max-pooling that rounds down"),
        (ImagenetConfig(depth=18, order="full_preact"), "cannot express a pre-activation net"),
        (ImagenetConfig(depth=18, shortcut="A"), "but ZeroPad"),
        (ImagenetConfig(depth=18, in_channels=1), "no resnet18, where conv1.weight is"),
        (ImagenetConfig(depth=18, widen=0.5), "it has none with the widths of"),
        (ImagenetConfig(depth=200, stride_on="3x3"), "it has no resnet200"),
        (CifarConfig(depth=8, shortcut="B"), r"1 \+ 1 \+ 1 units"),
        (WideConfig(depth=10, widen=1.0), "cannot express"),
    ],
)
def test_what_torchvision_lacks_is_refused_with_a_sentence(config, words, tmp_path):
    with pytest.raises(ConfigError, match=rf"torchvision has no such net: .*{words}.*--to pt2"):
        to_torchvision(config.build(), tmp_path / "net.pth")
    assert not list(tmp_path.iterdir())
