"""Settings of deeper and slimmer nets: to data and back, to the same weights, to other classes."""

import dataclasses

import pytest
import torch

from residua.config import decode, digest, encode
from residua.errors import CheckpointError, ConfigError
from residua.nets import weights
from residua.nets.blocks_of import without
from residua.nets.catalogue import NetConfig, find, for_classes
from residua.nets.cifar import CifarConfig
from residua.nets.deepened import DeepenedConfig, deeper
from residua.nets.insert import ends
from residua.nets.slimmed import SlimmedConfig, slimmer
from settled import built, pictures

SMALL = CifarConfig(depth=14)
UNEVEN = DeepenedConfig(net=SMALL, after=("stages.0.1", "stages.2.0"))
SLIM = SlimmedConfig(net=SMALL, left_out=("stages.1.1",))
BOTH = SlimmedConfig(net=UNEVEN, left_out=("stages.0.2",))


@pytest.mark.parametrize("config", [UNEVEN, SLIM, BOTH])
def test_they_survive_a_file_and_build_what_they_say(config, tmp_path):
    assert decode(NetConfig, encode(config)) == config
    net = built(config)
    weights.save(net, tmp_path / "net.safetensors", config=config)
    again = weights.load(tmp_path / "net.safetensors")
    assert again.config == config
    x = pictures((3, 8, 8))
    with torch.no_grad():
        assert torch.equal(again.net(x), net(x))


def test_keys_that_are_not_there_are_refused_at_every_level():
    with pytest.raises(ConfigError, match="no such setting"):
        decode(NetConfig, {**encode(SLIM), "bogus": 1})
    with pytest.raises(ConfigError, match="no such setting"):
        decode(NetConfig, {**encode(SLIM), "net": {**encode(SMALL), "bogus": 1}})
    with pytest.raises(ConfigError):
        decode(NetConfig, {**encode(UNEVEN), "net": encode(SLIM)})


def test_equal_changes_have_equal_names():
    one = deeper(SMALL, ("stages.0.1", "stages.2.1"))
    other = deeper(SMALL, ("stages.2.1", "stages.0.1"))
    assert digest(one) == digest(other) != digest(deeper(SMALL, ("stages.0.1",)))
    assert slimmer(SMALL, ("b", "a")) == slimmer(SMALL, ("a", "b"))


@pytest.mark.parametrize(
    ("config", "blocks", "expected"),
    [
        (find("cifar.resnet20"), 2, find("cifar.resnet32")),
        (find("cifar.plain20"), 6, find("cifar.plain56")),
        (find("cifar.preresnet20"), 2, find("cifar.preresnet32")),
        (find("cifar.preresnet110_single"), 1, CifarConfig(
            depth=113, block="single", order="full_preact"
        )),
        (find("imagenet.resnet50"), (0, 0, 17, 0), find("imagenet.resnet101")),
        (find("imagenet.resnet101"), (0, 4, 13, 0), find("imagenet.resnet152")),
        (find("wide.wrn16-4"), 4, dataclasses.replace(find("wide.wrn16-4"), depth=40)),
        (find("mnist.plain34"), 11, find("mnist.plain100")),
        (find("dense.plain10"), 10, find("dense.plain20")),
        (find("dense.residual10"), 5, find("dense.residual20")),
    ],
)  # fmt: skip
def test_where_the_family_has_the_deeper_net_it_is_that(config, blocks, expected):
    with torch.device("meta"):
        after = ends(config.build(), blocks)
    assert deeper(config, after) == expected


@pytest.mark.parametrize(
    ("config", "blocks"),
    [
        (SMALL, (1, 0, 0)),
        (dataclasses.replace(SMALL, shortcut="average_pad", survival=0.5), 1),
        (find("imagenet.resnet18"), 1),
        # behind the first block of a pre-activation net stands a copy without its own activation
        (dataclasses.replace(SMALL, order="full_preact"), None),
    ],
)
def test_otherwise_the_settings_name_the_blocks(config, blocks):
    with torch.device("meta"):
        net = config.build()
        after = ends(net, blocks) if blocks else ["stages.0.0", "stages.1.1", "stages.2.1"]
    assert deeper(config, after) == DeepenedConfig(net=config, after=tuple(sorted(after)))


def test_deeper_twice_is_deeper_once():
    once = deeper(SMALL, ("stages.0.0",))
    # In that net stages.0.1 is new, and stages.0.2 is the old stages.0.1.
    twice = deeper(once, ("stages.0.1", "stages.0.2", "stages.2.1"))
    assert twice == DeepenedConfig(
        net=SMALL, after=("stages.0.0", "stages.0.0", "stages.0.1", "stages.2.1")
    )
    full = deeper(once, ("stages.1.1", "stages.2.1"))
    assert full == CifarConfig(depth=20)


def test_slimmer_twice_is_slimmer_once():
    again = slimmer(SLIM, ("stages.0.0",))
    assert again == SlimmedConfig(net=SMALL, left_out=("stages.0.0", "stages.1.1"))


def test_a_slimmed_net_is_the_whole_one_without():
    torch.manual_seed(3)
    whole = SMALL.build()
    torch.manual_seed(3)
    slim, x = SLIM.build(), pictures((3, 8, 8))
    assert torch.equal(slim(x), without(whole, SLIM.left_out)(x))
    assert slim.takes == whole.takes
    assert SLIM.input_shape == UNEVEN.input_shape == (3, 32, 32)


def test_weights_of_the_whole_net_are_not_those_of_a_slimmed_one(tmp_path):
    weights.save(SMALL.build(), tmp_path / "net.safetensors", config=SMALL)
    with pytest.raises(CheckpointError, match="has no place"):
        weights.load(tmp_path / "net.safetensors", SLIM)


@pytest.mark.parametrize("config", [SMALL, UNEVEN, SLIM, BOTH])
def test_another_number_of_classes(config):
    changed = for_classes(config, 3)
    assert type(changed) is type(config)
    with torch.device("meta"):
        assert changed.build().head.out_features == 3


def test_what_cannot_be_changed_gets_a_sentence():
    with pytest.raises(ConfigError, match="deepen a net before it is slimmed"):
        deeper(SLIM, ("stages.0.0",))
    with pytest.raises(ConfigError, match="of no net that can be slimmed"):
        slimmer(encode(SMALL), ("stages.0.0",))
    with pytest.raises(ConfigError, match="is no residual block"):
        SlimmedConfig(net=SMALL, left_out=("stages.9.0",)).build()
