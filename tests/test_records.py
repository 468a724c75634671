"""What is kept of real runs under records/ is whole and agrees with itself."""

import json
import re
from pathlib import Path

import pytest

from residua import events, outcome, runs
from residua.detection_experiment import DetectionExperiment
from residua.report import compared
from residua.reproduce import responded

RECORDS = Path(__file__).parents[1] / "records"
# A folder of one machine in a command.
PLACE = re.compile(r"(?:^|[\s='\"])[/~]|\.\./")
# Training errors in finer steps than epochs, and what was looked at after the end.
MORE = {events.WINDOWS, events.EVALUATIONS, responded.FILE}
KEPT = sorted(path.parent for path in RECORDS.rglob("config.yaml"))
STUDIES = sorted(path for path in (RECORDS / "lab").glob("*") if path.is_dir())


def name(folder):
    return folder.relative_to(RECORDS).as_posix()


@pytest.mark.parametrize("folder", KEPT, ids=name)
def test_a_record_is_whole(folder):
    needed = {"config.yaml", "events.jsonl", "results.csv"}
    assert needed <= {path.name for path in folder.iterdir()} <= needed | MORE
    experiment = runs.read_experiment(folder)
    record = events.read(folder)
    began, ended = events.first(record, "start"), events.result(record)
    assert began["recipe"] == experiment.name == folder.parent.name
    rows = events.history(record)
    assert (folder / "results.csv").read_text() == outcome.table(rows)
    assert {"torch", "processor", "precision", "code"} <= began["environment"].keys()
    assert not PLACE.search(began["command"])
    # Those of detectors hold what was drawn of their detections, those of trunks larger mistakes.
    large = isinstance(experiment, DetectionExperiment) or experiment.name.endswith("_trunk")
    most = 600_000 if large else 300_000
    assert sum(path.stat().st_size for path in folder.iterdir()) < most
    if ended is None:
        # Of a study, whose other trainings have an end.
        assert folder.parents[1] in STUDIES
        assert str(record[-1]["reason"]).startswith(("the loss is ", "the gradient's norm is "))
        return
    assert rows[-1]["iteration"] == experiment.schedule.until
    assert "folder" not in ended
    if isinstance(experiment, DetectionExperiment):
        found = ended["found"]
        counts = {kind: number for kind, number, _ in found["counts"]}
        assert counts["hit"] + counts["missed"] == began["objects"][2]
        assert [row[0] for row in found["class_rows"]] == began["classes"]
        assert ended["test_count"] == began["sizes"][2]
        assert 0 <= ended["coco_ap"] <= ended["test_map"] == ended["map_area"] <= 100
        return
    confusion = ended["confusion"]
    count, right = sum(map(sum, confusion)), sum(row[i] for i, row in enumerate(confusion))
    assert count == ended["test_count"] == began["sizes"][2]
    assert ended["test_error"] == pytest.approx(100 * (1 - right / count))


def test_studies_say_what_they_found_and_by_which_command():
    for folder in STUDIES:
        looks = [json.loads(path.read_text()) for path in folder.glob("*.json")]
        (told,) = [look for look in looks if "finding" in look]
        assert list(folder.glob("*.svg")), folder
        if "entries" in told:
            sweep, _ = compared.kept(folder)
            listed = {run for entry in sweep.entries for run in entry.runs}
            # The trunk of a detector is trained first, once for all seeds.
            trunks = {folder / f"{run.parent.name}_trunk" / "seed0" for run in listed}
            expected = listed | {trunk for trunk in trunks if trunk.is_dir()}
            assert expected == {run for run in KEPT if folder in run.parents}
            assert (folder / "study.json").is_file()
        else:
            assert not PLACE.search(told["command"])
            assert told["environment"]["code"]


def test_no_weights_are_kept():
    assert not [path for path in RECORDS.rglob("*") if path.suffix in {".pt", ".safetensors"}]


def test_resnet20_on_cifar10_is_within_half_a_point_of_the_paper():
    folder = RECORDS / "cifar.resnet20" / "seed0"
    experiment, ended = runs.read_experiment(folder), events.result(events.read(folder))
    assert (experiment.schedule.until, experiment.batch_size, experiment.data.holdout) == (
        64_000,
        128,
        0,
    )
    assert ended["selected_iteration"] == 64_000
    assert ended["test_error"] <= 9.25
