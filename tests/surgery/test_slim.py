"""Blocks ranked, left out for as long as the budget allows, and what came of it."""

import pytest
import torch
from torch import nn

from residua.errors import ConfigError
from residua.nets.blocks_of import blocks_of
from residua.nets.cifar import CifarConfig, resnet
from residua.nn.blocks import ResidualBlock
from residua.surgery.latency import milliseconds
from residua.surgery.slim import candidates, rank, slim
from settled import built, pictures

# Four blocks x -> x + w x and a factor at the end; all together 2.1 * 1.1 * 1.5 * 1.01 = 3.499...
WEIGHTS = [1.1, 0.1, 0.5, 0.01]


def block(weight):
    function = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(function.weight, weight)
    return ResidualBlock(
        before=nn.Identity(), residual=function, shortcut=nn.Identity(), after=nn.Identity()
    )


def factors():
    last = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.ones_(last.weight)
    return nn.Sequential(*(block(weight) for weight in WEIGHTS), last)


ONE = torch.ones(1, 1, 1, 1)
WHOLE = 2.1 * 1.1 * 1.5 * 1.01


@torch.no_grad()
def lost(net):
    """Say how many percent of the output are lost."""
    return 100 * abs(1 - float(net(ONE)) / WHOLE)


def part(*weights):
    """What is lost, by hand, without blocks of these weights."""
    left = 1.0
    for weight in weights:
        left /= 1 + weight
    return pytest.approx(100 * (1 - left), abs=1e-3)


def restore(net):
    """Tune the last factor so that nothing is lost."""
    with torch.no_grad():
        net[4].weight *= WHOLE / net(ONE)


def test_by_hand_blocks_are_ranked_by_what_they_cost():
    net = factors()
    costs = rank(net, lost)
    assert [cost.name for cost in costs] == ["3", "1", "2", "0"]
    assert [cost.error for cost in costs] == [part(0.01), part(0.1), part(0.5), part(1.1)]
    assert lost(net) == pytest.approx(0, abs=1e-3)
    assert [cost.name for cost in rank(net, lost, ["0", "2"])] == ["2", "0"]


def test_by_hand_as_many_go_as_the_budget_allows():
    net = factors()
    found = slim(net, lost, budget=15)
    assert found.names == ("3", "1")
    assert [cost.error for cost in found.left_out] == [part(0.01), part(0.01, 0.1)]
    assert found.before.error == pytest.approx(0, abs=1e-3)
    assert found.after.error == part(0.01, 0.1)
    assert (found.before.blocks, found.after.blocks) == (4, 2)
    assert (found.before.parameters, found.after.parameters) == (5, 3)
    assert len(blocks_of(net)) == 4
    assert found.net(ONE).item() == pytest.approx(2.1 * 1.5)


@pytest.mark.parametrize(
    ("budget", "names"), [(0.5, ()), (1.5, ("3",)), (99, ("3", "1", "2", "0"))]
)
def test_a_budget_may_allow_nothing_or_everything(budget, names):
    assert slim(factors(), lost, budget=budget).names == names


@pytest.mark.parametrize("rerank", [True, False])
def test_at_most_so_many(rerank):
    found = slim(factors(), lost, most=3, rerank=rerank)
    assert found.names == ("3", "1", "2")
    assert found.left_out[-1].error == part(0.01, 0.1, 0.5)


def test_ranking_anew_sees_what_has_become_dear():
    """Two blocks do the same work: either can go, but not both."""

    def measure(net):
        left = {each.name for each in blocks_of(net)}
        left -= {n for n, m in net.named_modules() if "forward" in m.__dict__}
        return (
            (0 if left & {"0", "1"} else 50)
            + (10 if "2" not in left else 0)
            + 20 * ("3" not in left)
        )

    assert slim(factors(), measure, most=2).names == ("0", "2")
    found = slim(factors(), measure, most=2, rerank=False)
    assert found.names == ("0", "1")
    assert [cost.error for cost in found.left_out] == [0, 50]


def test_the_net_is_tuned_when_the_budget_is_passed_and_at_the_end():
    calls = []

    def tune(net):
        calls.append(len(blocks_of(net)))
        restore(net)

    found = slim(factors(), lost, budget=5, most=3, tune=tune)
    # Without 3 the budget holds; without 1, and then without 2, only after tuning.
    assert calls == [2, 1]
    assert found.names == ("3", "1", "2")
    assert found.after.error == pytest.approx(0, abs=1e-3)
    assert found.left_out[1].error == part(0.01, 0.1)
    calls.clear()
    found = slim(factors(), lost, budget=5, most=1, tune=tune)
    assert calls == [3]
    assert found.after.error == pytest.approx(0, abs=1e-3)


def test_what_tuning_cannot_mend_comes_back():
    found = slim(factors(), lost, budget=5, tune=lambda net: None)
    assert found.names == ("3",)
    assert len(blocks_of(found.net)) == 3
    assert found.after.error == part(0.01)


def test_of_a_real_net_those_go_that_keep_the_shape():
    net, x = built(CifarConfig(depth=14)), pictures((3, 8, 8))
    assert candidates(net) == ("stages.0.0", "stages.0.1", "stages.1.1", "stages.2.1")
    with torch.no_grad():
        whole = net(x)

    @torch.no_grad()
    def measure(changed):
        return float((changed(x) - whole).abs().mean())

    found = slim(net, measure, most=1, input_shape=(3, 8, 8), batch=2)
    assert found.names == (min(found.first, key=lambda cost: cost.error).name,)
    assert found.after.parameters < found.before.parameters
    # A block of 16, 32 or 64 channels at 8, 4 or 2 pixels: 2 * 9 * 16^2 * 64 multiply-adds each.
    assert found.before.multiply_adds - found.after.multiply_adds == 2 * 9 * 16 * 16 * 64
    assert found.before.milliseconds > 0
    assert found.after.milliseconds > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "how far to go is not said"),
        ({"budget": -1.0}, "at least 0, got -1"),
        ({"budget": float("nan")}, "at least 0, got nan"),
        ({"most": 0}, "has 4 residual functions that can be left out, got 0"),
        ({"most": 5}, "got 5 to leave out"),
    ],
)
def test_budgets_without_sense_get_a_sentence(options, words):
    with pytest.raises(ConfigError, match=words):
        slim(factors(), lost, **options)


@pytest.mark.parametrize("shortcut", ["none", "shortcut_only_gating"])
def test_a_net_with_nothing_to_leave_out_gets_a_sentence(shortcut):
    with pytest.raises(ConfigError, match="no residual block that could be left out"):
        slim(resnet(8, shortcut=shortcut), lambda net: 0.0, budget=1)


class Slow(nn.Module):
    """Takes at least so long."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.seen = []

    def forward(self, x):
        import time

        self.seen.append((tuple(x.shape), self.training))
        time.sleep(self.seconds)
        return x


def test_times_are_of_one_input_and_taken_in_turns():
    nets = Slow(0.004), Slow(0.001)
    slow, fast = milliseconds(nets, (1, 2, 2), batch=2, rounds=3)
    assert slow >= 2.0
    assert fast >= 0.5
    assert slow > fast
    assert [net.seen for net in nets] == [[((2, 1, 2, 2), False)] * 6] * 2
    assert nets[0].training
    with pytest.raises(ConfigError, match="at least 1 input"):
        milliseconds(nets, (1, 2, 2), batch=0)
