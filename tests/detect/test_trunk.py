import pytest
import torch
from torch import nn

from residua.detect.settings import FasterRcnnConfig
from residua.detect.trunk import cut, freeze_trunk
from residua.errors import ConfigError
from residua.nets.cifar import CifarConfig
from residua.nets.dense import DenseConfig
from residua.nets.imagenet import ImagenetConfig
from residua.nets.mnist import MnistConfig
from residua.nets.vgg import VggConfig
from residua.nets.wide import WideConfig
from residua.nn.frozen import FrozenNorm

# Settings, and the channels and stride of the features, the size of pooled regions, D.
NETS = [
    (ImagenetConfig(depth=101), (1024, 16, 14, 2048)),
    (ImagenetConfig(depth=18), (256, 16, 14, 512)),
    (ImagenetConfig(depth=18, pool_rounding="ceil", stem_bias=True), (256, 16, 14, 512)),
    (ImagenetConfig(depth=34, order="full_preact"), (256, 16, 14, 512)),
    (CifarConfig(depth=8), (32, 2, 14, 64)),
    (WideConfig(depth=10, widen=1.0), (32, 2, 14, 64)),
    (MnistConfig(depth=10, in_channels=3), (256, 4, 14, 512)),
    (VggConfig(), (512, 16, 7, 4096)),
]


@pytest.mark.parametrize(("config", "measures"), NETS)
def test_measures_of_trunks(config, measures):
    with torch.device("meta"):
        trunk = cut(config.build())
    assert (trunk.channels, trunk.stride, trunk.pool_size, trunk.width) == measures


@pytest.mark.parametrize(
    "config",
    [
        ImagenetConfig(depth=18, widen=0.125),
        ImagenetConfig(depth=18, widen=0.125, order="full_preact"),
        CifarConfig(depth=8),
        WideConfig(depth=10, widen=1.0),
        MnistConfig(depth=10, head="average", in_channels=3),
    ],
)
def test_a_whole_picture_as_the_region_is_the_classifier(config):
    net = config.build().eval()
    trunk = cut(net)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(net.head(trunk.head(trunk.shared(x))), net(x))


def test_the_parts_of_vgg_are_those_between_its_poolings_and_its_last_layer():
    with torch.device("meta"):
        net = VggConfig(dropout=0.25).build()
    trunk = cut(net)
    assert [name for name, _ in trunk.shared.named_children()][-2:] == ["pool4", "c5"]
    inner = [name for name, _ in trunk.head.named_children()]
    assert inner == ["flatten", "fc1", "relu1", "dropout1", "fc2", "relu2", "dropout2"]
    assert trunk.head.fc2 is net.head.fc2


@pytest.mark.parametrize("config", [DenseConfig(), DenseConfig(size=256, in_channels=3)])
def test_nets_without_places_are_refused(config):
    with torch.device("meta"):
        net = config.build()
    with pytest.raises(ConfigError, match="a detector needs"):
        cut(net)


def test_foreign_nets_are_refused():
    with pytest.raises(ConfigError, match="got Sequential"):
        cut(nn.Sequential())


def learning(config, **options):
    with torch.device("meta"):
        detector = FasterRcnnConfig(trunk=config, **options).build()
    return detector, {name for name, p in detector.named_parameters() if p.requires_grad}


def test_the_stem_and_the_first_stage_and_all_normalization_are_frozen():
    detector, names = learning(ImagenetConfig(depth=18))
    stages = {name.split(".")[1] for name in names if name.startswith("trunk.")}
    assert stages == {"c3", "c4"}
    assert not any("norm" in name for name in names)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in detector.modules())
    assert sum(isinstance(module, FrozenNorm) for module in detector.modules()) == 20


def test_all_can_learn():
    detector, names = learning(ImagenetConfig(depth=18), freeze=0, freeze_norm=False)
    assert names == dict(detector.named_parameters()).keys()
    assert not any(isinstance(module, FrozenNorm) for module in detector.modules())


def test_vgg_keeps_its_first_two_groups():
    _, names = learning(VggConfig())
    assert {name.split(".")[1] for name in names if name.startswith("trunk.")} == {"c3", "c4", "c5"}


def test_more_frozen_stages_than_there_are():
    with pytest.raises(ConfigError, match=r"freeze must be 0 to 4, .*, got 5"):
        learning(ImagenetConfig(depth=18), freeze=5)


def test_a_frozen_stage_of_a_trunk_is_the_same_module():
    with torch.device("meta"):
        trunk = cut(CifarConfig(depth=8).build())
    freeze_trunk(trunk, 1, norms=False)
    assert isinstance(trunk.shared.stem.norm, FrozenNorm)
    assert isinstance(trunk.shared.c2[0].residual.norm1, nn.BatchNorm2d)
