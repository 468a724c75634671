"""The page of a run with a detector."""

import json
import re
from dataclasses import replace

import pytest
import torch

from detector_record import START, epochs, found_on, record, result, some_scenes
from residua import plots, recipes, report
from residua.config import encode
from residua.detect.found import Found
from residua.detect.testing import TestingConfig
from residua.experiment import Claim
from residua.report import detection_run
from residua.report.manner import manner
from test_report import read


@pytest.fixture(scope="module")
def scenes():
    return some_scenes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory, scenes):
    """The page of a run that came to its end, and what it recorded."""
    ended = result(found_on(scenes), scenes)
    folder = record(tmp_path_factory.mktemp("whole"), *epochs(200, 400), ended)
    return report.write(folder).read_text(), ended


def test_the_headline_is_the_test_map_and_the_facts_say_what_it_is_of(whole):
    page, ended = whole
    text = read(page)
    assert f"test mAP@.5 {ended['test_map']:.1f} % (6 images, seed 3)" in text
    assert "with the weights of iteration 400, the last." in text
    assert "12 to learn from, 4 to choose with, 6 to test on" in text
    assert "40 to learn from, 13 to choose with, 21 to test on" in text
    assert "6 at every place: 40, 70 and 110 pixels, each with height by width 1 and 1.5" in text
    assert "RoIAlign to 8x8 of 60 regions an image" in text
    assert "5 min 12 s for 400 iterations of 8 images" in text
    assert "3.2 images/s (median)" in text
    assert f"{ended['map_11point']:.1f} % by 11 points" in text
    assert "How it was tested: NMS at an IoU of 0.3, scores" in text


def test_detections_misses_and_false_alarms_are_pictures(whole):
    page, ended = whole
    assert page.count('class="boxes"') == len(ended["found"]["drawn"]) > 0
    assert "missed: " in page
    assert "background" in page
    assert not re.search(r"""(src|href)=["']https?:""", page)
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_layers_tell_what_runs_for_every_region(whole):
    assert "head and predict run for each of 60 regions" in read(whole[0])
    assert "3,771 parameters" in read(whole[0])


def test_the_plan_says_what_is_unusual(whole):
    text = read(whole[0])
    assert "the shorter side resized to 288 pixels, or the longer to 384" in text
    assert "the trunk is trained first, as detection.scenes_trunk" in text
    assert "no image mirrored" in text


def test_a_run_that_stopped_says_so_and_how_to_go_on(tmp_path):
    stop = {"kind": "stop", "time": 1010.0, "reason": "interrupted after iteration 120 of 400"}
    page = report.write(record(tmp_path, *epochs(40, 120), stop)).read_text()
    text = read(page)
    assert "no test mAP (iteration 120 of 400, seed 3)" in text
    assert "interrupted after iteration 120 of 400" in text
    assert f"residua train --resume {tmp_path}" in text
    assert "Every rule" not in text
    assert "residua predict" not in text


def test_a_run_that_stopped_before_its_first_epoch_has_nothing_to_draw(tmp_path):
    page = report.write(record(tmp_path)).read_text()
    assert "No epoch came to its end" in read(page)


def test_a_run_without_validation_pictures_shows_its_test_alone(tmp_path, scenes):
    folder = record(
        tmp_path,
        *epochs(200, 400, validated=False),
        result(found_on(scenes), scenes, validation_map=None),
        sizes=[12, 0, 6],
        objects=[40, 0, 21],
    )
    text = read(report.write(folder).read_text())
    assert "12 to learn from, none to choose with" in text
    assert "There are no validation images. The diamond is the test at IoU 0.5" in text
    assert "validation mAP" not in text.replace("chosen by the largest validation mAP", "")


def nothing(count):
    empty = Found(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
    return [empty] * count


def test_a_detector_that_found_nothing_missed_everything(tmp_path, scenes):
    page = report.write(record(tmp_path, *epochs(400), result(nothing(6), scenes))).read_text()
    assert "test mAP@.5 0.0 %" in read(page)
    assert "0 found" in page


def test_pictures_without_objects_have_no_map(tmp_path, scenes):
    bare = replace(scenes, table=type(scenes.table).of([scenes.objects(0).none()] * len(scenes)))
    page = report.write(record(tmp_path, *epochs(400), result(nothing(6), bare))).read_text()
    assert "no objects to test on (6 images, seed 3)" in read(page)
    assert "the same test by other rules" not in read(page)


def test_many_classes_with_long_names_are_all_in_the_table(tmp_path, scenes):
    names = tuple(f"<b>{'pneumonoultramicroscopic' * 3} {i}</b>" for i in range(80))
    many = replace(scenes, classes=names)
    page = report.write(
        record(tmp_path, *epochs(400), result(found_on(many), many), classes=list(names))
    ).read_text()
    assert "<b>pneu" not in page
    text = read(page)
    assert all(f"{i}</b>" in text for i in (0, 40, 79))


def test_later_tests_are_told_with_how_they_were_made(tmp_path, scenes):
    folder = record(tmp_path, *epochs(400), result(nothing(6), scenes))
    testing = TestingConfig(refine=True, vote=True, scales=(600, 400), nms=0.4)
    test = {
        "kind": "evaluation",
        "images": "../VOC",
        "weights": "last",
        "count": 7,
        "protocol": testing.protocol,
        "map_area": 71.26,
        "map_11point": None,
        "coco_ap": 44.04,
        "coco_ap50": 70.9,
    }
    (folder / "evaluations.jsonl").write_text(f"{json.dumps(test)}\n")
    text = read(report.write(folder).read_text())
    assert "../VOC 7 last NMS at an IoU of 0.4, box refinement, box voting from an IoU of" in text
    assert "shorter sides 400, 600 where they are nearest to 224 pixels" in text
    assert "71.3 - 44.0 70.9" in text


def test_claims_are_compared_with_the_result(tmp_path, scenes):
    made = [
        Claim(metric=metric, value=50.0, unit="percent", statistic="single run", source="a paper")
        for metric in ("map_11point", "map_area", "coco_ap", "coco_ap50")
    ]
    experiment = replace(recipes.find("detection.scenes"), claims=tuple(made))
    ended = result(found_on(scenes), scenes)
    folder = record(tmp_path, *epochs(400), ended, experiment=experiment)
    text = read(report.write(folder).read_text())
    for metric in ("map_11point", "map_area", "coco_ap", "coco_ap50"):
        told = f"50.00 {ended[metric]:.2f} {ended[metric] - 50:+.2f} percent single run"
        assert f"{metric.replace('_', ' ')} {told}" in text
    assert "mAP at IoU 0.5 by 11 points, without difficult objects" in text
    stopped = report.write(record(tmp_path / "stopped", *epochs(40), experiment=experiment))
    assert "map area 50.00 not measured" in read(stopped.read_text())


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("detection.scenes", ["trained first, as detection.scenes_trunk", "2 epochs apart"]),
        ("detection.voc07_resnet101", ["weights of torchvision", "longer than 10 are scaled"]),
        ("detection.coco_resnet101", ["alternating training", "batches of 8, 16, 8, 16 images"]),
    ],
)
def test_what_is_unusual_in_a_detectors_training_is_told(name, sentences):
    told = "; ".join(manner(encode(recipes.find(name))))
    assert all(sentence in told for sentence in sentences), told
    assert "batch norm sees" not in told


def test_statistics_of_plain_pictures_are_told():
    settings = encode(recipes.find("detection.scenes"))
    assert "not augmented" not in "; ".join(manner(settings))
    told = "; ".join(manner(settings | {"trunk_statistics": "plain"}))
    assert "its normalization averaged over pictures that are not augmented" in told


def test_rates_of_another_batch_are_said_to_be_in_proportion():
    joint = replace(recipes.find("detection.voc07_vgg16"), batch_size=1)
    assert "rates are 0.5 times those given for batches of 2" in "; ".join(manner(encode(joint)))


def test_images_of_alternating_training_are_those_of_all_steps(tmp_path):
    experiment = recipes.find("detection.coco_resnet101")
    folder = record(tmp_path, *epochs(40), experiment=experiment, sizes=[80_000, 4, 6])
    # Each step has 320,000 updates, two of 8 and two of 16 pictures.
    assert f"{320_000 * 48 / 80_000:,.1f} epochs of 80,000 images" in read(
        report.write(folder).read_text()
    )


def test_the_frozen_parts_and_the_pooling_are_named():
    net = encode(recipes.find("detection.voc07_resnet101").net)
    words = detection_run.network(net, 300)
    assert words[1:] == [
        "RoI max pooling of 300 regions an image",
        "frozen: the first 2 stages and batch normalization",
    ]
    assert detection_run.network(net | {"freeze": 1, "freeze_norm": False, "context": True})[
        2:
    ] == [
        "every region beside the whole image (global context)",
        "frozen: the stem",
    ]
    assert detection_run.anchors(START["anchors"] | {"convention": "torchvision"})[1].endswith(
        "placed as torchvision does"
    )


def test_terms_that_a_step_does_not_have_leave_a_gap():
    one = plots.terms([(1, 2.0), (2, 1.0)], {"a": [(1, 0.0), (2, 0.0)]}, until=2)
    assert "sum 1" in one
    assert ">a " not in one
    nan = plots.terms([(1, float("nan"))], {"a": [(1, float("nan"))]}, until=2)
    assert "sum" not in nan


def test_a_map_is_drawn_from_zero_and_the_test_beside_it():
    svg = plots.precisions({"mAP@.5": [(5, 3.0)]}, until=9, test=(5, 2.5))
    assert "mAP@.5 3.0 %" in svg
    assert "test 2.5 %" in svg
