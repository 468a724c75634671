import pytest
import torch

from residua.errors import ConfigError
from residua.nets.cifar import CifarConfig, resnet

# Parameters by depth: arXiv:1512.03385 table 6 prints them rounded; these are exact.
COUNTS = {20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962, 1202: 19_421_274}


@pytest.mark.parametrize(("depth", "parameters"), COUNTS.items())
@pytest.mark.parametrize("shortcut", ["A", "none"])
def test_parameters_are_the_papers(depth, parameters, shortcut):
    with torch.device("meta"):
        net = resnet(depth, shortcut=shortcut)
    assert sum(p.numel() for p in net.parameters()) == parameters


def test_stage_outputs_halve_twice():
    outputs = resnet(8).eval().features(torch.randn(1, 3, 32, 32))
    assert {name: tuple(c.shape[1:]) for name, c in outputs.items()} == {
        "C1": (16, 32, 32),
        "C2": (16, 32, 32),
        "C3": (32, 16, 16),
        "C4": (64, 8, 8),
    }


@pytest.mark.parametrize(
    ("depth", "advice"), [(21, "try 20 or 26"), (2, "try 8"), (-4, "try 8"), (9, "try 8 or 14")]
)
def test_a_depth_that_does_not_fit_is_answered_with_the_nearest(depth, advice):
    with pytest.raises(ConfigError, match=advice):
        resnet(depth)


def test_the_settings_have_the_arguments_of_the_function():
    net = CifarConfig(depth=8, shortcut="B", in_channels=1, num_classes=7).build()
    assert net.stem.conv.in_channels == 1
    assert net.head.out_features == 7


@pytest.mark.parametrize("size", [8, 28, 31])
def test_other_picture_sizes_fit(size):
    assert resnet(8, in_channels=1).eval()(torch.randn(2, 1, size, size)).shape == (2, 10)


def test_weights_start_with_the_variance_of_he_initialization():
    torch.manual_seed(0)
    weight = resnet(56).stages[2][4].residual.conv1.weight
    assert weight.var().item() == pytest.approx(2 / (9 * 64), rel=0.05)
