"""Settings, numbers, differences and warnings of runs beside one another."""

import dataclasses
import json

import pytest

import detector_record
from compared_runs import train
from kept_runs import later, mine, other
from residua.comparison import compare
from residua.comparison.settings import differing
from residua.data.views import Flips
from residua.recipes.detection import scenes


@pytest.fixture
def runs(tmp_path):
    """Three seeds each of two recipes, whose test errors differ by 1, 2 and 3 points."""
    first = [train(tmp_path, mine(), 5.0 + seed, seed=seed) for seed in (0, 1, 2)]
    return first + [train(tmp_path, other(), 6.0 + 2 * seed, seed=seed) for seed in (0, 1, 2)]


def numbers(comparison):
    return {number.name: number.cells for number in comparison.numbers}


def test_only_what_differs_is_listed_by_its_name(runs):
    (row,) = compare(runs).settings
    assert (row.name, row.values) == ("schedule.lr", ("0.1", "0.05"))


def test_a_setting_that_only_one_kind_has_is_absent_from_the_other():
    flipped = dataclasses.replace(mine(), net=dataclasses.replace(mine().net, depth=14))
    rows = {row.name: row.values for row in differing([mine(), flipped, scenes()])}
    assert rows["net.depth"] == ("8", "14", "absent")
    assert rows["net.kind"][2] == "faster_rcnn"
    assert not {"name", "seed", "claims"} & rows.keys()


def test_settings_that_differ_in_a_late_digit_are_not_the_same():
    wds = [0.0001, 0.00010000001]
    pair = [
        dataclasses.replace(
            mine(), optimizer=dataclasses.replace(mine().optimizer, weight_decay=wd)
        )
        for wd in wds
    ]
    (row,) = differing(pair)
    assert row.values == ("0.0001", "0.00010000001")


def test_numbers_are_means_with_deviation_and_protocol(runs):
    found = compare(runs)
    assert [group.seeds for group in found.groups] == [(0, 1, 2), (0, 1, 2)]
    # 5, 6, 7 and 6, 8, 10.
    assert numbers(found)["test error %"] == ["6.00 ± 1.00", "8.00 ± 2.00"]
    assert numbers(found)["validation error %"] == ["7.00 ± 1.00", "9.00 ± 2.00"]
    assert numbers(found)["parameters"][0] == numbers(found)["parameters"][1]
    assert found.numbers[0].protocol == "one view of each picture; 360 images"


def test_a_difference_is_tested_seed_by_seed(runs):
    found = compare(runs)
    (difference,) = found.differences
    assert difference.contrast.kind == "paired by seed"
    assert difference.contrast.difference == pytest.approx(2)
    assert difference.corrected == difference.contrast.p == pytest.approx(0.0742, abs=1e-4)
    assert found.finding == "Test error: A mine and B other are not told apart"
    assert found.caveats == ()


def test_what_is_told_apart_is_said_with_its_size(tmp_path):
    errors = {0: 0.0, 1: 0.2, 2: 0.1}
    runs = [train(tmp_path, mine(), 5 + e, seed=seed) for seed, e in errors.items()]
    runs += [train(tmp_path, other(), 2 + e, seed=seed + 3) for seed, e in errors.items()]
    found = compare(runs)
    assert found.differences[0].contrast.kind == "Welch"
    assert found.finding == "Test error of B other is 3.00 points lower than that of A mine"


def test_single_trainings_claim_nothing(runs):
    found = compare([runs[0], runs[3]])
    assert found.differences[0].contrast.kind is None
    assert "nothing is claimed (n = 1 and 1" in found.finding
    assert "told apart" not in found.finding


def test_of_several_groups_p_is_corrected(runs, tmp_path):
    third = dataclasses.replace(mine(), name="third")
    runs += [train(tmp_path, third, 50.0 + 2 * seed, seed=seed) for seed in (0, 1, 2)]
    found = compare(runs)
    assert found.tests == 2
    plain, corrected = zip(*((d.contrast.p, d.corrected) for d in found.differences), strict=True)
    assert corrected[1] == pytest.approx(2 * plain[1])
    assert corrected[0] == plain[0] > 0.05
    assert found.finding == "Test error: C of 2 others is told apart from A mine"


def test_other_test_pictures_claim_nothing(tmp_path):
    runs = [train(tmp_path, mine(), 5.0 + seed, seed=seed) for seed in (0, 1)]
    prints = ["a", "b", "z"]
    runs += [
        train(tmp_path, other(), 9.0 - seed, seed=seed, fingerprints=prints) for seed in (0, 1)
    ]
    found = compare(runs)
    assert found.differences == ()
    assert [caveat.about for caveat in found.caveats] == ["test images"]
    assert found.finding == "Test error: measured on different images, which cannot be compared"


def test_what_only_one_run_has_is_no_difference(tmp_path):
    """Without validation pictures there is no other number of theirs; a count is no protocol."""
    few = {"fingerprints": ["a", "z"], "test_count": 90}
    runs = [train(tmp_path, mine(), 5.0), train(tmp_path, other(), 5.0, **few)]
    found = compare(runs)
    assert [caveat.about for caveat in found.caveats] == ["test images"]
    assert found.numbers[0].protocol == "one view of each picture; on different images"


@pytest.mark.parametrize(
    ("about", "changes"),
    [
        ("training images", {"fingerprints": ["z", "b", "c"]}),
        ("validation images", {"fingerprints": ["a", "z", "c"]}),
        ("precision", {"environment": {"precision": "bfloat16"}}),
        ("code", {"environment": {"code": "def5678"}}),
        ("torch", {"environment": {"torch": "2.14.0"}}),
        ("device", {"environment": {"device": "NVIDIA"}}),
        ("processes", {"environment": {"processes": 2}}),
        ("uncommitted code", {"environment": {"code": "abc1234+"}}),
    ],
)
def test_what_is_not_alike_is_a_warning(tmp_path, about, changes):
    runs = [train(tmp_path, mine(), 5.0), train(tmp_path, other(), 5.0, **changes)]
    known = {caveat.about for caveat in compare(runs).caveats}
    assert about in known
    assert known <= {about, "code"}


def test_runs_of_one_group_are_warned_of_too(tmp_path):
    code = {"code": "def5678"}
    runs = [train(tmp_path, mine(), 5.0), train(tmp_path, mine(), 5.0, seed=1, environment=code)]
    found = compare([*runs, train(tmp_path, mine(), 5.0, name="again")])
    assert [caveat.about for caveat in found.caveats] == ["code", "repeated seeds"]
    assert "A abc1234" in found.caveats[0].sentence
    assert [row.name for row in found.making] == ["code"]


def test_a_repeated_seed_is_named(tmp_path):
    runs = [train(tmp_path, mine(), 5.0, name=name) for name in ("one", "two")]
    (caveat,) = compare(runs).caveats
    assert caveat.sentence.endswith("two")


def test_training_errors_of_other_augmentation_are_warned_of(tmp_path):
    smooth = dataclasses.replace(mine().loss, label_smoothing=0.1)
    smoothed = dataclasses.replace(mine(), loss=smooth, name="smoothed")
    found = compare([train(tmp_path, mine(), 5.0), train(tmp_path, smoothed, 5.0)])
    assert [caveat.about for caveat in found.caveats] == ["augmentation"]


def test_later_tests_stand_beside_one_another(runs):
    for folder, error in zip(runs[:2], (4.0, 6.0), strict=True):
        later(folder, Flips(), error)
    later(runs[0], Flips(), 99.0, weights="best")
    later(runs[1], Flips(), 99.0, images="train")
    found = compare(runs)
    number = next(each for each in found.numbers if each.name.endswith("tested again"))
    assert number.cells == ["5.00 ± 1.41 (n = 2)", "not measured"]
    assert number.protocol.startswith("2 views: the picture and its mirror image")


ENDED = {
    "kind": "result",
    "time": 1420.0,
    "test_map": 60.0,
    "test_count": 6,
    "train_loss": 0.5,
    "validation_map": 65.0,
    "seed": 0,
    "seconds": 312.0,
    "map_area": 60.0,
    "map_11point": 59.0,
    "coco_ap": 40.0,
    "coco_ap50": 61.0,
    "protocol": "NMS at an IoU of 0.3, scores above 0.05, at most 100 an image",
    "selected_iteration": 200,
}


def detector(root, name, *, seed, changes, **settings):
    experiment = dataclasses.replace(scenes(), seed=seed, **settings)
    rows = detector_record.epochs(100, 200)
    return detector_record.record(
        root / name,
        *rows,
        ENDED | changes,
        experiment=experiment,
        seed=seed,
        fingerprints=["a", "b", "c"],
    )


def test_detectors_have_their_readings_of_map(tmp_path):
    runs = [
        detector(tmp_path, f"{half}{seed}", seed=seed, batch_size=size, changes={"map_area": value})
        for half, size, values in (("a", 8, (60.0, 62.0)), ("b", 4, (50.0, 51.0)))
        for seed, value in enumerate(values)
    ]
    found = compare(runs)
    assert found.is_of_detectors
    assert numbers(found)["test mAP@.5, area %"] == ["61.00 ± 1.41", "50.50 ± 0.71"]
    assert [number.name for number in found.numbers[:4]] == [
        "test mAP@.5, area %",
        "test mAP@.5, 11 points %",
        "test mAP@[.5,.95] %",
        "test mAP@.5, COCO %",
    ]
    assert "NMS at an IoU of 0.3" in found.numbers[0].protocol
    assert found.differences[0].contrast.difference == pytest.approx(-10.5)
    assert [row.name for row in found.settings] == ["batch_size"]


def test_other_detections_are_another_protocol(tmp_path):
    strict = {"protocol": "NMS at an IoU of 0.5"}
    runs = [
        detector(tmp_path, "a", seed=0, changes={}),
        detector(tmp_path, "b", seed=0, batch_size=4, changes=strict),
    ]
    found = compare(runs)
    assert "protocol" in {caveat.about for caveat in found.caveats}
    assert found.numbers[0].protocol.startswith("differs")


def test_a_record_of_an_older_form_is_read_with_what_was_meant(runs):
    """A config.yaml that lacks what was added later differs in nothing from one that has it."""
    path = runs[0] / "config.yaml"
    kept = [line for line in path.read_text().splitlines() if not line.startswith("clip:")]
    path.write_text("\n".join(kept) + "\n")
    assert len(compare(runs).groups) == 2


def test_a_number_that_is_missing_in_an_old_record_is_said(runs):
    for folder in runs[:3]:
        lines = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
        del lines[-1]["top5_error"]
        (folder / "events.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert numbers(compare(runs))["test top-5 error %"][0] == "not measured"
