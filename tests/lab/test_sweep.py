import dataclasses
import os
import signal

import pytest
from safetensors.torch import load_file

from residua import events
from residua.errors import ConfigError, RunError
from residua.lab.ground import Length, ground
from residua.lab.sweep import (
    Manner,
    Study,
    agreed,
    carry_out,
    known,
    opened,
    record,
    results,
    seeded,
)
from residua.train.schedule import CosineConfig

STUDY = Study(
    study="shortcuts",
    data="digits",
    budget="1m",
    length=Length(updates=40, why="a budget of 1m", predicted=55.5),
)


def tiny(name="a", *, lr=0.1):
    experiment = ground("digits").with_net(name, depth=8)
    schedule = CosineConfig(lr=lr, until=12)
    return dataclasses.replace(experiment, schedule=schedule, batch_size=256)


def quiet(heard=None):
    return Manner(page=False, listen=None if heard is None else heard.append)


def weights(folder):
    return load_file(folder / "weights" / "last.safetensors")


def test_seeds_of_a_setting_follow_one_another():
    plan = seeded([tiny("a"), tiny("b")], 2)
    expected = [("digits.a", 0), ("digits.a", 1), ("digits.b", 0), ("digits.b", 1)]
    assert [(e.name, e.seed) for e in plan] == expected
    with pytest.raises(ConfigError, match="at least one seed, got 0"):
        seeded([tiny()], 0)


def test_what_has_ended_is_not_trained_again(tmp_path):
    plan, heard = seeded([tiny()], 2), []
    folders = carry_out(plan, tmp_path, quiet())
    assert [folder.name for folder in folders] == ["seed0", "seed1"]
    assert carry_out(plan, tmp_path, quiet(heard)) == folders
    assert {event["kind"] for event in heard} == {"training"}
    assert [(event["number"], event["of"]) for event in heard] == [(1, 2), (2, 2)]
    assert [result.seed for result in results(folders)] == [0, 1]


def test_a_stopped_study_goes_on_and_comes_to_the_same(tmp_path):
    plan = seeded([tiny()], 2)
    straight = carry_out(plan, tmp_path / "straight", quiet())

    def stop(event):
        if event["kind"] == "update" and event["iteration"] == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(RunError, match="interrupted after iteration 5"):
        carry_out(plan, tmp_path / "stopped", Manner(page=False, listen=stop))
    folders = carry_out(plan, tmp_path / "stopped", quiet())
    assert [folder.name for folder in folders] == ["seed0", "seed1"]
    for one, other in zip(straight, folders, strict=True):
        assert weights(one).keys() == weights(other).keys()
        assert all(weights(one)[name].equal(weights(other)[name]) for name in weights(one))


def test_a_training_killed_before_its_first_checkpoint_is_begun_anew(tmp_path):
    experiment = tiny()
    (left,) = carry_out([experiment], tmp_path / "other", quiet())
    orphan = tmp_path / "study" / experiment.name / "seed0"
    orphan.mkdir(parents=True)
    first = (left / events.FILE).read_text().splitlines()[0]
    (orphan / events.FILE).write_text(f"{first}\n")
    (found,) = carry_out([experiment], tmp_path / "study", quiet())
    assert found.name == "seed0-2"


def test_other_settings_of_the_same_name_are_another_training(tmp_path):
    (first,) = carry_out([tiny()], tmp_path, quiet())
    (second,) = carry_out([tiny(lr=0.05)], tmp_path, quiet())
    assert (first.name, second.name) == ("seed0", "seed0-2")
    assert carry_out([tiny()], tmp_path, quiet()) == [first]


def test_one_that_diverges_ends_with_that_and_the_others_go_on(tmp_path):
    plan, heard = [tiny("wild", lr=1e30), tiny("tame")], []
    wild, tame = carry_out(plan, tmp_path, quiet())
    assert [result.folder for result in results([wild, tame])] == [tame]
    assert events.read(wild)[-1]["kind"] == "stop"
    assert carry_out(plan, tmp_path, quiet(heard)) == [wild, tame]
    assert "update" not in {event["kind"] for event in heard}


def test_a_study_is_found_in_its_folder_and_is_the_same(tmp_path):
    assert known(None, "shortcuts") is None
    assert known(tmp_path, "shortcuts") is None
    record(tmp_path, STUDY)
    there = known(tmp_path, "shortcuts")
    assert there == STUDY
    same = {"data": "digits", "budget": None, "updates": None}
    assert agreed(tmp_path, there, **same) == STUDY.length
    assert agreed(tmp_path, there, **same | {"budget": "1m", "updates": 40}) == STUDY.length
    assert agreed(tmp_path, None, **same) is None
    for other in ({"data": "mnist"}, {"budget": "2m"}, {"updates": 41}):
        with pytest.raises(ConfigError, match="holds a study of digits with 40 updates each"):
            agreed(tmp_path, there, **same | other)


def test_another_study_or_a_damaged_record_is_refused(tmp_path):
    record(tmp_path, STUDY)
    with pytest.raises(ConfigError, match="holds the study shortcuts"):
        known(tmp_path, "activations")
    (tmp_path / "study.json").write_text("{")
    with pytest.raises(ConfigError, match="not readable"):
        known(tmp_path, "shortcuts")


def test_a_new_study_has_a_folder_of_its_own(tmp_path):
    assert opened(None, tmp_path, "shortcuts") == tmp_path / "lab" / "shortcuts"
    assert opened(None, tmp_path, "shortcuts") == tmp_path / "lab" / "shortcuts-2"
    into = tmp_path / "deep" / "mine"
    assert opened(into, tmp_path, "shortcuts") == into
    assert into.is_dir()
