import contextlib
import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from residua.errors import ConfigError
from residua.nets.cifar import resnet
from residua.nets.dense import dense
from residua.nets.highway import highway
from residua.nets.mnist import mnist_net
from residua.nets.wide import wide_resnet
from residua.train.recompute import Recomputed, Segment, chains

NETS = {
    "basic": lambda: resnet(14),
    "bottleneck": lambda: resnet(11, block="bottleneck", shortcut="B"),
    "preactivation": lambda: resnet(14, order="full_preact"),
    "stochastic depth": lambda: resnet(14, shortcut="average_pad", survival=0.5),
    "gates": lambda: resnet(14, shortcut="exclusive_gating"),
    "dropout": lambda: wide_resnet(10, 1, dropout=0.3),
    "highway": lambda: highway("cifar19", width=8),
    "mnist": lambda: mnist_net(16, in_channels=3, head="average"),
}


def three_steps(net, run, precision, shape=(3, 8, 8)):
    """Make three updates of SGD with momentum; return all state and the last random number."""
    net.train()
    torch.manual_seed(1)
    images = torch.randn(3, 4, *shape)
    labels = torch.randint(0, 10, (3, 4))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    torch.manual_seed(2)
    for x, y in zip(images, labels, strict=True):
        bf16 = torch.autocast("cpu", torch.bfloat16)
        with bf16 if precision == "bfloat16" else contextlib.nullcontext():
            loss = F.cross_entropy(run(x.to(memory_format=torch.channels_last)).float(), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {**net.state_dict(), "next random number": torch.rand(())}


def build(name):
    torch.manual_seed(0)
    return NETS[name]().to(memory_format=torch.channels_last)


def whole(net, count, *, inner=False):
    """Cut the stages of a net into `count` segments, each with two inside it if `inner`."""
    units = len(chains(net)["stages"])
    cuts = [round(units * i / count) for i in range(count + 1)]
    return [
        Segment(
            chain="stages",
            start=start,
            stop=stop,
            inner=((start + stop) // 2,) if inner and stop - start > 1 else (),
        )
        for start, stop in itertools.pairwise(cuts)
    ]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("inner", [False, True], ids=["once", "nested"])
@pytest.mark.parametrize("name", NETS)
def test_weights_and_statistics_are_those_of_plain_training_bit_for_bit(name, inner, precision):
    plain, net = build(name), build(name)
    shape = (3, 16, 16) if name in ("highway", "mnist") else (3, 8, 8)
    expected = three_steps(plain, plain, precision, shape)
    recomputed = Recomputed(net, whole(net, 2, inner=inner))
    found = three_steps(recomputed, recomputed, precision, shape)
    found = {key.removeprefix("net."): value for key, value in found.items()}
    different = [key for key in expected if not torch.equal(expected[key], found[key])]
    assert different == []
    counts = {int(v) for key, v in expected.items() if key.endswith("num_batches_tracked")}
    assert not counts or max(counts) == 3


def test_a_second_update_of_the_statistics_would_be_found(monkeypatch):
    monkeypatch.setattr(
        "residua.train.recompute.statistics_held", lambda modules: contextlib.nullcontext()
    )
    plain, net = build("basic"), build("basic")
    for run in (plain, Recomputed(net, whole(net, 2))):
        three_steps(run, run, "float32")
    pairs = zip(plain.state_dict().items(), net.state_dict().values(), strict=True)
    different = {key.rpartition(".")[2] for (key, one), two in pairs if not torch.equal(one, two)}
    assert different == {"running_mean", "running_var", "num_batches_tracked"}


def test_a_random_number_that_is_not_replayed_would_be_found(monkeypatch):
    monkeypatch.setattr(
        "residua.train.recompute._replayed", lambda device, states: contextlib.nullcontext()
    )
    plain, net = build("dropout"), build("dropout")
    for run in (plain, Recomputed(net, whole(net, 2))):
        three_steps(run, run, "float32")
    assert not torch.equal(plain.head.weight, net.head.weight)


def saved_bytes(net, x):
    """Count the distinct storages that a forward pass keeps, those of the net left out."""
    own = {p.untyped_storage().data_ptr() for p in [*net.parameters(), *net.buffers(), x]}
    found = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = net(x)
    assert y.requires_grad
    return sum(found.values())


def test_only_the_inputs_of_segments_are_kept():
    net, x = build("basic").train(), torch.randn(4, 3, 8, 8)
    before = saved_bytes(net, x)
    after = saved_bytes(Recomputed(net, whole(net, 6)).train(), x)
    # Units of 16x8x8, 32x4x4 and 64x2x2 in float32; each segment is one of them.
    inputs = 4 * 4 * (3 * 16 * 64 + 2 * 32 * 16 + 64 * 4)
    outside = saved_bytes(net.stem, x) + 4 * 4 * 64
    assert inputs < after <= inputs + outside + 4096
    assert after < before / 3


def test_keys_and_modules_stay_as_they_were():
    net = build("basic").train()
    keys, forward = list(net.state_dict()), net.stages.forward
    Recomputed(net, whole(net, 2)).train()(torch.randn(2, 3, 8, 8)).sum().backward()
    assert list(net.state_dict()) == keys
    assert net.stages.forward == forward
    assert "forward" not in net.stages.__dict__


def test_without_gradients_it_is_the_net_itself():
    net = build("basic")
    recomputed = Recomputed(net, whole(net, 2)).eval()
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(recomputed(x), net(x))
    assert recomputed(x).grad_fn is not None


def test_pictures_need_no_gradient_and_frozen_weights_get_none():
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2))
    net[0].weight.requires_grad_(False)
    Recomputed(net, [Segment(chain="", start=0, stop=3)]).train()(torch.ones(1, 3)).sum().backward()
    assert net[0].weight.grad is None
    assert net[0].bias.grad is not None
    assert net[2].weight.grad is not None


def test_gradients_of_a_stretch_come_from_autograd_itself():
    net = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    again = Recomputed(net, [Segment(chain="", start=0, stop=2)]).train()
    x = torch.randn(2, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(again, (x,))


def test_a_segment_that_begins_with_a_module_that_writes_over_its_input_is_refused():
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(inplace=True), nn.Linear(3, 2))
    again = Recomputed(net, [Segment(chain="", start=1, stop=3)]).train()
    with pytest.raises(ConfigError, match="ReLU writes over its input"):
        again(torch.randn(2, 3))


def test_segments_must_lie_within_their_chain_in_order():
    net = build("basic")
    for wrong in ([(0, 7)], [(0, 3), (2, 4)], [(3, 3)]):
        segments = [Segment(chain="stages", start=a, stop=b) for a, b in wrong]
        with pytest.raises(ConfigError, match="must follow one another within its 6 units"):
            Recomputed(net, segments)
    with pytest.raises(ConfigError, match="no sequence 'layers'"):
        Recomputed(net, [Segment(chain="layers", start=0, stop=1)])


def test_chains_are_the_outermost_sequences_with_their_units():
    found = chains(build("basic"))
    assert {name: len(units) for name, units in found.items()} == {"stem": 3, "stages": 6}
    assert [type(u).__name__ for u in chains(dense(4))["stages"]] == ["ResidualBlock"]
    assert chains(nn.Linear(1, 1)) == {}
