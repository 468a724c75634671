import dataclasses

import pytest
import torch

from residua.data.annotated import AnnotatedImages, ObjectTable
from residua.data.crops import ObjectCropsConfig, cut_out
from residua.data.objects import Objects
from residua.data.scenes import ScenesConfig
from residua.errors import ConfigError, DataError

SCENES = ScenesConfig(train=12, validation=0, test=1)
CONFIG = ObjectCropsConfig(data=SCENES, size=16, margin=0.0, background=1.0)


def one_picture(boxes, labels=None, **flags):
    """A black picture of 40x60 whose objects are white."""
    picture = torch.zeros(3, 40, 60, dtype=torch.uint8)
    for left, top, right, bottom in boxes:
        picture[:, top:bottom, left:right] = 255
    objects = Objects.of(boxes, labels or [1] * len(boxes), **flags)
    return AnnotatedImages([picture], ObjectTable.of([objects]), ("a", "b"), ("one",))


def test_an_object_fills_its_crop_and_a_free_place_has_none_of_it():
    found = cut_out(one_picture([(4, 4, 20, 20), (30, 10, 50, 30)], [1, 2]), CONFIG)
    assert found.classes == ("a", "b", "background")
    objects = found.images[found.labels < 2]
    assert found.labels[:2].tolist() == [0, 1]
    assert (objects.float().mean(dim=(1, 2, 3)) > 250).all()
    free = found.images[found.labels == 2].float().mean(dim=(1, 2, 3)) / 255
    assert 1 <= len(free) <= 2
    assert (free < 0.2).all()


def test_a_crop_at_the_border_is_moved_inside():
    config = dataclasses.replace(CONFIG, margin=1.0, background=0.0)
    found = cut_out(one_picture([(0, 0, 10, 10)]), config)
    share = found.images.float().mean() / 255
    assert share == pytest.approx(0.25, abs=0.02)


def test_difficult_objects_and_crowds_are_left_out():
    boxes = [(0, 0, 10, 10), (20, 20, 30, 30), (40, 0, 50, 10)]
    picture = one_picture(boxes, difficult_R=[True, False, False], crowd_R=[False, False, True])
    assert len(cut_out(picture, dataclasses.replace(CONFIG, background=0.0))) == 1


def test_at_most_so_many():
    boxes = [(x, y, x + 8, y + 8) for x in range(0, 50, 10) for y in range(0, 30, 10)]
    config = dataclasses.replace(CONFIG, most=5, background=0.0)
    assert len(cut_out(one_picture(boxes), config)) == 5


def test_the_parts_are_three_of_one_training_part_and_the_same_every_time():
    first, second = CONFIG.load(), CONFIG.load()
    counts = [len(part) for part in (first.train, first.validation, first.test)]
    total = sum(len(o) for o in map(SCENES.load().train.objects, range(12)))
    assert sum(counts) >= 1.5 * total
    assert counts[1] == counts[2] >= 1
    assert first.train.fingerprint() == second.train.fingerprint()


def test_nothing_to_cut_out_is_said():
    with pytest.raises(DataError, match="no objects to cut out"):
        cut_out(one_picture([]), CONFIG)


@pytest.mark.parametrize("change", [{"size": 4}, {"most": 0}, {"margin": -1}, {"holdout": 0.9}])
def test_settings_without_sense_are_refused(change):
    with pytest.raises(ConfigError, match=f"data.{next(iter(change))}"):
        dataclasses.replace(CONFIG, **change).load()
