"""What is kept of real runs under records/ is whole and agrees with itself."""

from pathlib import Path

import pytest

from residua import events, outcome, runs

RECORDS = Path(__file__).parents[1] / "records"
KEPT = sorted(path.parent for path in RECORDS.glob("*/*/config.yaml"))


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_a_record_is_whole(folder):
    assert {path.name for path in folder.iterdir()} == {
        "config.yaml",
        "events.jsonl",
        "results.csv",
    }
    experiment = runs.read_experiment(folder)
    record = events.read(folder)
    began, ended = events.first(record, "start"), events.result(record)
    assert began["recipe"] == experiment.name == folder.parent.name
    rows = events.history(record)
    assert rows[-1]["iteration"] == experiment.schedule.until
    assert (folder / "results.csv").read_text() == outcome.table(rows)
    confusion = ended["confusion"]
    count, right = sum(map(sum, confusion)), sum(row[i] for i, row in enumerate(confusion))
    assert count == ended["test_count"] == began["sizes"][2]
    assert ended["test_error"] == pytest.approx(100 * (1 - right / count))
    assert {"torch", "processor", "precision", "code"} <= began["environment"].keys()
    assert "/" not in began["command"]
    assert "folder" not in ended
    assert sum(path.stat().st_size for path in folder.iterdir()) < 300_000


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
