import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from looked_at import assert_same, pictures, settled, snapshot
from scipy.stats import kendalltau
from torch import nn

from residua.analyze.lesion import (
    deletable,
    delete_each,
    delete_several,
    kendall,
    lesions,
    reorder,
)
from residua.errors import ConfigError
from residua.nets.blocks_of import blocks_of, without
from residua.runtime import generator

BATCH = pictures(12)


def total(net):
    """Stands in for an error: a number that depends on everything the net computes."""
    with torch.no_grad():
        return float(net.eval()(BATCH.images).abs().sum())


def test_each_is_deleted_alone_and_in_order():
    net = settled(14)
    found = delete_each(net, total)
    names = [each.name for each in blocks_of(net)]
    assert [each.name for each in found] == names
    assert [each.keeps_shape for each in found] == [True, True, False, True, False, True]
    wanted = [total(without(net, [name])) for name in names]
    assert [each.error for each in found] == pytest.approx(wanted, rel=1e-5)
    assert len(set(wanted)) == 6


def test_plain_blocks_are_deleted_with_all_their_layers():
    net = settled(14, "none")
    found = delete_each(net, total)
    shorter = settled(14, "none")
    shorter.stages[0] = nn.Sequential(shorter.stages[0][1])
    assert found[0].error == pytest.approx(total(shorter), rel=1e-5)
    assert len(found) == 6


def test_several_are_deleted_at_once():
    net = settled(8)
    everything = total(without(net, [each.name for each in blocks_of(net)]))
    one, all_ = delete_several(
        net, total, counts=[1, 3], samples=3, generator=generator(0, "lesion")
    )
    assert (one.count, all_.count) == (1, 3)
    assert all_.errors == pytest.approx([everything] * 3, rel=1e-5)
    alone = [each.error for each in delete_each(net, total)]
    assert all(min(abs(error - other) for other in alone) < 1e-3 for error in one.errors)


def test_draws_repeat_with_their_seed_and_not_with_another():
    net = settled(20)
    one, same, other = (
        delete_several(net, total, counts=[4], samples=3, generator=generator(seed, "x"))
        for seed in (0, 0, 1)
    )
    assert one == same != other


def test_blocks_change_places_within_their_stage():
    net = settled(14)
    found = reorder(net, total, swaps=[0, 1], samples=2, generator=generator(0, "x"))
    # Two blocks a stage, of which the first of the later stages changes the shape: one pair.
    assert [each.swaps for each in found] == [0, 0, 1, 1]
    assert [each.correlation for each in found] == pytest.approx([1, 1, 13 / 15, 13 / 15])
    assert found[0].error == pytest.approx(total(net), rel=1e-6)
    swapped = settled(14)
    swapped.stages[0][0], swapped.stages[0][1] = swapped.stages[0][1], swapped.stages[0][0]
    assert found[2].error == pytest.approx(total(swapped), rel=1e-6)
    assert found[2].error != pytest.approx(found[0].error, rel=1e-4)


@given(st.permutations(range(6)))
def test_correlation_is_kendalls(order):
    assert kendall(order) == pytest.approx(kendalltau(range(6), order).statistic)


def test_correlation_of_one_block():
    assert kendall([0]) == 1


@pytest.mark.parametrize("shortcut", ["A", "none"])
def test_everything_together_and_the_net_is_as_it_was(shortcut):
    net = settled(20, shortcut).eval()
    before = snapshot(net)
    found = lesions(net, total, most=2, samples=2, generator=generator(0, "x"))
    assert_same(snapshot(net), before)
    assert found.whole == pytest.approx(total(net))
    assert len(found.each) == 9
    assert [group.count for group in found.several] == [1, 2]
    assert len(found.reordered) == (4 if shortcut == "A" else 0)
    assert found.middle == sorted(each.error for each in found.each)[4]


def test_there_are_no_more_than_all():
    found = lesions(settled(8), total, most=20, samples=1, generator=generator(0, "x"))
    assert [group.count for group in found.several] == [1, 2, 3]
    # One block a stage: none has another to change places with.
    assert found.reordered == ()


def test_bad_input():
    with pytest.raises(ConfigError, match="neither residual nor plain"):
        deletable(nn.Linear(1, 1))
    with pytest.raises(ConfigError, match="of 3 blocks 0 to 3"):
        delete_several(settled(8), total, counts=[4], samples=1, generator=generator(0))
    with pytest.raises(ConfigError, match="no two residual blocks"):
        reorder(settled(8), total, swaps=[1], samples=1, generator=generator(0))
