"""What holds for every depth, width and size that a family allows."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from residua.errors import ConfigError
from residua.nets.cifar import CifarConfig, blocks_per_stage
from residua.nets.convert import from_theirs, to_theirs
from residua.nets.describe import layers
from residua.nets.mnist import units_per_width
from residua.nets.wide import units_per_group


@given(st.integers(-50, 3000))
@pytest.mark.parametrize(
    ("solve", "step", "rest"),
    [
        (blocks_per_stage, 6, 2),
        (lambda depth: blocks_per_stage(depth, "bottleneck"), 9, 2),
        (lambda depth: blocks_per_stage(depth, "single"), 3, 2),
        (units_per_group, 6, 4),
        (units_per_width, 6, 10),
    ],
)
def test_a_depth_is_solved_or_answered_with_depths_that_are(solve, step, rest, depth):
    try:
        assert step * solve(depth) + rest == depth
    except ConfigError as error:
        advice = re.findall(r"\d+", str(error).partition("(try")[2])
        assert advice
        assert all(solve(int(known)) >= 0 for known in advice)


@settings(deadline=None, max_examples=25)
@given(
    block=st.sampled_from(["basic", "bottleneck", "single"]),
    units=st.integers(1, 3),
    height=st.integers(4, 40),
    width=st.integers(4, 40),
)
def test_stages_round_odd_sizes_up_and_depth_counts_the_main_path(block, units, height, width):
    per_unit = {"basic": 2, "bottleneck": 3, "single": 1}[block]
    depth = 3 * per_unit * units + 2
    with torch.device("meta"):
        net = CifarConfig(depth=depth, block=block, shortcut="B").build().eval()
        outputs = net.features(torch.empty(1, 3, height, width))
    sizes = [tuple(c.shape[2:]) for c in outputs.values()]
    halved = (-(-height // 2), -(-width // 2))
    assert sizes == [
        (height, width),
        (height, width),
        halved,
        (-(-halved[0] // 2), -(-halved[1] // 2)),
    ]
    rows = layers(net, (3, height, width))
    assert sum(row.role == "main" and row.multiply_adds > 0 for row in rows) == depth


@settings(deadline=None, max_examples=10)
@given(units=st.integers(1, 4), shortcut=st.sampled_from(["A", "B"]), seed=st.integers(0, 99))
def test_conversion_there_and_back_loses_nothing(units, shortcut, seed):
    torch.manual_seed(seed)
    net = CifarConfig(depth=6 * units + 2, shortcut=shortcut).build()
    state = net.state_dict()
    back = from_theirs(to_theirs(net, "akamaster"), net)
    assert all(torch.equal(back[name], value) for name, value in state.items())
