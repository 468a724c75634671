import json

import pytest

from residua import events
from residua.errors import CheckpointError


def epoch(iteration, **values):
    return {"kind": "epoch", "iteration": iteration, **values}


def write(folder, *lines):
    (folder / events.FILE).write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_what_is_written_is_read_and_the_listener_hears_all(tmp_path):
    heard = []
    log = events.Log(tmp_path, heard.append)
    log.write("start", seed=3)
    log.tell("update", iteration=1)
    assert [event["kind"] for event in heard] == ["start", "update"]
    (recorded,) = events.read(tmp_path)
    assert recorded["kind"] == "start"
    assert recorded["seed"] == 3


def test_a_last_line_cut_short_by_a_crash_is_left_out(tmp_path):
    write(tmp_path, epoch(1), epoch(2))
    path = tmp_path / events.FILE
    path.write_text(path.read_text() + '{"kind": "epo')
    assert [event["iteration"] for event in events.read(tmp_path)] == [1, 2]


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    (tmp_path / events.FILE).write_text('{"kind": "start"}\nrubbish\n{"kind": "stop"}\n')
    with pytest.raises(CheckpointError, match="line 2 is damaged"):
        events.read(tmp_path)


def test_a_folder_without_a_record_is_no_run(tmp_path):
    with pytest.raises(CheckpointError, match="is not a run"):
        events.read(tmp_path)


def test_epochs_that_a_resumed_run_went_through_again_count_once():
    told = [epoch(8, x=1), epoch(16, x=1), {"kind": "resume", "iteration": 10}, epoch(16, x=2)]
    assert [(row["iteration"], row["x"]) for row in events.history(told)] == [(8, 1), (16, 2)]


def test_the_result_is_the_last_one():
    assert events.result([epoch(1)]) is None
    assert events.result([{"kind": "result", "a": 1}, {"kind": "result", "a": 2}])["a"] == 2


def test_later_tests_have_a_file_of_their_own(tmp_path):
    write(tmp_path, epoch(1))
    assert events.evaluations(tmp_path) == []
    for number in range(2):
        events.Log(tmp_path, file=events.EVALUATIONS).write("evaluation", number=number)
    assert [event["number"] for event in events.evaluations(tmp_path)] == [0, 1]
    assert len(events.read(tmp_path)) == 1
