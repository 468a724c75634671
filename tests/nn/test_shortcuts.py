import pytest
import torch
import torch.nn.functional as F
from torch import nn

from residua.errors import ConfigError
from residua.nn.shortcuts import FixedProjection, ZeroPad, shortcut


@pytest.mark.parametrize("option", ["A", "B"])
def test_options_a_and_b_keep_the_identity_where_the_shape_is_kept(option):
    assert isinstance(shortcut(option, 16, 16, 1), nn.Identity)


def test_option_c_projects_even_where_the_shape_is_kept():
    assert sum(p.numel() for p in shortcut("C", 16, 16, 1).parameters()) == 16 * 16 + 2 * 16


def test_option_a_subsamples_and_appends_zero_channels():
    x = torch.arange(2 * 3 * 4 * 4, dtype=torch.float32).reshape(2, 3, 4, 4)
    y = ZeroPad(3, 5, 2)(x)
    assert torch.equal(y[:, :3], x[:, :, ::2, ::2])
    assert torch.equal(y[:, 3:], torch.zeros(2, 2, 2, 2))


def test_option_a_has_no_parameters():
    assert list(shortcut("A", 16, 32, 2).parameters()) == []


def test_option_a_refuses_to_drop_channels():
    with pytest.raises(ConfigError, match="16 in and 8 out"):
        ZeroPad(16, 8, 1)


def test_an_unknown_option_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"one of A, B, C, .*got 'D'"):
        shortcut("D", 16, 32, 2)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_fixed_matrix_is_applied_everywhere_and_not_trained(stride):
    matrix = torch.randn(5, 3)
    h = FixedProjection(matrix, stride)
    x = torch.randn(2, 3, 4, 5)
    expected = torch.einsum("dc,nchw->ndhw", matrix, x[:, :, ::stride, ::stride])
    torch.testing.assert_close(h(x), expected)
    assert list(h.parameters()) == []
    assert torch.equal(h.state_dict()["matrix"], matrix)


def test_a_fixed_matrix_fits_fully_connected_layers_too():
    matrix = torch.randn(5, 3)
    x = torch.randn(2, 3)
    torch.testing.assert_close(FixedProjection(matrix)(x), x @ matrix.T)


def test_a_fixed_projection_must_be_a_matrix():
    with pytest.raises(ConfigError, match="P must be a matrix"):
        FixedProjection(torch.randn(3))


def test_the_slides_convolution_is_theirs_on_even_sizes_and_keeps_the_edge_of_odd_ones():
    h = shortcut("conv2x2", 3, 4, 2).eval()
    x = torch.randn(1, 3, 6, 6)
    assert torch.equal(h(x), h.norm(F.conv2d(x, h.conv.weight, stride=2)))
    assert h(torch.randn(1, 3, 7, 5)).shape == (1, 4, 4, 3)


def test_averaging_shortcuts_average_what_is_there():
    x = torch.ones(1, 2, 5, 5)
    assert torch.equal(shortcut("average_pad", 2, 3, 2)(x)[:, :2], torch.ones(1, 2, 3, 3))
