import pytest
import torch
from torch import nn

from residua.evaluate.evidence import AGAINST, FOR, LARGEST, evidence, overlay
from residua.nets.cifar import resnet


def test_its_mean_and_the_biases_are_the_difference_of_the_logits():
    net, x = resnet(8).eval(), torch.randn(4, 3, 32, 32)
    nn.init.normal_(net.head.bias)
    taken, label = torch.tensor([1, 5, 0, 9]), torch.tensor([3, 2, 1, 1])
    maps = evidence(net, x, taken, label)
    logits, row = net(x), torch.arange(4)
    biases = net.head.bias[taken] - net.head.bias[label]
    expected = logits[row, taken] - logits[row, label]
    assert torch.allclose(maps.mean(dim=(1, 2)) + biases, expected, atol=1e-4)


def test_there_is_none_where_no_map_is_exact():
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    one = torch.tensor([1])
    assert evidence(net, torch.randn(1, 1, 4, 4), one, one - 1) is None


def test_evidence_for_and_against_have_two_colours_and_none_is_clear():
    drawn = overlay(torch.tensor([[2.0, 0.0], [-1.0, 0.0]]), 2, 2)
    assert drawn.dtype is torch.uint8
    assert drawn[0, 0].tolist() == [*FOR, 153]
    assert drawn[1, 0, :3].tolist() == list(AGAINST)
    assert drawn[1, 0, 3] == pytest.approx(153 / 2, abs=1)
    assert drawn[:, 1, 3].tolist() == [0, 0]
    assert overlay(torch.zeros(2, 2), 4, 4)[..., 3].max() == 0


@pytest.mark.parametrize(
    ("picture", "size"),
    [((8, 8), (8, 8)), ((224, 224), (LARGEST, LARGEST)), ((300, 600), (LARGEST // 2, LARGEST))],
)
def test_an_overlay_is_small_and_has_the_proportions_of_the_picture(picture, size):
    assert overlay(torch.randn(3, 5), *picture).shape == (*size, 4)
