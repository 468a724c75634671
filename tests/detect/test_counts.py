"""The layers of a detector: what they are, and what they cost in all."""

import pytest
import torch
from tiny import config

from residua.detect.describe import PARTS, describe, part_of

# 96 x 128 pixels have 6 x 8 places with 9 anchors each; 64 channels there, 128 in the head's end.
SHAPE = (3, 96, 128)


def test_what_runs_for_a_region_costs_as_often_as_there_are_regions():
    found = describe(config().build(), SHAPE)
    assert (found.anchors, found.regions) == (6 * 8 * 9, 20)
    rows = {row.name: row for row in found.layers}
    assert rows["rpn.conv"].multiply_adds == 6 * 8 * 9 * 64 * 128
    assert rows["predict.classes"].multiply_adds == 20 * 128 * 4
    assert rows["predict.boxes"].multiply_adds == 20 * 128 * 16
    assert rows["head.c5.0.residual.conv1"].multiply_adds == 20 * 2 * 2 * 9 * 64 * 128
    assert rows["pool"].kind == "RoI max, 4x4"
    assert rows["pool"].output == (64, 4, 4)


def test_parts_add_up_to_all_parameters_in_the_order_of_the_net():
    net = config(trunk=config().trunk).build()
    found = describe(net, SHAPE)
    counted = {part: found.parameters(part) for part in PARTS}
    held = {
        part: sum(p.numel() for p in getattr(net, part).parameters())
        + sum(
            buffer.numel()
            for name, buffer in getattr(net, part).named_buffers()
            if name.endswith(("weight", "bias"))
        )
        for part in PARTS
    }
    assert counted == held
    parts = [part_of(row.name) for row in found.layers]
    assert list(dict.fromkeys(parts)) == list(PARTS)


def test_there_are_no_more_regions_than_anchors_or_boxes_that_come_in():
    assert describe(config(rpn={"test_pre": 8}).build(), SHAPE).regions == 8
    few = describe(config(rpn={"test_pre": 900, "test_post": 500}).build(), SHAPE)
    assert few.regions == 6 * 8 * 9


def test_context_looks_at_the_whole_picture_too():
    found = describe(config(context=True).build(), SHAPE)
    rows = {row.name: row for row in found.layers}
    assert rows["head.c5.0.residual.conv1"].multiply_adds == 21 * 2 * 2 * 9 * 64 * 128
    assert rows["predict.classes"].multiply_adds == 20 * 256 * 4


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_net_stays_as_it_is(device):
    with torch.device(device):
        net = config().build().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    describe(net, SHAPE)
    assert net.training
    assert net.state_dict().keys() == before.keys()
    if device == "cpu":
        assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
