import dataclasses
import itertools

import numpy as np
import pytest
import torch

from residua.config import decode, digest, encode
from residua.data.clutter import enlarge, extent
from residua.data.scene_painter import TOGETHER, Plan, paint
from residua.data.scenes import ScenesConfig
from residua.data.sets import DigitsConfig
from residua.data.voc import VocConfig
from residua.data.voc_tree import write_voc
from residua.errors import ConfigError

SMALL = ScenesConfig(train=60, validation=10, test=20)
PLAN = Plan(size=(96, 128), digits=(1, 4), sides=(20, 40), clutter=(0, 0), seed=3, part="x")


def parts(splits):
    return splits.train, splits.validation, splits.test


def test_scenes_have_the_sizes_numbers_and_classes_asked_for():
    splits = SMALL.load()
    assert [len(part) for part in parts(splits)] == [60, 10, 20]
    assert splits.train.classes == tuple("0123456789")
    assert set(splits.train.sizes) == {(160, 192)}
    counts = [len(splits.train.objects(index)) for index in range(60)]
    assert min(counts) >= 1
    assert max(counts) <= 6
    assert len(set(counts)) > 3
    assert splits.train.table.held.labels_R.unique().tolist() == list(range(1, 11))


def test_boxes_lie_inside_and_are_about_as_large_as_asked_for():
    splits = SMALL.load()
    for part in parts(splits):
        boxes = part.table.held.boxes_R4
        assert boxes.min() >= 0
        assert (boxes[:, 2] <= 192).all()
        assert (boxes[:, 3] <= 160).all()
        high = boxes[:, 3] - boxes[:, 1]
        assert high.min() >= 15
        assert high.max() <= 64


def test_no_digit_covers_much_of_another():
    train = SMALL.load().train
    for index in range(len(train)):
        for one, other in itertools.combinations(train.objects(index).boxes_R4, 2):
            shared = torch.minimum(one[2:], other[2:]) - torch.maximum(one[:2], other[:2])
            smaller = min((box[2:] - box[:2]).prod() for box in (one, other))
            assert shared.clamp_min(0).prod() <= 0.12 * smaller


def test_the_same_settings_give_the_same_bytes_everywhere():
    # Whole numbers alone are computed, so this holds on every machine.
    assert SMALL.load().train.fingerprint() == "dc2add2b7fa5"
    other = dataclasses.replace(SMALL, seed=1).load()
    assert other.train.fingerprint() != SMALL.load().train.fingerprint()


def test_more_scenes_begin_with_those_of_fewer():
    more = dataclasses.replace(SMALL, train=60 + TOGETHER).load().train
    few = SMALL.load().train
    assert torch.equal(more.picture(59), few.picture(59))
    assert torch.equal(more.objects(59).boxes_R4, few.objects(59).boxes_R4)


def test_each_part_is_drawn_from_its_own_digits():
    """A set of digits that are all blank leaves nothing to see: so the pictures come from it."""
    digits = DigitsConfig().load()
    blank = dataclasses.replace(digits.test, images=torch.zeros_like(digits.test.images))
    scenes, table = paint(PLAN, blank, 5)
    assert (table.held.area_R == 0).all()
    assert scenes.max() < 150
    scenes, table = paint(PLAN, digits.test, 5)
    assert (table.held.area_R > 0).all()
    assert scenes.max() > 150


def test_a_digit_is_found_where_its_box_is():
    """One digit on each ground: inside the box it is the digit enlarged, by correlation."""
    digits = DigitsConfig().load().test
    plan = dataclasses.replace(PLAN, digits=(1, 1))
    scenes, table = paint(plan, digits, 30)
    patterns = digits.images[:, 0].numpy()
    for index in range(30):
        (box,) = table[index].boxes_R4.long().tolist()
        left, top, right, bottom = box
        seen = scenes[index].float().mean(0)[top:bottom, left:right].flatten()
        label = int(table[index].labels_R) - 1
        members = np.flatnonzero(digits.labels.numpy() == label)
        best = 0.0
        for high in (bottom - top, bottom - top + 2):
            size = np.array([[high, round(high * 0.88)]] * len(members))
            drawn = enlarge(patterns[members], size, (60, 60))
            for one, (x0, y0, x1, y1) in zip(drawn, extent(drawn), strict=True):
                part = torch.tensor(one[y0:y1, x0:x1]).float()[None, None]
                fitted = torch.nn.functional.interpolate(part, (bottom - top, right - left))
                together = torch.stack([fitted.flatten(), seen])
                best = max(best, float(torch.corrcoef(together)[0, 1]))
        assert best > 0.8


def test_scenes_written_as_a_tree_are_read_as_they_were(tmp_path):
    splits = dataclasses.replace(SMALL, train=5, validation=2, test=3).load()
    read = VocConfig(path=str(write_voc(splits, tmp_path / "voc")), pixels="voc").load()
    for before, after in zip(parts(splits), parts(read), strict=True):
        assert after.names == before.names
        assert all(torch.equal(after.picture(i), before.picture(i)) for i in range(len(before)))
        assert torch.equal(after.table.held.boxes_R4, before.table.held.boxes_R4)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"train": 0}, "must be at least 1"),
        ({"digits": (0, 3)}, r"data.digits must be two numbers from 1 on.*got 0 and 3"),
        ({"sides": (40, 20)}, r"data.sides must be two numbers from 8 on.*got 40 and 20"),
        ({"sides": (20, 200)}, r"allows digits of 200 pixels, but a scene has 160x192"),
        ({"clutter": (-1, 2)}, r"data.clutter must be two numbers from 0 on"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, said):
    with pytest.raises(ConfigError, match=said):
        dataclasses.replace(SMALL, **wrong).load()


@pytest.mark.parametrize("config", [SMALL, VocConfig(path="x")])
def test_settings_go_through_a_file(config):
    again = decode(type(config), encode(config))
    assert again == config
    assert digest(again) == digest(config)
