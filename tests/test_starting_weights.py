"""Weights that a training begins from: which file, and what it says of itself."""

import pytest
import torch
from torchvision import models

from residua import starting
from residua.detect.settings import FasterRcnnConfig
from residua.errors import CheckpointError, ConfigError
from residua.nets import reading, weights
from residua.nets.cifar import CifarConfig
from residua.nets.imagenet import ImagenetConfig
from residua.nets.vgg import VggConfig
from residua.starting_detector import start_detector


@pytest.mark.parametrize(
    ("config", "file"),
    [
        (ImagenetConfig(depth=101, stride_on="3x3"), "resnet101-63fe2227.pth"),
        (ImagenetConfig(depth=50, widen=2.0), "wide_resnet50_2-95faca4d.pth"),
        (VggConfig(depth=16), "vgg16-397923af.pth"),
    ],
)
def test_torchvision_is_asked_for_the_weights_of_the_same_net(config, file, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(starting, "cache", lambda: tmp_path)
    monkeypatch.setattr(starting, "obtain", lambda remote, path: asked.append((remote, path)))
    assert starting.fetched(config) == tmp_path / "weights" / file
    ((remote, _),) = asked
    assert remote.urls[0].endswith(f"/{file}")
    assert remote.checksum == f"sha256:{file.rpartition('-')[2].removesuffix('.pth')}"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (CifarConfig(depth=20), "imagenet and vgg nets of the usual widths"),
        (ImagenetConfig(depth=50, widen=0.5), "imagenet and vgg nets of the usual widths"),
        (VggConfig(depth=16, widen=0.25), "imagenet and vgg nets of the usual widths"),
        (ImagenetConfig(depth=200), "no weights called resnet200"),
    ],
)
def test_what_torchvision_does_not_offer_is_said(config, message):
    with pytest.raises(ConfigError, match=message):
        starting.fetched(config)


def test_nothing_is_fetched_for_a_net_that_computes_otherwise(monkeypatch):
    monkeypatch.setattr(starting, "obtain", lambda *_: pytest.fail("fetched"))
    with torch.device("meta"):
        net = ImagenetConfig(depth=50).build()
    with pytest.raises(CheckpointError, match="build the net with stride_on='3x3'"):
        starting.start(net, "torchvision", ImagenetConfig(depth=50), ("a", "b"))
    with pytest.raises(CheckpointError, match="build the net with stride_on='3x3'"):
        start_detector(FasterRcnnConfig(trunk=ImagenetConfig(depth=101)), "torchvision")


def test_a_folder_is_no_file_of_weights(tmp_path):
    with pytest.raises(CheckpointError, match="is a folder, not a file of weights: a run has"):
        starting.config_of(str(tmp_path))


def test_a_vgg_of_torchvision_is_taken_over(tmp_path):
    path = tmp_path / "vgg16.pth"
    with torch.device("meta"):
        state, net = models.vgg16().state_dict(), VggConfig(depth=16).build()
    found = weights.Contents(path, state, {})
    assert found.config == VggConfig(depth=16)
    told = starting.take_over(net, found, ())
    assert told is not None
    assert (told.channels, told.range, told.mean) == ("RGB", 1.0, (0.485, 0.456, 0.406))


def test_a_file_is_read_once(tmp_path, monkeypatch):
    config = CifarConfig(depth=8, num_classes=3)
    path = tmp_path / "net.safetensors"
    weights.save(config.build(), path, config=config, card={"classes": ["a", "b", "c"]})
    seen = []

    def read(path):
        seen.append(path)
        return reading.read(path)

    monkeypatch.setattr(weights, "read", read)
    assert starting.config_of(str(path)) == config
    assert seen == [path]
    starting.start(config.build(), str(path), config, ("a", "b", "d"))
    assert seen == [path, path]


def test_weights_of_a_net_that_only_python_knows_are_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    card = {"net": {"kind": "given", "type": "my_pkg.nets:Mine"}}
    weights.save(torch.nn.Linear(2, 2), path, card=card)
    with pytest.raises(ConfigError, match=r"handed over in Python \(my_pkg.nets:Mine\)"):
        starting.config_of(str(path))
    with pytest.raises(CheckpointError, match="no such file"):
        starting.config_of(str(tmp_path / "nowhere.safetensors"))
