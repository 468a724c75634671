import copy

import pytest
import torch
from strangers import Auxiliary, Block, Deciding, Functional, half_residual, mlp, pictures, small
from torch import nn

import residua
from residua.errors import ConfigError, RunError, ShapeError
from residua.nets import cifar
from residua.nn.gated import gated_sums
from residua.surgery.residualize import greatest_change, propose, residualize


def spans(net, x, **options):
    return [(s.first, s.last, s.shortcut) for s in propose(net, x, **options).plan.spans]


def open_gates(net, to=1.0):
    with torch.no_grad():
        for each in gated_sums(net).values():
            each.gate.fill_(to)
    return net


def states_equal(one, two):
    return all(torch.equal(a, two[name]) for name, a in one.items())


def test_it_is_a_public_name():
    assert residua.residualize is residualize


def test_spans_are_two_layers_after_the_first_up_to_the_norm():
    assert spans(small(), pictures()) == [("3", "7", "identity"), ("9", "13", "B")]


def test_a_span_may_have_another_number_of_layers():
    assert spans(small(), pictures(), layers=1) == [
        ("3", "4", "identity"),
        ("6", "7", "identity"),
        ("9", "10", "B"),
        ("12", "13", "identity"),
    ]


def test_fully_connected_layers_are_bridged():
    assert spans(mlp(), pictures(4, 8)) == [("2", "4", "identity")]


def test_an_addition_is_left_alone_and_its_neighbours_are_not():
    found = propose(half_residual(), pictures())
    assert [(s.first, s.last) for s in found.plan.spans] == [("2", "4"), ("7", "9")]
    assert any("6.conv1 to 6.conv2" in line and "has an addition" in line for line in found.left)


@pytest.mark.parametrize("make", [small, half_residual, Functional, Auxiliary, Deciding])
@pytest.mark.parametrize("training", [True, False])
def test_output_and_net_are_what_they_were(make, training):
    net = make().train(training)
    before = copy.deepcopy(net.state_dict())
    new = residualize(net, pictures())
    assert new.training is net.training is training
    assert states_equal(before, net.state_dict())
    change, largest = greatest_change(net, new, pictures())
    assert change <= 1e-6
    assert largest > 1e-3
    assert all(each.gate.item() == 0 for each in gated_sums(new).values())


@pytest.mark.parametrize("make", [small, half_residual, Functional, Auxiliary, Deciding])
def test_training_and_evaluation_are_those_of_the_old_net(make):
    """Not frozen at what they were when the net was traced."""
    net = make()
    new = residualize(net.eval(), pictures())
    for training in (True, False, True):
        torch.manual_seed(3)
        expected = net.train(training)(pictures())
        torch.manual_seed(3)
        found = new.train(training)(pictures())
        for one, two in zip(
            *((e,) if torch.is_tensor(e) else e for e in (expected, found)), strict=True
        ):
            torch.testing.assert_close(two, one, rtol=0, atol=1e-6)
    assert set(net.state_dict()) <= set(new.state_dict()) or make is Deciding
    for name, buffer in net.named_buffers():
        if make is not Deciding:
            torch.testing.assert_close(dict(new.named_buffers())[name], buffer)


def test_nothing_of_the_functions_is_zeroed_or_shared():
    net = small()
    new = residualize(net, pictures())
    old = net.state_dict()
    assert states_equal(old, new.state_dict())
    assert not {p.data_ptr() for p in net.parameters()} & {p.data_ptr() for p in new.parameters()}


def test_open_gates_make_the_formula():
    net = small().eval()
    new = open_gates(residualize(net, pictures()), to=0.5)
    x = net[:3](pictures())
    x = net[8](net[3:8](x) + 0.5 * x)
    h = new.shortcuts["span2"].shortcut
    x = net[14](net[9:14](x) + 0.5 * h(x))
    torch.testing.assert_close(new(pictures()), net[15:](x))


def test_a_plain_net_becomes_its_residual_twin():
    """The same weights, option A and open gates: the outputs of ResNet-20."""
    twin = cifar.resnet(20, shortcut="A").eval()
    plain = cifar.resnet(20, shortcut="none").eval()
    plain.load_state_dict(twin.state_dict())
    x = pictures(2, 3, 16, 16)
    new = residualize(plain, x, shortcut="A")
    assert len(gated_sums(new)) == 9
    assert (plain(x) - twin(x)).abs().max() > 1e-3
    torch.testing.assert_close(open_gates(new)(x), twin(x))
    assert set(new.state_dict()) - set(plain.state_dict()) == {
        f"shortcuts.span{n}.gate" for n in range(1, 10)
    }


@pytest.mark.parametrize("make", [small, Functional, Auxiliary, Deciding])
def test_it_trains_and_the_gates_move(make):
    new = residualize(make(), pictures()).train()
    optimizer = torch.optim.SGD(residua.parameter_groups(new, weight_decay=0.1), lr=0.1)
    for _ in range(2):
        found = new(pictures())
        logits = found if torch.is_tensor(found) else found[0]
        optimizer.zero_grad()
        nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0])).backward()
        optimizer.step()
    for each in gated_sums(new).values():
        assert each.gate.item() != 0
        assert all(p.grad.abs().sum() > 0 for p in each.shortcut.parameters())


@pytest.mark.parametrize("make", [small, Functional])
def test_it_is_exported(make):
    new = open_gates(residualize(make(), pictures())).eval()
    batch = torch.export.Dim("batch", min=2)
    program = torch.export.export(new, (pictures(),), dynamic_shapes=(({0: batch},),))
    x = pictures(7, 1, 8, 8)
    torch.testing.assert_close(program.module()(x), new(x))


@pytest.mark.parametrize("make", [small, Functional])
def test_it_is_compiled(make):
    new = open_gates(residualize(make(), pictures())).eval()
    torch._dynamo.reset()
    compiled = torch.compile(new, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(pictures()), new(pictures()))


def test_it_is_copied_and_other_sizes_fit():
    new = open_gates(residualize(small(), pictures()))
    again = copy.deepcopy(new).eval()
    x = pictures(2, 1, 9, 11)
    torch.testing.assert_close(again(x), new.eval()(x))
    with torch.no_grad():
        again.get_parameter("shortcuts.span1.gate").fill_(9.0)
    assert not torch.allclose(again(x), new(x))


def test_the_hooks_of_the_net_stay():
    net = cifar.resnet(8, shortcut="none")
    new = residualize(net, pictures(2, 3, 8, 8))
    with pytest.raises(ShapeError, match="must have 3 channels"):
        new(pictures(2, 1, 8, 8))


def test_modes_of_parts_stay():
    net = small().train()
    net[4].eval()
    new = residualize(net, pictures())
    assert not new.get_submodule("4").training
    assert new.get_submodule("7").training
    assert not net[4].training


def test_around_modules_where_the_forward_decides():
    found = propose(Deciding(), pictures())
    assert found.plan.way == "modules"
    assert [(s.first, s.last, s.shortcut) for s in found.plan.spans] == [("body.0", "body.4", "B")]
    assert "strangers.py" in found.untraced
    assert "if x.abs().sum() > 1e9:" in found.untraced
    new = open_gates(residualize(Deciding(), pictures()))
    assert [name for name, _ in new.body.named_children()] == ["0", "5"]


def test_what_writes_over_x_is_respected():
    """The ReLU after x writes over it: the shortcut takes what the first layer takes, after it."""
    net = nn.Sequential(
        *(nn.Linear(8, 8), nn.ReLU(inplace=True), nn.Linear(8, 8), nn.ReLU(inplace=True)),
        *(nn.Linear(8, 8), nn.ReLU(inplace=True), nn.Linear(8, 3)),
    )
    new = open_gates(residualize(net, pictures(4, 8))).train()
    new(pictures(4, 8)).sum().backward()
    x = net[:2](pictures(4, 8))
    expected = net[5:](net[2:5](x) + x)
    torch.testing.assert_close(new(pictures(4, 8)), expected)


def test_gates_multiply_and_are_no_layers():
    class Excited(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(8, 8, 3, padding=1)
            self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
            self.less, self.more = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)

        def forward(self, x):
            x = self.conv1(x).relu()
            x = x * self.more(self.less(x.mean((2, 3), keepdim=True)).relu()).sigmoid()
            return self.conv2(x)

    net = nn.Sequential(nn.Conv2d(1, 8, 1), Excited(), nn.Conv2d(8, 3, 1))
    assert spans(net, pictures()) == [("1.conv1", "1.conv2", "identity")]


def test_nothing_to_bridge_says_why_of_each_part():
    with pytest.raises(ConfigError) as caught:
        residualize(nn.Sequential(nn.Conv2d(1, 4, 1), Block(4)), pictures())
    first, *lines = str(caught.value).splitlines()
    assert first == "Sequential: nothing can be bridged:"
    assert lines == [
        "  0 to 1.conv1 (1x8x8 to 4x8x8): has an addition already, 0/add",
        "  1.conv1 to 1.conv2 (4x8x8 to 4x8x8): has an addition already, 0/add",
    ]


def test_too_few_layers_are_said():
    with pytest.raises(ConfigError, match="2 weight layers between them"):
        residualize(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), pictures(2, 3))


def test_control_flow_that_leaves_nothing_names_its_line():
    net = Deciding()
    net.body = nn.Sequential(nn.Conv2d(4, 8, 1))
    with pytest.raises(ConfigError, match=r"strangers.py, line \d+, `if x.abs\(\).sum\(\) > 1e9:`"):
        residualize(net, pictures())


def test_an_example_that_does_not_fit_is_said():
    with pytest.raises(ShapeError, match="does not take the example of 2x3x8x8 in 0: "):
        residualize(small(), pictures(2, 3, 8, 8))
    with pytest.raises(ShapeError, match="images must be N, C, H, W"):
        residualize(cifar.resnet(8, shortcut="none"), pictures(3, 8, 8))


def test_option_a_cannot_drop_channels():
    net = nn.Sequential(
        *(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU()),
        *(nn.Conv2d(8, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)),
    )
    assert spans(net, pictures()) == [("2", "4", "B")]
    found = propose(net, pictures())
    assert found.rows[0].weights == 32
    by_zeros = propose(net, pictures(), shortcut="A")
    assert "option A cannot drop channels: 8 come in and 4 go out" in "".join(by_zeros.left)
    # With nothing better, the shortcut begins at the input of the net.
    assert [(s.first, s.last) for s in by_zeros.plan.spans] == [("0", "2")]


def test_a_forward_that_depends_on_more_than_its_input_is_refused():
    class Counting(nn.Module):
        calls = 0

        def __init__(self):
            super().__init__()
            self.layers = small()

        def forward(self, x):
            Counting.calls += 1
            return self.layers(x) * Counting.calls

    with pytest.raises(RunError, match="the output changed by"):
        residualize(Counting(), pictures())


def test_constants_and_parameters_of_the_net_itself_come_along():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor([2.0]))
            self.layers = mlp()

        def forward(self, x):
            return self.layers(x * self.scale + torch.arange(8.0))

    net = Own()
    new = residualize(net, pictures(4, 8))
    assert "scale" in dict(new.named_parameters())
    torch.testing.assert_close(new(pictures(4, 8)), net(pictures(4, 8)))


def test_several_inputs_and_arguments_with_usual_values():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = mlp()

        def forward(self, x, y, mask=None):
            x = x + y
            return self.layers(x if mask is None else x * mask)

    net = Two()
    inputs = pictures(4, 8), pictures(4, 8)
    torch.testing.assert_close(residualize(net, inputs)(*inputs), net(*inputs))


def test_seeds_draw_the_projections():
    nets = [residualize(small(), pictures(), seed=seed) for seed in (0, 0, 1)]
    one, two, other = (net.get_parameter("shortcuts.span2.shortcut.conv.weight") for net in nets)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    net = small()
    state = torch.random.get_rng_state()
    residualize(net, pictures())
    assert torch.equal(state, torch.random.get_rng_state())
