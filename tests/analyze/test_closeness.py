import pytest
import torch
from looked_at import assert_same, pictures, settled, snapshot
from torch import nn

from residua.analyze.closeness import closeness
from residua.errors import ConfigError, DataError
from residua.nn.blocks import ResidualBlock, StochasticBlock
from residua.nn.shortcuts import Scale


def scaling(factor, shortcut=None):
    return ResidualBlock(
        before=nn.Identity(),
        residual=Scale(factor),
        shortcut=shortcut or nn.Identity(),
        after=nn.Identity(),
    )


def test_multiples_of_the_input_by_hand():
    net = nn.Sequential(scaling(0.5), scaling(-2.0), scaling(1.0, Scale(0.25)))
    x = torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    first, second, third = closeness(net, [x[:1], x[1:]])
    assert (first.ratio, first.cosine) == pytest.approx((0.5, 1.0))
    assert first.shortcut == pytest.approx((5 + 1) / 2)
    assert first.residual == pytest.approx(1.5)
    assert (second.ratio, second.cosine) == pytest.approx((2.0, -1.0))
    assert (third.ratio, third.cosine) == pytest.approx((4.0, 1.0))
    assert [first.name, second.name, third.name] == ["0", "1", "2"]


def test_what_is_at_right_angles():
    turn = nn.Linear(2, 2, bias=False)
    turn.weight.data = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    block = ResidualBlock(
        before=nn.Identity(), residual=turn, shortcut=nn.Identity(), after=nn.Identity()
    )
    (found,) = closeness(nn.Sequential(block), [torch.tensor([[1.0, 2.0]])])
    assert found.ratio == pytest.approx(1)
    assert found.cosine == pytest.approx(0, abs=1e-6)


def test_a_block_that_is_sometimes_skipped_adds_its_share():
    block = StochasticBlock(
        residual=Scale(1.0), shortcut=nn.Identity(), after=nn.Identity(), survival=0.8
    )
    (found,) = closeness(nn.Sequential(block), [torch.ones(2, 3)])
    assert found.ratio == pytest.approx(0.8)


@pytest.mark.parametrize("options", [{}, {"order": "full_preact"}, {"shortcut": "C"}])
def test_branches_are_those_of_a_pass_with_gradients(options):
    net, batch = settled(8, **options), pictures(6)
    kept = {}
    for name, module in net.named_modules():
        if name.endswith((".residual", ".shortcut")):
            module.register_forward_hook(
                lambda _m, _a, y, name=name: kept.update({name: y.detach().clone()})
            )
    net.eval()(batch.images)
    first = dict(kept)
    for block in closeness(net, [batch.images]):
        F, h = (first[f"{block.name}.{part}"].flatten(1) for part in ("residual", "shortcut"))
        assert block.ratio == pytest.approx(float((F.norm(dim=1) / h.norm(dim=1)).mean()), 1e-4)
        cosine = (F * h).sum(1) / F.norm(dim=1) / h.norm(dim=1)
        assert block.cosine == pytest.approx(float(cosine.mean()), abs=1e-5)


def test_the_net_is_as_it_was():
    net = settled(8)
    before = snapshot(net)
    found = closeness(net, [pictures(3).images])
    assert_same(snapshot(net), before)
    assert [block.keeps_shape for block in found] == [True, False, False]


def test_bad_input():
    with pytest.raises(ConfigError, match="no residual blocks"):
        closeness(settled(8, "none"), [pictures(1).images])
    with pytest.raises(DataError, match="no pictures"):
        closeness(settled(8), [])
