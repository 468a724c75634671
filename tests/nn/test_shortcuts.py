import pytest
import torch
from torch import nn

from residua.errors import ConfigError
from residua.nn.shortcuts import ZeroPad, shortcut


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
    with pytest.raises(ConfigError, match="one of A, B, C, got 'D'"):
        shortcut("D", 16, 32, 2)
