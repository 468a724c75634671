import dataclasses

import pytest

from residua import recipes
from residua.errors import ConfigError
from residua.lab.activations import BASIC, BOTTLENECK, ORDERS, activations
from residua.lab.compared import compared
from residua.lab.equal import equal_widths, parameters
from residua.lab.ground import Length, ground
from residua.lab.shortcuts import TABLE_1, TABLE_3, shortcuts
from residua.nets.cifar import CifarConfig

# What the recipes of the same nets claim, which were written down for themselves.
RECIPES = {
    "a": "original110",
    "c": "conv_shortcut",
    "scaled_half": "constant_scaling_half",
    "scaled_halves": "constant_scaling",
    "exclusive_6": "exclusive_gating",
    "exclusive_7": "exclusive_gating_7",
    "gated_0": "shortcut_only_gating_0",
    "gated_6": "shortcut_only_gating",
    "dropout": "dropout_shortcut",
}


def claimed(recipe):
    claims = recipes.find_classifier(f"preact.{recipe}").claims
    return f"{claims[0].value:.2f}" if claims else "fail"


def test_shortcuts_are_the_nets_and_numbers_of_the_recipes():
    found = {s.experiment.name: s for s in shortcuts(ground("cifar10", "2016"), 110).settings}
    for slug, recipe in RECIPES.items():
        setting = found[f"cifar10.{slug}110"]
        assert setting.experiment.net == recipes.find_classifier(f"preact.{recipe}").net, slug
        assert setting.paper[TABLE_1] == claimed(recipe), slug
    named = {s.name[0]: s.paper[TABLE_3] for s in found.values() if TABLE_3 in s.paper}
    assert named == {"n": "28.54", "A": "25.03", "B": "24.52", "C": "24.19"}
    assert len({s.experiment.net for s in found.values()}) == len(found) == 12


@pytest.mark.parametrize(
    ("block", "column", "depth"), [("basic", BASIC, 110), ("bottleneck", BOTTLENECK, 164)]
)
def test_orders_are_the_nets_and_numbers_of_the_recipes(block, column, depth):
    settings = activations(ground("cifar10", "2016"), depth, block=block).settings
    called = {"post": "original", "full_preact": "preresnet"}
    for order, setting in zip(ORDERS, settings, strict=True):
        recipe = f"{called.get(order, order)}{depth}"
        assert setting.experiment.net == recipes.find_classifier(f"preact.{recipe}").net
        assert setting.paper[column] == claimed(recipe)


def test_settings_differ_in_nothing_but_the_net():
    plan = activations(ground("digits"), 8).plan(Length(updates=40, why=""), 2)
    net = plan[0].net
    alike = {dataclasses.replace(e, name="x", net=net, seed=0) for e in plan}
    assert len(plan) == 10
    assert len(alike) == 1
    assert plan[0].schedule.until == 40


def test_a_depth_that_no_net_has():
    with pytest.raises(ConfigError, match=r"9n\+2 for bottleneck"):
        activations(ground("digits"), 20 + 6, block="bottleneck")
    with pytest.raises(ConfigError, match=r"6n\+2 for basic"):
        shortcuts(ground("digits"), 21)


def test_a_comparison_is_trained_and_drawn(tmp_path):
    comparison = activations(ground("digits"), 8)
    length = Length(updates=2, why="two updates, to see that it runs")
    plan = [each.smoke() for each in comparison.plan(length, 1)]
    sweep = compared(comparison, plan, tmp_path, length)
    assert [len(entry.runs) for entry in sweep.entries] == [1] * 5
    assert not list(tmp_path.glob("*/*/report.html"))
    page = (tmp_path / "report.html").read_text()
    for words in ("full pre-activation", "BN after addition", "two updates", "6.37", BOTTLENECK):
        assert words in page


@pytest.mark.parametrize("depth", [8, 20, 56])
def test_gates_are_paid_for_in_channels(depth):
    twin = CifarConfig(depth=depth)
    gated = dataclasses.replace(twin, shortcut="exclusive_gating")
    assert parameters(gated) > 1.03 * parameters(twin)
    widths = equal_widths(twin, twin, {"depth": depth, "shortcut": "exclusive_gating"})
    equal = parameters(dataclasses.replace(gated, widths=widths))
    assert equal == pytest.approx(parameters(twin), rel=0.002)


def test_parameters_are_those_of_the_built_net():
    assert parameters(CifarConfig(depth=20)) == 269_722
