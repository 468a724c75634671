import dataclasses

import pytest
import torch
from strangers import Auxiliary, Deciding, mlp, pictures, small

from residua.errors import ConfigError
from residua.nn.gated import gated_sums
from residua.surgery import plan as plans
from residua.surgery.plan import Plan, Span
from residua.surgery.residualize import describe, greatest_change, propose, residualize

TEXT = """
net: Sequential
way: graph
example: [[4, 1, 8, 8]]
layers: 2
norm: true
anneal: 0
spans:
- {name: span1, first: '3', last: '7', shortcut: identity}
- {name: mine, first: '9', last: '13', shortcut: conv2x2}
"""


@pytest.mark.parametrize("make", [small, Auxiliary, Deciding])
def test_a_plan_is_read_as_it_was_written(make):
    found = propose(make(), pictures(), anneal=7)
    text = plans.write(found.plan, found.left)
    assert plans.read(text) == found.plan
    assert text.count("\n- {name: span") == len(found.rows)
    for line in found.left:
        assert f"#   {line}\n" in text


def test_an_edited_plan_is_what_is_done():
    net = small()
    new = residualize(net, pictures(), plan=plans.read(TEXT))
    assert list(gated_sums(new)) == ["shortcuts.span1", "shortcuts.mine"]
    assert new.get_parameter("shortcuts.mine.shortcut.conv.weight").shape == (8, 4, 2, 2)
    assert greatest_change(net, new, pictures())[0] == 0
    rows = describe(net, pictures(), plans.read(TEXT))
    assert [(row.x, row.f, row.weights) for row in rows] == [
        ((4, 4, 8, 8), (4, 4, 8, 8), 0),
        ((4, 4, 8, 8), (4, 8, 4, 4), 128),
    ]


def test_spans_may_follow_one_another_without_a_layer_between():
    text = TEXT.replace("first: '9'", "first: '8'")
    net = small().eval()
    with pytest.raises(ConfigError, match="mine: 8 writes over x"):
        residualize(net, pictures(), plan=plans.read(text))
    net[8].inplace = False
    new = residualize(net, pictures(), plan=plans.read(text))
    for each in gated_sums(new).values():
        torch.nn.init.constant_(each.gate, 1.0)
    x = net[:3](pictures())
    x = net[3:8](x) + x
    x = net[8:14](x) + new.shortcuts["mine"].shortcut(x)
    torch.testing.assert_close(new(pictures()), net[14:](x))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("last: '7'", "last: '77'", r"span1: the net has no 77"),
        ("first: '9'", "first: '14'", r"mine: .* 13 does not depend on what 14 takes"),
        ("last: '7'", "last: '13'", r"two spans end at 13"),
        ("shortcut: conv2x2", "shortcut: identity", r"identity needs equal shapes: x is 4x8x8"),
        ("shortcut: conv2x2", "shortcut: C", r"input should be 'identity', 'A', 'B' or 'conv2x2'"),
        ("last: '13'", "last: '16'", r"mine: 15 pools to a fixed size"),
        ("net: Sequential", "net: VGG", r"it is for a VGG, the net is a Sequential"),
        ("name: mine", "name: span1", r"two spans are called 'span1'"),
        ("name: mine", "name: a.b", r"must be letters, digits and underscores, got 'a.b'"),
        ("layers: 2", "layers: two", r"layers: input should be a valid integer"),
        ("layers: 2", "layers: 0", r"layers must be at least 1"),
        ("norm: true", "norms: true", r"norms: no such setting \(did you mean norm"),
        ("spans:", "spans: [", r"not readable as YAML"),
        ("first: '9'", "first: input.input", r"takes nothing that could be added"),
    ],
)
def test_nonsense_is_answered_by_a_sentence(old, new, sentence):
    assert old in TEXT
    with pytest.raises(ConfigError, match=sentence):
        residualize(small(), pictures(), plan=plans.read(TEXT.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [("last: '13'", "last: '10'"), ("way: graph", "way: modules"), ("first: '3'", "first: '1'")],
)
def test_other_values_and_other_means_are_no_nonsense(old, new):
    net = small()
    made = residualize(net, pictures(), plan=plans.read(TEXT.replace(old, new)))
    assert len(gated_sums(made)) == 2
    assert greatest_change(net, made, pictures())[0] <= 1e-6


def test_a_plan_without_spans_is_refused():
    plan = Plan(net="Sequential", way="graph", example=((4, 8),), spans=())
    with pytest.raises(ConfigError, match="nothing would be added"):
        residualize(mlp(), pictures(4, 8), plan=plan)


def test_modules_that_are_in_no_sequence_are_refused():
    span = Span(name="one", first="stem", last="head", shortcut="B")
    plan = propose(Deciding(), pictures()).plan
    with pytest.raises(ConfigError, match=r"head does not follow stem in one nn\.Sequential"):
        residualize(Deciding(), pictures(), plan=dataclasses.replace(plan, spans=(span,)))
    with pytest.raises(ConfigError, match=r"way is graph, but .*strangers.py"):
        residualize(Deciding(), pictures(), plan=dataclasses.replace(plan, way="graph"))


def test_a_value_that_training_and_evaluation_do_not_share_is_refused():
    plan = propose(Auxiliary(), pictures()).plan
    span = Span(name="one", first="aux", last="aux", shortcut="B")
    with pytest.raises(ConfigError, match="the net has no aux"):
        residualize(Auxiliary(), pictures(), plan=dataclasses.replace(plan, spans=(span,)))
