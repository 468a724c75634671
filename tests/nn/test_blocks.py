import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from residua.nn.blocks import PlainBlock, ResidualBlock, block

sizes = st.integers(1, 9)


@settings(deadline=None, max_examples=40)
@given(
    kind=st.sampled_from(["basic", "bottleneck"]),
    connection=st.sampled_from(["A", "B", "C", "none"]),
    stride=st.sampled_from([1, 2]),
    height=sizes,
    width=sizes,
)
def test_every_block_halves_by_rounding_up(kind, connection, stride, height, width):
    y = block(kind, connection, 8, 16, stride).eval()(torch.randn(2, 8, height, width))
    assert y.shape == (2, 16, -(-height // stride), -(-width // stride))


def test_the_output_is_the_relu_of_shortcut_and_residual():
    unit = block("basic", "B", 4, 8, 2).eval()
    x = torch.randn(2, 4, 6, 6)
    assert torch.equal(unit(x), (unit.shortcut(x) + unit.residual(x)).relu())


def test_with_a_zero_residual_the_block_is_relu():
    unit = block("basic", "A", 4, 4, 1)
    torch.nn.init.zeros_(unit.residual.norm2.weight)
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(unit(x), x.relu())


def test_a_plain_block_has_the_layers_of_option_a_and_no_addition():
    plain, residual = block("basic", "none", 4, 8, 2), block("basic", "A", 4, 8, 2)
    assert isinstance(plain, PlainBlock)
    assert isinstance(residual, ResidualBlock)
    assert plain.state_dict().keys() == residual.state_dict().keys()
    x = torch.randn(2, 4, 6, 6)
    plain.eval()
    assert torch.equal(plain(x), plain.residual(x).relu())


@pytest.mark.parametrize(("kind", "convolutions"), [("basic", 2), ("bottleneck", 3)])
def test_a_block_has_as_many_convolutions_as_the_paper_draws(kind, convolutions):
    weights = [p for p in block(kind, "A", 8, 8, 1).parameters() if p.ndim == 4]
    assert len(weights) == convolutions
