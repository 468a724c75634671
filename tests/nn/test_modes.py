"""Evaluation for a while: every module of a net is in its own mode again after."""

import pytest
import torch
from torch import nn

from residua.nn.modes import evaluating


def half_frozen():
    net = nn.Sequential(nn.BatchNorm1d(2), nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2))).train()
    net[1].eval()
    return net


def modes(net):
    return [module.training for module in net.modules()]


def test_parts_that_stay_in_evaluation_stay_so():
    one, other = half_frozen(), nn.Dropout()
    with evaluating(one, other):
        assert not any(modes(one) + modes(other))
        assert torch.equal(other(torch.ones(9)), torch.ones(9))
    assert modes(one) == [True, True, False, False, False]
    assert modes(other) == [True]


def test_an_error_brings_the_modes_back_too():
    net = half_frozen()
    with pytest.raises(KeyError), evaluating(net):
        raise KeyError
    assert modes(net) == [True, True, False, False, False]
