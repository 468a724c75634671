import copy

import pytest
import torch
from torch import nn

from residua.nets.cifar import resnet
from residua.nets.describe import layers, total_multiply_adds, total_parameters


def test_a_convolution_is_described_with_the_arithmetic_of_its_output_size():
    net = nn.Sequential(nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False))
    (row,) = layers(net, (3, 224, 224))
    assert (row.kind, row.input, row.output) == ("conv 7x7, 64, /2", (3, 224, 224), (64, 112, 112))
    assert row.arithmetic == "floor((224 + 2*3 - 1*(7 - 1) - 1) / 2) + 1 = 112"
    assert (row.parameters, row.multiply_adds) == (9_408, 118_013_952)


def test_dilation_enters_the_arithmetic():
    (row,) = layers(nn.Sequential(nn.Conv2d(1, 1, 3, dilation=4, padding=4)), (1, 10, 10))
    assert row.arithmetic == "floor((10 + 2*4 - 4*(3 - 1) - 1) / 1) + 1 = 10"


def test_the_last_row_holds_the_logits_and_shortcuts_have_their_role():
    rows = layers(resnet(8, shortcut="B"), (3, 32, 32))
    assert rows[-1].output == (10,)
    assert {row.role for row in rows} == {"main", "shortcut"}
    assert total_parameters(rows) == sum(p.numel() for p in resnet(8, shortcut="B").parameters())


def test_the_network_is_left_as_it_was():
    net = resnet(8).train()
    before = copy.deepcopy(net.state_dict())
    layers(net, (3, 32, 32))
    assert all(module.training and not module._forward_hooks for module in net.modules())
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


def test_a_module_that_runs_twice_has_its_parameters_counted_once():
    layer = nn.Linear(4, 4)
    rows = layers(nn.Sequential(layer, nn.ReLU(), layer), (4,))
    assert (total_parameters(rows), total_multiply_adds(rows)) == (20, 32)


class LooksAtItsNumbers(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        return self.linear(x) if float(x.sum()) == 0 else x


def test_a_module_that_needs_numbers_runs_on_zeros():
    assert layers(LooksAtItsNumbers(), (4,))[-1].output == (2,)


@pytest.mark.parametrize("shape", [(3, 32), (3, 32, 32, 1)])
def test_a_shape_of_wrong_rank_is_refused_with_a_sentence(shape):
    with pytest.raises(ValueError, match="images must be N, C, H, W"):
        layers(resnet(8), shape)
