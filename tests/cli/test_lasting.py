from pathlib import Path

import pytest

from residua.cli.studies.lasting import Trainings, begin, going_on, is_whole
from residua.errors import ConfigError, RunError
from residua.lab.ground import Length, ground
from residua.lab.sweep import known


def chosen(**options):
    return Trainings(device="cpu", **options)


def test_a_study_that_stopped_says_how_all_of_it_goes_on(monkeypatch):
    monkeypatch.setattr(
        "sys.argv", ["residua", "lab", "shortcuts", "--seeds", "2", "--into", "old"]
    )
    with pytest.raises(RunError) as caught, going_on(Path("my studies")):
        raise RunError("interrupted after iteration 5 of 9")
    told = str(caught.value)
    assert told.startswith("interrupted after iteration 5 of 9.")
    assert told.endswith("with: residua lab shortcuts --seeds 2 --into 'my studies'")


def test_the_length_is_recorded_and_holds_for_what_goes_on(tmp_path, capsys):
    on, into = ground("digits"), tmp_path / "study"
    folder, found = begin("shortcuts", chosen(updates=50, into=into), on, [None] * 3)
    assert (folder, found.updates) == (into, 50)
    assert "3 trainings; 50 updates each" in capsys.readouterr().out
    assert known(into, "shortcuts").length == found
    assert begin("shortcuts", chosen(into=into), on, [None] * 4) == (into, found)
    with pytest.raises(ConfigError, match="50 updates each"):
        begin("shortcuts", chosen(updates=51, into=into), on, [])


def test_nothing_is_made_where_the_length_is_refused(tmp_path):
    on = ground("digits")
    with pytest.raises(ConfigError, match="give one of them"):
        begin("shortcuts", chosen(updates=50, budget="1m", runs=tmp_path), on, [])
    assert not list(tmp_path.iterdir())


def test_a_study_of_whole_recipes_stays_one(tmp_path):
    assert not is_whole("shortcuts", chosen(into=tmp_path))
    usual = Length(updates=2, why="two")
    into = tmp_path / "study"
    _, found = begin("shortcuts", chosen(budget="full", into=into), ground("digits"), [], usual)
    assert found.updates == 800
    assert is_whole("shortcuts", chosen(into=into))
    assert is_whole("shortcuts", chosen(budget="full"))
