import pytest

from residua import events
from residua.lab.windows import Windows


def told(folder, until, every, errors, *, resumed=None):
    """Tell of a training as the record of a run does."""
    heard = []
    hear = Windows(heard.append)
    log = events.Log(folder, hear)
    log.tell("opened", folder=folder, iteration=resumed or 0)
    if resumed is None:
        log.write("start", until=until, every=every)
    else:
        log.write("resume", iteration=resumed, until=until)
    for iteration, error in enumerate(errors, start=(resumed or 0) + 1):
        log.tell("update", iteration=iteration, error=error)
    return heard


def rows(folder):
    found = events.history(events.read(folder, events.WINDOWS))
    return [(row["iteration"], row["train_error"]) for row in found]


def test_a_training_of_few_epochs_is_kept_in_windows(tmp_path):
    heard = told(tmp_path, 400, 200, [80.0, 60.0] * 8)
    # 400 updates are 50 windows of 8.
    assert rows(tmp_path) == [(8, 70.0), (16, 70.0)]
    assert [event["kind"] for event in heard[:2]] == ["opened", "start"]
    assert len(heard) == 18


def test_windows_hold_four_updates_at_least(tmp_path):
    told(tmp_path, 20, 20, [4.0, 3.0, 2.0, 1.0] * 2)
    assert rows(tmp_path) == [(4, 2.5), (8, 2.5)]


def test_a_training_of_many_epochs_is_told_by_its_epochs(tmp_path):
    told(tmp_path, 336, 8, [50.0] * 16)
    assert not (tmp_path / events.WINDOWS).exists()


def test_a_stopped_training_keeps_each_window_once(tmp_path):
    told(tmp_path, 400, 200, [90.0] * 20)
    told(tmp_path, 400, 200, [10.0] * 8, resumed=12)
    # What came after the checkpoint at 12 was made again; its window is of 13 to 16.
    assert rows(tmp_path) == [(8, pytest.approx(90)), (16, 10.0)]
