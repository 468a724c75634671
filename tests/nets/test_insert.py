"""Where blocks can be put, what they are called then, and what does not fit."""

import pytest
import torch
from torch import nn

from residua.errors import ConfigError
from residua.nets.catalogue import find
from residua.nets.cifar import resnet
from residua.nets.insert import behind, ends, insert, stages_of


def on_meta(name):
    with torch.device("meta"):
        return find(name).build()


@pytest.mark.parametrize("name", ["cifar.resnet20", "cifar.plain20"])
def test_stages_are_rows_of_blocks(name):
    stages = stages_of(on_meta(name))
    assert [stage.names for stage in stages] == [
        tuple(f"stages.{stage}.{place}" for place in range(3)) for stage in range(3)
    ]
    assert [len(stage.keeping) for stage in stages] == [3, 2, 2]
    assert [stage.end for stage in stages] == ["stages.0.2", "stages.1.2", "stages.2.2"]


def test_where_the_last_block_halves_the_size_new_ones_stand_before_it():
    assert [stage.end for stage in stages_of(on_meta("mnist.plain34"))] == [
        "stages.0.3",
        "stages.1.3",
        "stages.2.3",
    ]


def test_one_number_is_for_all_stages():
    net = on_meta("cifar.resnet20")
    assert ends(net, 1) == ends(net, (1,)) == ends(net, (1, 1, 1))
    assert ends(net, (0, 2, 0)) == ("stages.1.2", "stages.1.2")


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ((1, 1), "has 3 stages, got numbers of blocks for 2"),
        ((0, 0, 0), "at least one block more"),
        (-1, "none less, got -1"),
        ((2, -1, 0), "none less, got 2, -1, 0"),
    ],
)
def test_numbers_that_do_not_fit_get_a_sentence(blocks, words):
    with pytest.raises(ConfigError, match=words):
        ends(on_meta("cifar.resnet20"), blocks)


def test_by_hand_what_is_what_in_the_deeper_net():
    place = behind(on_meta("cifar.resnet20"), ["stages.1.0", "stages.1.0", "stages.1.2"])
    assert place == {
        "stages.1.0": "stages.1.0",
        "stages.1.1": "stages.1.0",
        "stages.1.2": "stages.1.0",
        "stages.1.3": "stages.1.1",
        "stages.1.4": "stages.1.2",
        "stages.1.5": "stages.1.2",
    }


def test_old_blocks_move_up_with_their_weights_and_new_ones_are_drawn():
    torch.manual_seed(0)
    net = resnet(20)
    nn.init.ones_(net.get_submodule("stages.1.1.residual.norm1").bias)
    old = dict(net.named_modules())
    place = behind(net, ["stages.1.0", "stages.1.2"])
    assert insert(net, ["stages.1.0", "stages.1.2"]) == ["stages.1.1", "stages.1.4"]
    for now, before in place.items():
        is_old = now not in {"stages.1.1", "stages.1.4"}
        assert (net.get_submodule(now) is old[before]) == is_old
    drawn = net.get_submodule("stages.1.1.residual")
    assert not drawn.norm1.bias.any()
    assert not torch.equal(drawn.conv1.weight, old["stages.1.1.residual.conv1"].weight)
    # He's initialization: deviation sqrt(2 / (9 * 32)) of 9,216 numbers
    assert drawn.conv1.weight.std().item() == pytest.approx((2 / 288) ** 0.5, rel=0.05)
    assert net(torch.zeros(1, 3, 8, 8)).shape == (1, 10)


def test_frozen_blocks_get_companions_that_learn():
    net = resnet(14).requires_grad_(False)
    (new,) = insert(net, ["stages.0.1"])
    assert all(p.requires_grad for p in net.get_submodule(new).parameters())
    assert not any(p.requires_grad for p in net.get_submodule("stages.0.1").parameters())


def test_a_stage_without_a_block_to_copy_gets_a_sentence():
    net = resnet(8)
    with pytest.raises(ConfigError, match=r"stages\.1\.0 has no block that keeps the shape"):
        ends(net, 1)
    with pytest.raises(ConfigError, match="64 channels, and its stage has no block that"):
        insert(net, ["stages.2.0"])


def test_a_name_that_is_no_block_is_answered_with_the_closest():
    with pytest.raises(ConfigError, match=r"did you mean stages\.0\.2"):
        insert(resnet(20), ["stage.0.2"])


@pytest.mark.parametrize("net", [nn.Linear(1, 1), nn.Sequential(nn.Conv2d(1, 1, 1))])
def test_a_net_without_blocks_gets_a_sentence(net):
    with pytest.raises(ConfigError, match="no residual or plain blocks in a row"):
        ends(net, 1)
