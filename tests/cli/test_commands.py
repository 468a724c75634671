import re
import subprocess
import sys

import pytest
from PIL import Image, ImageDraw

from residua.errors import ConfigError

FAST = ["--net.depth", "8", "--schedule.until", "12", "--schedule.warmup", "0"]


@pytest.fixture
def trained(run):
    code, text = run("train", *FAST)
    assert code == 0
    return text


def seven(path, invert=False):
    """Draw a seven as light ink on dark, or the other way round."""
    picture = Image.new("L", (64, 64), 255 if invert else 0)
    draw = ImageDraw.Draw(picture)
    draw.line([(14, 10), (50, 10), (26, 58)], fill=0 if invert else 255, width=8)
    picture.save(path)
    return str(path)


def test_training_ends_with_the_error_and_the_page(trained, tmp_path):
    *_, error, page = trained.strip().splitlines()
    assert re.fullmatch(r"test error \d+\.\d % \(360 images, seed 0\)", error)
    assert page == "runs/digits.resnet20/seed0/report.html"
    assert (tmp_path / page).stat().st_size > 10_000


def test_without_a_terminal_each_epoch_is_one_clean_line(trained):
    epochs = [line for line in trained.splitlines() if line.startswith("epoch")]
    assert len(epochs) == 2
    assert all(re.search(r"loss \d.*error \d.*validation \d", line) for line in epochs)
    assert "\x1b" not in trained
    assert "\r" not in trained


def test_the_plan_is_printed_before_training(trained):
    before, _, _ = trained.partition("epoch ")
    assert "0.1 to" in before
    assert "1,077 images to learn from, 360 to choose with, 360 to test on" in before


def test_a_dry_run_prints_plan_layers_and_estimate_and_writes_nothing(run, tmp_path):
    code, text = run("train", "--dry-run", *FAST)
    assert code == 0
    assert "stages.0.0.residual.conv1" in text
    assert re.search(r"estimated time \d+ s", text)
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_predicts_memory_and_time_of_a_step(run):
    code, text = run("train", "--dry-run", "--batch-size", "16", *FAST)
    assert code == 0
    assert re.search(
        r"predicted: a training step of 16 pictures takes \d+ MB of memory .* s ", text
    )


def test_memory_that_is_too_little_is_answered_with_what_would_do(run):
    code, text = run("train", "--memory", "5MB", *FAST)
    assert code == 2
    assert re.search(r"memory 5 MB is not enough: .* predicted to take \d+ MB", text)
    code, text = run("train", "--memory", "much", *FAST)
    assert (code, "like 6GB, 800MB or 6GiB, got 'much'" in text) == (2, True)


def test_memory_is_kept_when_a_run_is_resumed(run, monkeypatch):
    given = []
    monkeypatch.setattr(
        "residua.cli.train.runs.start",
        lambda folder: {
            "environment": {"threads": 1, "device_type": "cpu"},
            "memory": {"budget": 77},
        },
    )
    monkeypatch.setattr("residua.cli.train.runs.find", lambda name, root: name)

    def resume(folder, *, device, memory, listen):
        given.append(memory)
        raise ConfigError("enough seen")

    monkeypatch.setattr("residua.cli.train.execute.resume", resume)
    run("train", "--resume", "some")
    run("train", "--resume", "some", "--memory", "2GB")
    assert given == [77, 2_000_000_000]


def test_show_predicts_a_training_step(run):
    code, text = run("show", "digits.resnet20", "--batch", "16")
    assert code == 0
    assert re.search(r"a training step of 16 pictures takes \d+ MB of memory .* images/s", text)
    assert "recomputing all activations it would take" in text
    code, text = run("show", "digits.resnet20", "--batch", "0")
    assert (code, "batch must be at least 1, got 0" in text) == (2, True)


def test_seeds_end_with_their_statistics(run):
    code, text = run("train", "--seeds", "2", "--seed", "5", *FAST)
    assert code == 0
    assert "seed 5)" in text
    assert "seed 6)" in text
    assert re.search(r"± \d+\.\d\d % \(mean ± std of n = 2 seeds\), median", text)


def test_a_config_of_a_run_can_be_trained_again(run, trained):
    code, _ = run("train", "runs/digits.resnet20/seed0/config.yaml", "--seed", "4")
    assert code == 0
    code, text = run("train", "missing.yaml")
    assert (code, "missing.yaml is not a file" in text) == (2, True)


def test_an_unknown_key_in_a_config_is_answered_with_the_closest(run, trained, tmp_path):
    config = (tmp_path / "runs/digits.resnet20/seed0/config.yaml").read_text()
    (tmp_path / "bad.yaml").write_text(config.replace("batch_size:", "batchsize:"))
    code, text = run("train", "bad.yaml")
    assert code == 2
    assert "batchsize: no such setting (did you mean batch_size" in text


def test_ones_own_recipe_trains(run, tmp_path):
    (tmp_path / "my_recipes_b.py").write_text(
        "from residua.recipes.digits import resnet20\ndef mine():\n    return resnet20().smoke()\n"
    )
    assert run("train", "my_recipes_b:mine")[0] == 0


def test_evaluate_repeats_the_number_of_the_run(run, trained):
    error = re.search(r"test error (\d+\.\d) %", trained)[1]
    code, text = run("evaluate", "last")
    assert code == 0
    assert f"test error {error} % (360 images" in text
    code, text = run("evaluate", "runs/digits.resnet20/seed0", "--part", "validation")
    assert "validation error" in text


def test_evaluate_tests_on_other_pictures(run, trained, tmp_path):
    (tmp_path / "set" / "7").mkdir(parents=True)
    seven(tmp_path / "set" / "7" / "a.png")
    code, text = run("evaluate", "last", "--data", "set")
    assert code == 0
    assert "error on set" in text
    assert "(1 images" in text
    (tmp_path / "set" / "x").mkdir()
    code, text = run("evaluate", "last", "--data", "set")
    assert (code, "has the class x" in text) == (3, True)


def test_predict_names_classes_with_their_probability(run, trained, tmp_path):
    code, text = run("predict", "last", seven(tmp_path / "seven.png"), "--top", "2")
    assert code == 0
    assert re.search(r"seven.png: \d \d+\.\d %, \d \d+\.\d %\n", text)


def test_predict_notices_swapped_light_and_dark(run, trained, tmp_path):
    path = seven(tmp_path / "seven.png", invert=True)
    assert "(--invert)" in run("predict", "last", path)[1]
    assert "(--invert)" not in run("predict", "last", path, "--invert")[1]


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "is not there"), (b"rubbish", "is not a picture")]
)
def test_predict_answers_files_that_are_no_pictures(run, trained, tmp_path, content, sentence):
    if content is not None:
        (tmp_path / "x.png").write_bytes(content)
    code, text = run("predict", "last", "x.png")
    assert (code, sentence in text) == (3, True)


def test_predict_without_pictures_says_how(run, trained):
    code, text = run("predict", "last")
    assert (code, "predict RUN IMAGE" in text) == (2, True)


def test_a_run_without_weights_is_said(run, trained, tmp_path):
    (tmp_path / "runs/digits.resnet20/seed0/weights/last.safetensors").unlink()
    code, text = run("evaluate", "last")
    assert (code, "last.safetensors is missing" in text) == (4, True)


def test_show_prints_the_card(run):
    code, text = run("show", "digits.resnet20")
    assert code == 0
    assert "269,434" in text
    assert "16x8x8" in text
    assert "floor((8 + 2*1 - 1*(3 - 1) - 1) / 2) + 1 = 4" in text
    code, text = run("show", "cifar.resnet20")
    assert re.search(r"parameters +269,722\n", text)
    assert re.search(r"multiply-adds +40,551,040\n", text)
    assert "unknown" not in text


def test_show_compares_with_a_network_of_another_library(run):
    code, text = run("show", "torchvision:resnet50", "--against", "imagenet.resnet50")
    assert code == 0
    assert re.search(r"stride of bottlenecks +on the 3x3 +on the 1x1", text)
    code, text = run("show", "torchvision:resnet18", "--against", "torchvision:resnet18")
    assert "do not differ" in text


def test_show_finds_no_shortcuts_where_there_are_none(run):
    assert re.search(r"shortcuts +none found", run("show", "torchvision:alexnet")[1])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["torchvision:resnet5"], "torchvision has no resnet5"),
        (["no_such_library:net"], "cannot import no_such_library"),
        (["collections:OrderedDict"], "made OrderedDict, not a torch.nn.Module"),
        (["cifar.resnet20", "--size", "3x32"], "like 3x224x224, got 3x32"),
        (["cifar.resnet20", "--size", "1x32x32"], "must have 3 channels, got 1"),
    ],
)
def test_show_answers_what_it_cannot_show(run, words, sentence):
    code, text = run("show", *words)
    assert (code, sentence in text) == (2, True), text


def test_show_answers_an_unknown_net(run):
    code, text = run("show", "cifar.resnt20")
    assert (code, "cifar.resnet20" in text) == (2, True)


def test_list_names_recipes_and_networks(run):
    code, text = run("list")
    assert code == 0
    assert "digits.plain56" in text
    assert "cifar" in text


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["train", "--net.depth", "21"], 2, "got 21 (try 20 or 26)"),
        (["train", "--net.detph", "20"], 2, "--net.depth"),
        (["train", "--net.shortcut", "Z"], 2, "'A', 'B'"),
        (["train", "--seeds", "0"], 2, "seeds must be at least 1, got 0"),
        (["train", "--threads", "0"], 2, "threads must be at least 1"),
        (["train", "."], 3, ". holds no pictures: it should have one sub-folder of pictures"),
        (["train", "--augment.pixels", "-3"], 2, "must be at least 0"),
        (["train", "--device", "tpu"], 2, "device tpu is not there"),
        (["train", "--schedule.lr", "-1"], 2, "schedule.lr must be above 0"),
        (["train", "--batch-size", "0"], 2, "batch_size must be at least 1"),
        (["train", "--optimizer.momentum", "-1"], 2, "Invalid momentum value: -1.0"),
        (["train", "--resume", "nothing"], 4, "nothing is not a run"),
        (["train", "--net.num-classes", "7"], 2, "the data have 10 classes"),
        (["evaluate", "last"], 4, "there is no last run"),
        (["lab", "degradaton"], 2, "did you mean degradation"),
        (["lab", "degradation", "--seeds", "0"], 2, "at least one seed"),
        (["lab", "degradation", "--depths", "21"], 2, "got 21 (try 20 or 26)"),
        (["lab", "degradation", "--budget", "soon"], 2, "1m, 10m or 1h, or full"),
        (["lab", "degradation", "--data", "minst"], 2, "did you mean mnist?"),
        (["lab", "shortcuts", "--seeds", "0"], 2, "at least one seed, got 0"),
    ],
)
def test_bad_input_gets_a_sentence(run, words, code, sentence):
    found, text = run(*words)
    assert (found, sentence in text) == (code, True), text


def test_a_run_that_cannot_write_says_so(run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    code, text = run("train", "--smoke", "--runs", "file")
    assert (code, "cannot write" in text) == (5, True)


def test_an_interrupted_training_is_resumed_by_the_command_it_prints(run, tmp_path, monkeypatch):
    import os
    import signal

    from residua.cli.screen import Screen

    class StopAtFive(Screen):
        def __call__(self, event):
            super().__call__(event)
            if event["kind"] == "update" and event["iteration"] == 5:
                os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr("residua.cli.train.Screen", StopAtFive)
        code, text = run("train", *FAST)
    assert code == 5
    command = re.search(r"residua (train --resume \S+)", text)[1]
    code, text = run(*command.split())
    assert code == 0
    assert "going on after iteration 5" in text
    assert "test error" in text


def test_one_unreadable_picture_does_not_keep_the_others(run, trained, tmp_path):
    (tmp_path / "empty").mkdir()
    code, text = run("predict", "last", "missing.png", seven(tmp_path / "seven.png"), "empty")
    assert code == 3
    assert re.search(r"seven.png: \d", text)
    assert "missing.png is not there; empty is a folder, not a picture" in text


def test_a_reader_that_goes_away_does_not_stop_a_training(tmp_path):
    command = f"{sys.executable} -m residua train {' '.join(FAST)} | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "runs/digits.resnet20/seed0/report.html").exists()


def test_a_recipe_that_fails_is_a_sentence(run, tmp_path):
    (tmp_path / "my_recipes_c.py").write_text("def mine():\n    return 1 / 0\n")
    code, text = run("train", "my_recipes_c:mine")
    assert (code, "my_recipes_c:mine raised ZeroDivisionError" in text) == (2, True)
    (tmp_path / "my_recipes_d.py").write_text("def mine(:\n")
    code, text = run("train", "my_recipes_d:mine")
    assert (code, "importing it raised SyntaxError" in text) == (2, True)


def test_seeds_of_a_module_that_is_handed_over_are_refused(run, tmp_path):
    (tmp_path / "my_recipes_e.py").write_text(
        "import dataclasses\nfrom torch import nn\nfrom residua.recipes.digits import resnet20\n"
        "def net():\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))\n"
        "def module():\n    return dataclasses.replace(resnet20().smoke(), net=net())\n"
        "def function():\n    return dataclasses.replace(resnet20().smoke(), net=net)\n"
    )
    code, text = run("train", "my_recipes_e:module", "--seeds", "2")
    assert (code, "hand over a function that makes it" in text) == (2, True)
    assert run("train", "my_recipes_e:function", "--seeds", "2")[0] == 0


def test_a_study_goes_on_in_its_folder(run, tmp_path):
    words = ("lab", "activations", "--smoke", "--depth", "8", "--seeds", "1", "--into", "mine")
    code, text = run(*words)
    assert code == 0
    assert "training 5 of 5: digits.full_preact8, seed 0" in text
    assert text.strip().endswith("mine/report.html")
    trained = sorted(tmp_path.glob("mine/*/*/events.jsonl"))
    before = [path.read_text() for path in trained]
    assert run(*words)[0] == 0
    assert sorted(tmp_path.glob("mine/*/*/events.jsonl")) == trained
    assert [path.read_text() for path in trained] == before
    code, text = run("lab", "degradation", "--into", "mine")
    assert (code, "mine holds the study activations" in text) == (2, True)


def test_the_laboratory_draws_a_page(run, tmp_path):
    code, text = run("lab", "degradation", "--smoke", "--depths", "20")
    assert code == 0
    assert text.strip().endswith("runs/lab/degradation/report.html")
    for name in ("report.html", "figure.svg", "figure.png"):
        assert (tmp_path / "runs/lab/degradation" / name).stat().st_size > 1000
