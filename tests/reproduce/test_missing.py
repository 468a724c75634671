"""Nothing finished is repeated, what is half done goes on, and configurations never mix."""

import dataclasses
import os
import subprocess
import sys

import pytest

from kept_runs import CROP, CROPPED, MINE, OTHER, cell, later, mine, other, record
from residua import events, execute, files, recipes, runs
from residua.analyze.responses import responses
from residua.config import digest
from residua.data.views import CenterCrop
from residua.errors import ConfigError, RunError
from residua.reproduce import responded
from residua.reproduce.cell import RESPONSE, Cell, Difference, Trained
from residua.reproduce.effort import Effort, placed
from residua.reproduce.evidence import found
from residua.reproduce.missing import Step, steps_to, target_of
from residua.reproduce.run import fill, judged
from residua.reproduce.same import configuration


class KilledError(Exception):
    """Ends a training without a chance to save."""


class Heard:
    """Counts updates, and ends the training after so many."""

    def __init__(self, end=None):
        self.updates, self.end = 0, end

    def __call__(self, event):
        if event["kind"] == "update":
            self.updates += 1
            if self.updates == self.end:
                raise KilledError


def effort(tmp_path, **changes):
    folders = {"runs": tmp_path / "runs", "records": tmp_path / "records"}
    return Effort(**folders, device="cpu", page=False, **changes)


def folders(tmp_path):
    return sorted(path.parent.name for path in (tmp_path / "runs" / "mine").glob("*/config.yaml"))


def digests(tmp_path):
    paths = (tmp_path / "runs" / "mine").glob("*/events.jsonl")
    return {path.parent.name: events.read(path.parent)[0]["digest"] for path in paths}


def test_starting_twice_repeats_nothing_and_more_seeds_add_only_those(tmp_path):
    heard = Heard()
    assert fill([cell()], effort(tmp_path, listen=heard)) == []
    assert (folders(tmp_path), heard.updates) == (["seed0"], 4)
    before = (tmp_path / "runs" / "mine" / "seed0" / "events.jsonl").read_bytes()
    fill([cell()], effort(tmp_path, listen=heard))
    assert heard.updates == 4
    fill([cell()], effort(tmp_path, listen=heard, seeds=2))
    assert (folders(tmp_path), heard.updates) == (["seed0", "seed1"], 8)
    assert (tmp_path / "runs" / "mine" / "seed0" / "events.jsonl").read_bytes() == before
    (judgement,) = judged([cell()], effort(tmp_path).roots)
    assert judgement.statistic == "mean, n = 2"
    assert len(judgement.measured.folders) == 2


def test_what_was_killed_half_way_goes_on_in_its_folder_to_the_same_end(tmp_path, monkeypatch):
    monkeypatch.setattr("residua.conduct.CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("residua.conduct.CHECKPOINT_SHARE", float("inf"))
    with pytest.raises(KilledError):
        fill([cell()], effort(tmp_path, listen=Heard(end=3)))
    (judgement,) = judged([cell()], effort(tmp_path).roots)
    assert judgement.verdict == "not run"
    heard = Heard()
    fill([cell()], effort(tmp_path, listen=heard))
    # Two updates were saved before the third ended it.
    assert (folders(tmp_path), heard.updates) == (["seed0"], 2)
    straight = execute.run(mine(), root=tmp_path / "straight", device="cpu", page=False)
    log = events.read(tmp_path / "runs" / "mine" / "seed0")
    assert events.result(log)["test_error"] == straight.test_error
    fill([cell()], effort(tmp_path, listen=heard))
    assert heard.updates == 2


def test_a_half_done_run_of_other_settings_is_left_alone_and_never_counted(tmp_path):
    stranger = dataclasses.replace(other(), name="mine")
    with pytest.raises(KilledError):
        execute.run(stranger, root=tmp_path / "runs", device="cpu", listen=Heard(end=2), page=False)
    before = (tmp_path / "runs" / "mine" / "seed0" / "events.jsonl").read_bytes()
    fill([cell()], effort(tmp_path))
    assert folders(tmp_path) == ["seed0", "seed0-2"]
    assert (tmp_path / "runs" / "mine" / "seed0" / "events.jsonl").read_bytes() == before
    assert digests(tmp_path) == {"seed0": digest(stranger), "seed0-2": digest(mine())}
    (judgement,) = judged([cell()], effort(tmp_path).roots)
    assert judgement.measured.folders == (str(tmp_path / "runs" / "mine" / "seed0-2"),)


def test_a_budget_shrinks_the_schedule_is_scaled_and_does_not_stand_in_for_the_whole(tmp_path):
    fill([cell()], effort(tmp_path, budget=2))
    (judgement,) = judged([cell()], effort(tmp_path).roots)
    assert judgement.verdict == "scaled down"
    assert judgement.why[0] == "2 updates, the recipe has 4"
    heard = Heard()
    fill([cell()], effort(tmp_path, budget=2, listen=heard))
    assert heard.updates == 0
    fill([cell()], effort(tmp_path, listen=heard))
    assert heard.updates == 4
    (judgement,) = judged([cell()], effort(tmp_path).roots)
    assert (judgement.verdict != "scaled down", judgement.statistic) == (True, "single run, n = 1")


def test_where_there_are_enough_whole_runs_a_budget_trains_nothing(tmp_path):
    record(tmp_path / "runs", mine(), 50.0)
    there = found(mine(), effort(tmp_path).roots)
    for seeds, steps in ((1, []), (2, [Step(0, None), Step(1, None)])):
        wanted = effort(tmp_path, budget=2, seeds=seeds)
        target = target_of(mine(), wanted, there)
        assert target.schedule.until == (2 if steps else 4)
        assert steps_to(target, wanted, there) == steps


def test_a_kept_record_counts_and_more_seeds_are_trained_as_it_was(tmp_path):
    kept = dataclasses.replace(mine(), compile=True)
    record(tmp_path / "records", kept, 50.0)
    wanted = effort(tmp_path, seeds=2)
    there = found(mine(), wanted.roots)
    target = target_of(mine(), wanted, there)
    assert target.compile
    assert target.claims == mine().claims
    assert steps_to(target, wanted, there) == [Step(1, None)]
    assert steps_to(target, effort(tmp_path), there) == []


def test_a_kept_record_without_an_end_is_not_gone_on_with(tmp_path):
    folder = record(tmp_path / "records", mine(), 50.0)
    lines = (folder / "events.jsonl").read_text().splitlines()
    (folder / "events.jsonl").write_text(f"{lines[0]}\n")
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "2.pt").touch()
    wanted = effort(tmp_path)
    assert steps_to(mine(), wanted, found(mine(), wanted.roots)) == [Step(0, None)]


def begun(folder, experiment):
    """A run that has begun and has neither an end nor a checkpoint."""
    folder = record(folder, experiment, 50.0)
    lines = (folder / "events.jsonl").read_text().splitlines()
    (folder / "events.jsonl").write_text(f"{lines[0]}\n")
    return folder


def test_what_another_process_is_at_work_on_is_left_to_it_and_told(tmp_path):
    folder = begun(tmp_path / "runs", mine())
    heard = Heard()
    wanted = effort(tmp_path, seeds=2, listen=heard)
    with files.alone(folder / "events.jsonl"):
        (fault,) = fill([cell()], wanted)
    told = f"another process is at work on {folder}: start again when it has ended"
    assert (type(fault), str(fault)) == (RunError, told)
    # The other seed was trained meanwhile.
    assert (folders(tmp_path), heard.updates) == (["seed0", "seed1"], 4)
    assert fill([cell()], effort(tmp_path, listen=heard)) == []
    assert heard.updates == 4


def test_what_another_process_has_begun_says_how_the_others_are_trained(tmp_path):
    compiled = dataclasses.replace(mine(), compile=True)
    folder = begun(tmp_path / "runs", compiled)
    wanted = effort(tmp_path, seeds=3)
    there = found(mine(), wanted.roots)
    assert not target_of(mine(), wanted, there).compile
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "2.pt").touch()
    assert steps_to(compiled, wanted, there)[0] == Step(0, folder)
    with files.alone(folder / "events.jsonl"):
        target = target_of(mine(), wanted, there)
        assert target.compile
        assert steps_to(target, wanted, there) == [Step(1, None), Step(2, None)]


def test_of_two_configurations_the_one_with_more_runs_is_filled_up(tmp_path):
    compiled = dataclasses.replace(mine(), compile=True)
    record(tmp_path / "runs", mine(), 50.0)
    for seed in (0, 1):
        record(tmp_path / "runs", dataclasses.replace(compiled, seed=seed), 50.0, name=f"c{seed}")
    wanted = effort(tmp_path, seeds=3)
    there = found(mine(), wanted.roots)
    target = target_of(mine(), wanted, there)
    assert configuration(target) == configuration(compiled)
    assert steps_to(target, wanted, there) == [Step(2, None)]


def test_scaled_runs_are_no_pattern_for_what_is_trained(tmp_path):
    record(tmp_path / "runs", dataclasses.replace(mine(), batch_size=4), 50.0)
    wanted = effort(tmp_path)
    assert target_of(mine(), wanted, found(mine(), wanted.roots)) == mine()


def test_seeds_that_are_there_need_not_be_the_first_ones(tmp_path):
    for seed in (5, 6):
        record(tmp_path / "runs", dataclasses.replace(mine(), seed=seed), 50.0)
    wanted = effort(tmp_path, seeds=3)
    assert steps_to(mine(), wanted, found(mine(), wanted.roots)) == [Step(0, None)]


def of_the_crop():
    return cell(how=Trained(recipe=CROPPED, statistic="mean of 5", views=CROP))


def test_a_protocol_that_is_missing_is_looked_at_once_and_recorded(tmp_path):
    fill([of_the_crop()], effort(tmp_path))
    folder = tmp_path / "runs" / "cropped" / "seed0"
    (test,) = events.evaluations(folder)
    (judgement,) = judged([of_the_crop()], effort(tmp_path).roots)
    assert judgement.ours == test["top1_error"]
    assert test["count"] == events.result(events.read(folder))["test_count"]
    fill([of_the_crop()], effort(tmp_path))
    assert len(events.evaluations(folder)) == 1


def test_responses_are_measured_once_of_each_run_and_compared(tmp_path):
    how = Difference(larger=MINE, smaller=OTHER, metric=RESPONSE)
    responds = Cell(row="mine above other", column="mean response", how=how, unit=RESPONSE)
    fill([responds], effort(tmp_path))
    means = []
    for name in ("mine", "other"):
        folder = tmp_path / "runs" / name / "seed0"
        (event,) = events.read(folder, responded.FILE)
        assert (event["count"], len(event["layers"]), event["weights"]) == (360, 7, "last")
        trained = runs.load(folder)
        pictures = trained.normalize(trained.experiment.load_data().test.images.float())
        found = responses(trained.net, [pictures])
        assert event["mean"] == pytest.approx(found.mean, rel=1e-4)
        means.append(event["mean"])
    (judgement,) = judged([responds], effort(tmp_path).roots)
    assert judgement.ours == pytest.approx(means[0] - means[1])
    assert judgement.verdict == ("reproduced" if means[0] > means[1] else "outside tolerance")
    assert judgement.tolerance == 0
    fill([responds], effort(tmp_path))
    assert len(events.read(folder, responded.FILE)) == 1


def test_responses_that_were_not_measured_are_told(tmp_path):
    how = Difference(larger=MINE, smaller=OTHER, metric=RESPONSE)
    for experiment in (mine(), other()):
        record(tmp_path / "records", experiment, 50.0)
    cells = [Cell(row="a", column="b", how=how, unit=RESPONSE)]
    (judgement,) = judged(cells, effort(tmp_path).roots)
    assert judgement.verdict == "not run"
    assert judgement.why[0].startswith("the responses of ")
    assert len(judgement.why) == 2


SCRIPT = """
import sys
from pathlib import Path
from kept_runs import CROP, CROPPED, cell
from residua.reproduce.cell import Trained
from residua.reproduce.effort import Effort
from residua.reproduce.run import fill
from residua.train import parallel

updates = []
listen = lambda event: event["kind"] == "update" and updates.append(event["iteration"])
of = cell(how=Trained(recipe=CROPPED, statistic="mean of 5", views=CROP))
effort = Effort(
    runs=Path(sys.argv[1]), records=Path("none"), device="cpu", listen=listen, page=False
)
for seeds in (1, 1):
    fill([of], effort)
if parallel.leads():
    print("updates", len(updates))
"""


@pytest.mark.slow
def test_two_processes_share_a_training_and_its_later_test(tmp_path):
    script = tmp_path / "fill.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node=2", str(script), str(tmp_path / "runs")]
    paths = os.pathsep.join(path for path in sys.path if path)
    told = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    # The second start did nothing.
    assert "updates 4" in told.stdout
    folder = tmp_path / "runs" / "cropped" / "seed0"
    (test,) = events.evaluations(folder)
    assert test["count"] == events.read(folder)[0]["sizes"][2]
    (judgement,) = judged([of_the_crop()], [tmp_path / "runs"])
    assert "2 processes" in judgement.why


def test_a_recipe_without_its_pictures_is_told_and_the_others_are_filled(tmp_path):
    lost = Cell(row="a", column="b", how=Trained(recipe="imagenet.plain18"))
    faults = fill([lost, cell()], effort(tmp_path))
    assert "data.path is not set" in str(faults[0])
    assert folders(tmp_path) == ["seed0"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"seeds": 0}, "seeds must be at least 1, got 0"),
        ({"budget": 1}, "budget must be at least 2 updates, got 1"),
        ({"weights": {"resnet5": "x"}}, "no cell that was asked for takes weights called resnet5"),
    ],
)
def test_an_effort_that_comes_to_nothing_is_refused(tmp_path, changes, sentence):
    with pytest.raises(ConfigError, match=sentence):
        fill([cell()], effort(tmp_path, **changes))


def test_pictures_are_placed_where_the_data_have_a_place(tmp_path):
    assert placed(recipes.find("imagenet.resnet50"), str(tmp_path)).data.path == str(tmp_path)
    assert placed(recipes.find("cifar.resnet20"), str(tmp_path)).data.folder == str(tmp_path)
    assert placed(mine(), str(tmp_path)) == mine()
    assert placed(mine(), None) == mine()


def test_stand_ins_are_what_they_say(tmp_path):
    """The records that other tests are made of read as real ones do."""
    folder = record(tmp_path, mine(), 12.0)
    later(folder, CenterCrop(), 13.0)
    (run,) = found(mine(), [tmp_path])
    assert (run.finished, run.differences) == (True, ())
    assert run.record.result["test_error"] == 12.0
