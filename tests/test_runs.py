import pytest

from residua import runs
from residua.errors import CheckpointError, ConfigError, RunError
from test_execute import run, tiny


def test_runs_are_found_by_folder_by_name_and_as_last(tmp_path):
    root = tmp_path / "elsewhere"
    first = run(tiny(), root=root, name="first").folder
    second = run(tiny(), root=root, name="second").folder
    assert runs.find(str(first), root) == first
    assert runs.find("tests.tiny/first", root) == first
    assert runs.find("last", root) == second


def test_what_is_no_run_is_answered_with_those_that_are(tmp_path):
    with pytest.raises(CheckpointError, match="has no runs"):
        runs.find("mine", tmp_path / "runs")
    with pytest.raises(CheckpointError, match="there is no last run"):
        runs.find("last", tmp_path / "runs")
    run(tiny())
    with pytest.raises(CheckpointError, match=r"runs in runs: tests.tiny/seed0"):
        runs.find("mine", runs.Path("runs"))


def test_a_run_without_weights_is_said():
    folder = run(tiny()).folder
    (folder / "weights" / "last.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"missing.*use the best ones with --weights best"):
        runs.load(folder)
    assert runs.load(folder, weights="best").classes == tuple("0123456789")


def test_weights_that_do_not_exist_are_refused():
    folder = run(tiny()).folder
    with pytest.raises(ConfigError, match=r'"best" or "last", got \'worst\''):
        runs.load(folder, weights="worst")


def test_weights_of_another_net_are_refused():
    folder = run(tiny()).folder
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("depth: 8", "depth: 14"))
    with pytest.raises(CheckpointError, match="is of another net: stages"):
        runs.load(folder)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="cannot write"):
        run(tiny(), root=tmp_path / "file")
