"""Runs that are deepened and slimmed: what is recorded, and that the new runs are runs."""

import dataclasses
import json

import pytest
import torch

from residua import execute, outcome, recipes, runs
from residua.cli.dispatch import main
from residua.data.loading import Splits
from residua.errors import ConfigError
from residua.lab.deepening import DeepenPlan, deepen_run
from residua.lab.slimming import SlimPlan, pictures_to_choose_with, slim_run
from residua.nets import weights
from residua.nets.cifar import CifarConfig
from residua.nets.deepened import DeepenedConfig
from residua.nets.slimmed import SlimmedConfig
from residua.surgery.deepen import output_change
from settled import pictures


def small(**options):
    net = CifarConfig(depth=14, in_channels=1, **options)
    found = recipes.find_classifier("digits.resnet20")
    return dataclasses.replace(found, name="small", net=net, batch_size=32).lasting(12)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return {
        shortcut: execute.run(small(shortcut=shortcut), root=root, name=shortcut, page=False).folder
        for shortcut in ("A", "none")
    }


@pytest.mark.parametrize(
    ("blocks", "net"),
    [
        ((1,), CifarConfig(depth=20, in_channels=1)),
        (
            (1, 0, 0),
            DeepenedConfig(net=CifarConfig(depth=14, in_channels=1), after=("stages.0.1",)),
        ),
    ],
)
def test_a_deepened_run_is_a_run_that_starts_as_the_old_one(learned, tmp_path, blocks, net):
    plan = DeepenPlan(blocks=blocks, updates=2, lr=0.01)
    found = deepen_run(learned["A"], plan, root=tmp_path)
    assert found.net == net
    assert found.depths == (14, 14 + 2 * (3 if blocks == (1,) else 1))
    assert found.change == 0.0
    assert found.before == outcome.recorded(learned["A"]).test_error
    again = runs.load(found.result.folder)
    assert again.experiment.net == net
    assert again.experiment.name == "small_deepened"
    assert (again.experiment.schedule.lr, again.experiment.schedule.until) == (0.01, 2)
    start = weights.load(again.experiment.weights)
    x = pictures((1, 8, 8), 8)
    assert output_change(runs.load(learned["A"]).net, start.net, x) == 0.0
    assert output_change(start.net, again.net, x) > 0.0
    assert tuple(start.card["classes"]) == again.classes


def test_a_plain_run_is_deepened_too(learned, tmp_path):
    found = deepen_run(learned["none"], DeepenPlan(updates=1), root=tmp_path)
    assert found.net == CifarConfig(depth=20, in_channels=1, shortcut="none")
    assert found.change <= 1e-5


def test_a_slimmed_run_is_a_run_without_some_blocks(learned, tmp_path):
    plan = SlimPlan(share=0.5, pictures=100, updates=2)
    found = slim_run(learned["A"], plan, root=tmp_path)
    assert len(found.slimmed.left_out) == 2
    assert found.net == SlimmedConfig(
        net=CifarConfig(depth=14, in_channels=1), left_out=tuple(sorted(found.slimmed.names))
    )
    assert found.chosen_with == "100 validation pictures"
    again = runs.load(found.result.folder)
    assert again.experiment.net == found.net
    assert again.experiment.schedule.lr == pytest.approx(0.01)
    assert sum(p.numel() for p in again.net.parameters()) == found.slimmed.after.parameters
    told = json.loads((found.page.parent / "slimming.json").read_text())
    assert list(told["alone"]) == ["stages.0.0", "stages.0.1", "stages.1.1", "stages.2.1"]
    assert told["after"]["test_error"] == found.result.test_error
    assert "2 of 6 residual functions left out" in found.page.read_text()
    # The statistics of its input are those of the run it was made of.
    assert torch.equal(again.normalize.mean, runs.load(learned["A"]).normalize.mean)
    more = slim_run(found.result.folder, SlimPlan(share=0.5, pictures=50, updates=1), root=tmp_path)
    assert set(found.slimmed.names) < set(more.net.left_out)
    assert len(more.net.left_out) == 3
    teacher = found.page.parent / "teacher.safetensors"
    assert again.experiment.loss.teacher == str(teacher)
    whole, taught = (
        each.net.state_dict() for each in (runs.load(learned["A"]), weights.load(teacher))
    )
    assert all(torch.equal(value, taught[name]) for name, value in whole.items())
    alone = slim_run(again.folder, SlimPlan(pictures=20, updates=1, distill=False), root=tmp_path)
    assert runs.load(alone.result.folder).experiment.loss.teacher is None


def test_without_validation_pictures_it_chooses_with_training_pictures(learned):
    trained = runs.load(learned["A"])
    splits = trained.experiment.load_data()
    without = dataclasses.replace(
        trained.experiment, data=Splits(train=splits.train, validation=None, test=splits.test)
    )
    images, words = pictures_to_choose_with(
        dataclasses.replace(trained, experiment=without), 64, seed=0
    )
    assert len(images) == 64
    assert words == "64 training pictures (the run has none to choose with)"
    part, words = pictures_to_choose_with(trained, 10_000, seed=0)
    assert part.fingerprint() == splits.validation.fingerprint()
    assert words == "360 validation pictures"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (SlimPlan(share=1.5), r"in \(0, 1\], got 1.5"),
        (SlimPlan(share=None, budget=-0.5), "at least 0, got -0.5"),
        (SlimPlan(share=None), "how far to go"),
        (SlimPlan(pictures=0), "at least 1 picture"),
        (SlimPlan(updates=0), "updates must be at least 1"),
    ],
)
def test_a_plan_without_sense_gets_a_sentence(learned, tmp_path, plan, words):
    with pytest.raises(ConfigError, match=words):
        slim_run(learned["A"], dataclasses.replace(plan, rerank=False), root=tmp_path)


def test_the_commands_print_before_and_after(learned, tmp_path, capsys):
    common = ("--runs", str(tmp_path), "--smoke")
    assert main(["deepen", str(learned["A"]), "--blocks", "1", *common]) == 0
    said = capsys.readouterr().out
    assert "weighted layers" in said
    assert "one of the family cifar, of depth 20" in said
    assert "changed by at most 0.0e+00" in said
    assert said.strip().endswith("report.html")
    options = ("--share", "0.25", "--pictures", "50", "--no-rerank")
    assert main(["slim", "last", *options, *common]) == 0
    said = capsys.readouterr().out
    assert "50 validation pictures" in said
    assert "ms per picture (batch 1" in said
    assert "test error % (360 images" in said
    page = said.strip().splitlines()[-1]
    assert page.endswith("small_deepened_slimmed/seed0/report.html")
    config = page.replace("report.html", "config.yaml")
    assert main(["evaluate", "last", "--runs", str(tmp_path)]) == 0
    assert main(["train", config, "--dry-run", "--net.net.order", "post"]) == 0
    assert "estimated time" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["deepen", "--blocks", "1", "2"], "has 3 stages, got numbers of blocks for 2"),
        (["deepen", "--after", "stages.7.0"], "is no block that another can stand behind"),
        (["slim", "--budget", "-1"], "at least 0, got -1"),
    ],
)
def test_what_does_not_fit_ends_with_a_sentence(learned, capsys, words, sentence):
    command, *others = words
    assert main([command, str(learned["A"]), *others]) == 2
    assert sentence in capsys.readouterr().err


def test_a_plain_run_cannot_be_slimmed(learned, capsys):
    assert main(["slim", str(learned["none"])]) == 2
    assert "no residual block that could be left out" in capsys.readouterr().err


def test_a_budget_is_kept_before_training_or_the_cost_is_said(learned, tmp_path, monkeypatch):
    plan = SlimPlan(share=None, budget=0.0, pictures=300, updates=1)
    errors = iter([1.0, *(float(error) for error in range(2, 10))])
    monkeypatch.setattr("residua.lab.slimming.error_on", lambda *_: lambda _net: next(errors))
    with pytest.raises(ConfigError, match=r"takes the error from 1\.00 to 2\.00 % on 300 valid"):
        slim_run(learned["A"], plan, root=tmp_path)
