import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from residua.errors import ConfigError
from residua.nn.blocks import GatedBlock, HighwayBlock, PlainBlock, StochasticBlock, gate
from residua.nn.residuals import ORDERS
from residua.nn.unit import KERNELS, Connection, Unit

sizes = st.integers(1, 9)
CONNECTIONS = Connection.__args__


def unit(shortcut="A", **choices):
    return Unit(shortcut=shortcut, **choices)


@settings(deadline=None, max_examples=80)
@given(
    kernels=st.sampled_from([*KERNELS.values(), (1, 3), (3, 1), (3, 3, 3)]),
    shortcut=st.sampled_from(CONNECTIONS),
    order=st.sampled_from(ORDERS),
    stride=st.sampled_from([1, 2]),
    height=sizes,
    width=sizes,
)
def test_every_unit_halves_by_rounding_up(kernels, shortcut, order, stride, height, width):
    if "gating" in shortcut and order.endswith("preact"):
        return
    block = unit(shortcut, kernels=kernels, order=order).build(8, 16, stride).eval()
    y = block(torch.randn(2, 8, height, width))
    assert y.shape == (2, 16, -(-height // stride), -(-width // stride))


def test_the_output_is_the_relu_of_shortcut_and_residual():
    block = unit("B").build(4, 8, 2).eval()
    x = torch.randn(2, 4, 6, 6)
    assert torch.equal(block(x), (block.shortcut(x) + block.residual(x)).relu())


def gradient(block, x, dy):
    x = x.clone().requires_grad_()
    y = block(x)
    y.backward(dy)
    return y.detach(), x.grad


@pytest.mark.parametrize("kernels", KERNELS.values())
@pytest.mark.parametrize("training", [True, False])
def test_with_a_zero_last_convolution_a_pre_activation_unit_is_the_identity(kernels, training):
    block = unit(kernels=kernels, order="full_preact").build(8, 8).train(training)
    nn.init.zeros_(block.residual[-1].weight)
    x, dy = torch.randn(2, 8, 5, 5), torch.randn(2, 8, 5, 5)
    y, dx = gradient(block, x, dy)
    assert torch.equal(y, x)
    assert torch.equal(dx, dy)


@pytest.mark.parametrize("kernels", KERNELS.values())
@pytest.mark.parametrize("training", [True, False])
def test_with_a_zero_last_convolution_a_post_activation_unit_is_relu(kernels, training):
    block = unit(kernels=kernels).build(8, 8).train(training)
    nn.init.zeros_(block.residual[-2].weight)
    x, dy = torch.randn(2, 8, 5, 5), torch.randn(2, 8, 5, 5)
    y, dx = gradient(block, x, dy)
    assert torch.equal(y, x.relu())
    assert torch.equal(dx, dy * (x > 0))


def test_with_relu_before_addition_the_residual_is_never_negative():
    block = unit(order="relu_before_add").build(4, 4)
    assert block.residual(torch.randn(8, 4, 6, 6)).min() >= 0


def test_a_plain_block_has_the_layers_of_option_a_and_no_addition():
    plain, residual = unit("none").build(4, 8, 2), unit("A").build(4, 8, 2)
    assert isinstance(plain, PlainBlock)
    assert plain.state_dict().keys() == residual.state_dict().keys()
    x = torch.randn(2, 4, 6, 6)
    plain.eval()
    assert torch.equal(plain(x), plain.residual(x).relu())


@pytest.mark.parametrize("order", ORDERS)
def test_all_orders_have_the_same_components(order):
    counted = unit(order=order).build(16, 16)
    assert sum(p.numel() for p in counted.parameters()) == 2 * 9 * 16 * 16 + 2 * 2 * 16
    assert sum(isinstance(m, nn.ReLU) for m in counted.modules()) == 2


def test_weights_on_a_shortcut_see_the_activated_input():
    block = unit("B", order="full_preact").build(4, 8, 2).eval()
    x = torch.randn(2, 4, 6, 6)
    b = block.before(x)
    assert torch.equal(b, block.before.norm(x).relu())
    assert torch.equal(block(x), block.shortcut(b) + block.residual(b))
    assert [name for name, _ in block.shortcut.named_children()] == ["conv"]


def test_the_identity_sees_the_raw_input():
    block = unit("A", order="full_preact").build(4, 8, 2).eval()
    x = torch.randn(2, 4, 6, 6)
    assert torch.equal(block(x), block.shortcut(x) + block.residual(x))


@pytest.mark.parametrize("exclusive", [True, False])
def test_gates_weigh_the_shortcut_and_exclusive_ones_the_residual(exclusive):
    name = "exclusive_gating" if exclusive else "shortcut_only_gating"
    block = unit(name, gate_bias=-3.0).build(4, 4).eval()
    assert isinstance(block, GatedBlock)
    x = torch.randn(2, 4, 5, 5)
    g, f = block.gate(x), block.residual(x)
    assert torch.equal(block(x), ((1 - g) * x + (g * f if exclusive else f)).relu())
    assert torch.equal(block.gate.weights.bias, torch.full((4,), -3.0))


def test_constant_scaling_scales_both_sides():
    block = unit("constant_scaling", scales=(0.5, 0.25)).build(4, 4).eval()
    x = torch.randn(2, 4, 5, 5)
    f = nn.Sequential(*list(block.residual)[:-1])(x)
    assert torch.equal(block(x), (0.5 * x + 0.25 * f).relu())


def test_the_dropout_shortcut_drops_half_of_the_signal():
    block = unit("dropout").build(4, 4).train()
    dropped = block.shortcut(torch.ones(8, 4, 16, 16))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert torch.equal(block.eval().shortcut(torch.ones(1, 4, 2, 2)), torch.ones(1, 4, 2, 2))


def test_a_skipped_residual_is_not_computed_and_gets_no_gradient():
    block = unit().build(4, 4, survival=0.5).train()
    assert isinstance(block, StochasticBlock)
    calls = []
    block.residual.register_forward_hook(lambda *_: calls.append(1))
    x, results = torch.randn(2, 4, 5, 5), []
    torch.manual_seed(0)
    for _ in range(100):
        before = len(calls)
        block.zero_grad()
        y = block(x)
        y.sum().backward() if y.requires_grad else None
        skipped = len(calls) == before
        results.append(skipped)
        assert torch.equal(y, x.relu()) == skipped
        assert (block.residual.conv1.weight.grad is None) == skipped
    assert 30 < sum(results) < 70


def test_in_eval_mode_a_stochastic_residual_counts_by_its_survival():
    block = unit().build(4, 4, survival=0.5).eval()
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(block(x), (x + 0.5 * block.residual(x)).relu())


@pytest.mark.parametrize("survival", [0.0, -1.0, 1.5])
def test_a_survival_outside_its_range_is_refused(survival):
    with pytest.raises(ConfigError, match=r"survival must be in \(0, 1\]"):
        unit().build(4, 4, survival=survival)


@pytest.mark.parametrize("separate", [True, False])
def test_a_highway_block_mixes_by_its_gates(separate):
    carry = gate(nn.Linear(4, 4), 2.0) if separate else None
    block = HighwayBlock(residual=nn.Linear(4, 4), gate=gate(nn.Linear(4, 4), -2.0), carry=carry)
    x = torch.randn(3, 4)
    t = block.gate(x)
    c = block.carry(x) if separate else 1 - t
    assert torch.equal(block(x), block.residual(x) * t + x * c)


def test_any_module_can_be_the_shortcut():
    block = unit(lambda c, d, s: nn.Conv2d(c, d, 5, s, 2)).build(4, 8, 2)
    assert block(torch.randn(1, 4, 9, 9)).shape == (1, 8, 5, 5)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"order": "pre"}, "order must be one of post"),
        ({"shortcut": "D"}, "shortcut must be one of A, B, C"),
        ({"shortcut": "exclusive_gating", "order": "full_preact"}, "gates go with order 'post'"),
        ({"kernels": (1, 3, 1), "reduction": 4}, r"by 4: got 6 channels \(try 4 or 8\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(choices, message):
    with pytest.raises(ConfigError, match=message):
        Unit(**choices).build(6, 6)
