import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from looked_at import assert_same, loss, pictures, settled, snapshot
from torch import nn

from residua.analyze.surface import direction, line, plane, steps
from residua.data.loading import Batch
from residua.errors import ConfigError, DataError
from residua.runtime import generator


def test_every_filter_of_a_direction_is_as_long_as_the_nets():
    net = settled(8)
    found = direction(net, generator(0, "d"))
    weights = {name: p.detach() for name, p in net.named_parameters()}
    for name, drawn in found.items():
        for one, other in zip(drawn, weights[name], strict=True):
            assert float(one.norm()) == pytest.approx(float(other.norm()), rel=1e-5)
    first = torch.nn.functional.cosine_similarity(
        found["stem.conv.weight"].flatten(), weights["stem.conv.weight"].flatten(), dim=0
    )
    assert abs(float(first)) < 0.5


def test_biases_and_batch_normalization_stay():
    net = settled(8)
    names = set(direction(net, generator(0, "d")))
    moved = {name for name, p in net.named_parameters() if p.ndim > 1}
    assert names == moved
    assert not any("norm" in name or "bias" in name for name in names)
    assert "head.weight" in names


def test_a_filter_of_zeros_stays():
    net = nn.Linear(3, 2)
    nn.init.zeros_(net.weight[0:1])
    with torch.no_grad():
        net.weight[0] = 0
    found = direction(net, generator(0, "d"))["weight"]
    assert found[0].abs().sum() == 0
    assert found[1].abs().sum() > 0


def test_a_parabola_by_hand():
    # L(w) = mean of (w x)^2 with w = 2: along d = ±2 it is 4 (1 + a)^2 or 4 (1 - a)^2 of x = 1.
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, 2.0)

    def square(net, batch):
        return net(batch.images).square().mean()

    batches = [Batch(torch.tensor([[value]]), torch.zeros(1)) for value in (1.0, 3.0)]
    along = direction(net, generator(3, "d"))
    assert abs(float(along["weight"])) == pytest.approx(2)
    sign = float(along["weight"]) / 2
    found = line(net, batches, square, along, steps(1.0, 5))
    assert found.steps == (-1.0, -0.5, 0.0, 0.5, 1.0)
    wanted = [4 * (1 + sign * a) ** 2 * (1 + 9) / 2 for a in found.steps]
    assert found.losses == pytest.approx(wanted, rel=1e-5)


def test_batches_of_different_size_count_by_their_pictures():
    net, batch = settled(8).eval(), pictures(9)
    cut = [Batch(batch.images[i], batch.labels[i]) for i in (slice(0, 2), slice(2, 9))]
    found = line(net, cut, loss, direction(net, generator(0, "d")), (0.0,))
    assert found.losses[0] == pytest.approx(float(loss(net, batch).detach()), rel=1e-5)


def test_a_plane_holds_its_lines():
    net, batch = settled(8), pictures(4)
    one, other = (direction(net, generator(seed, "d")) for seed in (0, 1))
    at = steps(0.5, 3)
    found = plane(net, [batch], loss, (one, other), at)
    along_a = line(net, [batch], loss, one, at)
    along_b = line(net, [batch], loss, other, at)
    assert found.losses[1] == pytest.approx(along_a.losses, rel=1e-6)
    assert [row[1] for row in found.losses] == pytest.approx(along_b.losses, rel=1e-6)
    assert found.losses[0][0] != pytest.approx(found.losses[2][2], rel=1e-3)


@given(st.integers(0, 1000), st.floats(0.01, 3.0))
def test_the_weights_are_the_same_bits_after(seed, reach):
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2))
    before = snapshot(net)
    batch = pictures(2, channels=1, size=4)._replace(labels=torch.tensor([0, 1]))
    along = direction(net, generator(seed, "d"))
    line(net, [batch], loss, along, steps(reach, 3))
    assert_same(snapshot(net), before)


def test_the_net_is_as_it_was_where_a_measure_fails():
    net = settled(8)
    before = snapshot(net)

    def failing(net, batch):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        line(net, [pictures(2)], failing, direction(net, generator(0, "d")), (0.5,))
    assert_same(snapshot(net), before)


def test_bad_input():
    with pytest.raises(ConfigError, match="must be odd"):
        steps(1.0, 4)
    with pytest.raises(ConfigError, match="reach must be above 0"):
        steps(0.0, 3)
    with pytest.raises(ConfigError, match="no weights with filters"):
        direction(nn.BatchNorm2d(3), generator(0))
    net = settled(8)
    with pytest.raises(DataError, match="no pictures"):
        line(net, [], loss, direction(net, generator(0)), (0.0,))
