import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from residua import runtime
from residua.errors import ConfigError
from residua.nn.gated import GatedSum
from residua.surgery.bridge import bridge, suited


def built(found, **options):
    return found.build(norm=False, generator=runtime.generator(0, "test"), **options)


def test_the_identity_where_shapes_agree():
    assert suited("B", (2, 4, 8, 8), (2, 4, 8, 8)) == "identity"
    assert suited("A", (2, 4, 8, 8), (2, 4, 8, 7)) == "A"
    found = bridge("identity", (2, 4, 8, 8), (2, 4, 8, 8))
    assert (found.weights, found.crop, found.stride) == (0, False, 1)
    assert isinstance(built(found), nn.Identity)


@pytest.mark.parametrize(("kind", "weights"), [("A", 0), ("B", 4 * 6), ("conv2x2", 4 * 4 * 6)])
def test_shortcuts_across_a_stride(kind, weights):
    found = bridge(kind, (2, 4, 9, 8), (2, 6, 5, 4), stride=2)
    assert (found.weights, found.stride) == (weights, 2)
    module = built(found)
    assert sum(p.numel() for p in module.parameters()) == weights
    assert module(torch.zeros(2, 4, 9, 8)).shape == (2, 6, 5, 4)


def test_option_a_subsamples_and_pads():
    x = torch.arange(8.0).view(1, 1, 2, 4)
    y = built(bridge("A", (1, 1, 2, 4), (1, 2, 1, 2), stride=2))(x)
    assert y.tolist() == [[[[0.0, 2.0]], [[0.0, 0.0]]]]


def test_vectors_are_padded_and_projected():
    x = torch.tensor([[1.0, 2.0]])
    assert built(bridge("A", (1, 2), (1, 4)))(x).tolist() == [[1.0, 2.0, 0.0, 0.0]]
    found = bridge("B", (1, 2), (1, 4))
    assert found.weights == 8
    module = built(found)
    torch.testing.assert_close(module(x), x @ module.linear.weight.T)
    tokens = bridge("B", (1, 5, 2), (1, 5, 4), vectors=True)
    assert built(tokens)(torch.zeros(1, 5, 2)).shape == (1, 5, 4)


@pytest.mark.parametrize(
    ("kind", "x", "f", "sentence"),
    [
        ("identity", (2, 4, 8, 8), (2, 6, 8, 8), "x is 4x8x8, F.x. is 6x8x8"),
        ("A", (2, 4, 8, 8), (2, 3, 8, 8), "4 come in and 3 go out"),
        ("A", (2, 4), (2, 3), "4 come in and 3 go out"),
        ("B", (2, 4, 8, 8), (2, 3), "x has 4 dimensions and F.x. has 2"),
        ("B", (2, 4, 8, 8), (2, 4, 1, 1), "from 8x8 to 1x1 pixels"),
        ("B", (2, 4, 8, 8), (2, 4, 16, 16), "from 8x8 to 16x16 pixels"),
        ("B", (2, 4, 8), (2, 6, 8), "is for N, C, H, W or vectors, x is 4x8"),
        ("B", (2, 4, 8), (3, 4, 6), "is for N, C, H, W or vectors"),
    ],
)
def test_what_no_shortcut_bridges_is_said(kind, x, f, sentence):
    with pytest.raises(ConfigError, match=sentence):
        bridge(kind, x, f)


@given(
    height=st.integers(5, 24),
    width=st.integers(5, 24),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    kind=st.sampled_from(["A", "B", "conv2x2"]),
)
def test_every_convolution_can_be_bridged(height, width, kernel, stride, padding, kind):
    """As long as it loses fewer than half of the pixels beside its stride, and gains none."""
    assume(2 * padding <= kernel - 1)
    conv = nn.Conv2d(2, 3, kernel, stride, padding)
    x = torch.zeros(1, 2, height, width)
    f = conv(x)
    kept = [-(-size // stride) for size in (height, width)]
    assume(all(2 * got > size for got, size in zip(f.shape[2:], kept, strict=True)))
    found = bridge(kind, tuple(x.shape), tuple(f.shape), stride=stride)
    assert found.stride == stride
    added = GatedSum(built(found), crop=found.crop)
    assert added(x, f).shape == f.shape


def test_weights_are_drawn_as_those_of_convolutions():
    generator = runtime.generator(0, "test")
    module = bridge("B", (1, 200, 8, 8), (1, 400, 8, 8)).build(norm=True, generator=generator)
    assert abs(module.conv.weight.std().item() - (2 / 200) ** 0.5) < 1e-3
    assert isinstance(module.norm, nn.BatchNorm2d)
