import itertools
import math

import pytest
import torch
from looked_at import assert_same, loss, pictures, settled, snapshot

from residua.analyze import paths as module
from residua.analyze.paths import PathLength, Paths, paths
from residua.errors import ConfigError, DataError
from residua.nets.blocks_of import blocks_of
from residua.runtime import generator


def gradient_through(net, batch, through):
    """The gradient at the input through one path."""
    names = [each.name for each in blocks_of(net)]
    inputs = batch.images.clone().requires_grad_()
    with module._gated(net.eval(), names) as switch:
        switch.through = {names[index] for index in through}
        found = loss(net, batch._replace(images=inputs))
        return torch.autograd.grad(found, inputs, materialize_grads=True)[0]


@pytest.mark.parametrize(
    "options", [{}, {"order": "full_preact"}, {"shortcut": "B"}, {"survival": 0.5}]
)
def test_gradients_of_all_paths_add_up_to_that_of_the_net(options):
    net, batch = settled(8, **options), pictures(6)
    every = [set(some) for n in range(4) for some in itertools.combinations(range(3), n)]
    assert len(every) == 8
    added = sum(gradient_through(net, batch, some) for some in every)
    inputs = batch.images.clone().requires_grad_()
    (whole,) = torch.autograd.grad(loss(net.eval(), batch._replace(images=inputs)), inputs)
    assert float(whole.norm()) > 1e-3
    torch.testing.assert_close(added, whole, rtol=1e-4, atol=1e-6)


def test_a_path_without_residual_functions_is_that_of_a_net_whose_blocks_add_a_constant():
    net, batch = settled(8), pictures(4)
    net.eval()
    path = gradient_through(net, batch, set())
    constants = {}
    for name, block in ((each.name, each.block) for each in blocks_of(net)):
        block.residual.register_forward_hook(
            lambda _m, _a, y, name=name: constants.setdefault(name, y.detach())
        )
    inputs = batch.images.clone().requires_grad_()
    (other,) = torch.autograd.grad(loss(net, batch._replace(images=inputs)), inputs)
    torch.testing.assert_close(path, other)


def test_lengths_samples_and_shares():
    net, batch = settled(14), pictures(4)
    found = paths(net, batch, loss, samples=4, generator=generator(0, "paths"))
    assert found.blocks == 6
    assert [each.length for each in found.lengths] == list(range(7))
    # Of the shortest and of the longest there is one, and of the others six and more.
    assert [len(each.norms) for each in found.lengths] == [1, 4, 4, 4, 4, 4, 1]
    assert [each.share * 64 for each in found.lengths] == [1, 6, 15, 20, 15, 6, 1]
    assert sum(found.contributions) == pytest.approx(1)
    assert found.pictures == 4


def test_every_path_is_drawn_once_where_there_are_few():
    drawn = module._drawn(4, 2, 100, generator(0, "x"))
    assert sorted(drawn) == list(itertools.combinations(range(4), 2))


def test_the_norm_is_that_of_one_pictures_loss():
    net, batch = settled(8), pictures(5)
    found = paths(net, batch, loss, samples=1, generator=generator(0, "p"), batch_statistics=False)
    every = gradient_through(net, batch, {0, 1, 2}) * 5
    wanted = math.sqrt(float(every.square().flatten(1).sum(1).mean()))
    assert found.lengths[-1].norms[0] == pytest.approx(wanted, rel=1e-4)


def test_what_contributes_most_by_hand():
    lengths = tuple(
        PathLength(length, share, (norm, 3 * norm))
        for length, share, norm in ((0, 0.25, 0.01), (1, 0.5, 2.0), (2, 0.25, 1.0))
    )
    found = Paths(2, lengths, 1)
    assert [each.mean for each in lengths] == [0.02, 4.0, 2.0]
    assert found.contributions == pytest.approx([0.005 / 2.505, 2 / 2.505, 0.5 / 2.505])
    assert found.bulk(0.7) == (1, 1)
    assert found.bulk() == (1, 2)
    assert found.bulk(1.0) == (0, 2)


def test_the_net_is_as_it_was_and_draws_repeat():
    net, batch = settled(8), pictures(4)
    before = snapshot(net)
    one, other = (
        paths(net, batch, loss, samples=2, generator=generator(1, "p"), lengths=[1, 2])
        for _ in range(2)
    )
    assert one == other
    assert_same(snapshot(net), before)
    assert not batch.images.requires_grad


def test_bad_input():
    batch = pictures(2)
    with pytest.raises(ConfigError, match="no residual blocks"):
        paths(settled(8, "none"), batch, loss, samples=1, generator=generator(0))
    with pytest.raises(ConfigError, match=r"lie in \[0, 3\]"):
        paths(settled(8), batch, loss, samples=1, generator=generator(0), lengths=[4])
    with pytest.raises(DataError, match="no pictures"):
        paths(settled(8), pictures(0), loss, samples=1, generator=generator(0))
