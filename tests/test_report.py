import copy
import dataclasses
import functools
import html
import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from residua import plots, report
from residua.errors import CheckpointError
from residua.report.degradation import spread
from residua.report.manner import manner
from residua.report.page import duration, phrase, points, rate
from residua.report.run import interval
from residua.train.feedback import PlateauConfig

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="

CONFIG = """\
name: digits.resnet20
net:
  kind: cifar
  depth: 20
  shortcut: A
data:
  kind: digits
schedule:
  kind: cosine
  lr: 0.1
  until: 24
optimizer:
  kind: sgd
  momentum: 0.9
augment:
  kind: rotate_shift
  degrees: 12.0
batch_size: 128
seed: 3
select: last
claims: []
"""

ENVIRONMENT = {"torch": "2.15.0", "device": "cpu", "threads": 2, "precision": "float32"}

START = {
    "kind": "start",
    "time": 1000.0,
    "recipe": "digits.resnet20",
    "seed": 3,
    "digest": "aad8d40ee4b8",
    "sizes": [1077, 360, 40],
    "fingerprints": ["b55513d5b3a4", "1704fb3cc169", "7b760dfb99a5"],
    "classes": ["cat", "dog"],
    "shape": [1, 8, 8],
    "batch_size": 128,
    "until": 24,
    "plan": [
        {"start": 0, "stop": 8, "first_rate": 0.0125, "last_rate": 0.1, "what": "warm-up"},
        {"start": 8, "stop": 24, "first_rate": 0.1, "last_rate": 0.0009, "what": "cosine"},
    ],
    "layers": [
        {
            "name": "stem.conv",
            "kind": "Conv2d",
            "output": [16, 8, 8],
            "parameters": 144,
            "multiply_adds": 9216,
        },
        {
            "name": "stem.relu",
            "kind": "ReLU",
            "output": [16, 8, 8],
            "parameters": 0,
            "multiply_adds": 0,
        },
        {
            "name": "head",
            "kind": "Linear",
            "output": [2],
            "parameters": 1034,
            "multiply_adds": 1024,
        },
    ],
    "environment": ENVIRONMENT,
    "command": "residua train digits.resnet20 --seed 3",
}

RESULT = {
    "kind": "result",
    "time": 1012.5,
    "test_error": 5.0,
    "test_count": 40,
    "train_error": 0.25,
    "validation_error": 1.9,
    "seed": 3,
    "seconds": 12.25,
    "protocol": "top-1, one view of each picture",
    "selected_iteration": 24,
    "confusion": [[18, 2], [0, 20]],
    "mistakes": [
        {"index": 7, "label": 0, "predicted": 1, "probability": 0.873, "png": PNG},
        {"index": 9, "label": 0, "predicted": 1, "probability": 0.512, "png": PNG},
    ],
}


def epoch(iteration, train=10.0, validation=12.0, **values):
    return {
        "kind": "epoch",
        "time": 1000.0 + iteration / 2,
        "iteration": iteration,
        "lr": 0.1,
        "train_loss": train / 30,
        "train_error": train,
        "validation_loss": validation / 30,
        "validation_error": validation,
        "images_per_second": 5000.0,
    } | values


EPOCHS = [epoch(8, 60.0, 70.0), epoch(16, 5.0, 9.0), epoch(24, 0.25, 1.9)]


def record(folder, *events, config=CONFIG, **start):
    """Write the record of a run; `start` changes its first event."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(config)
    lines = [copy.deepcopy(START) | start, *events]
    (folder / "events.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder


def finished(folder, **changes):
    config = changes.pop("config", CONFIG)
    start = {name: changes.pop(name) for name in list(changes) if name in START}
    return record(folder, *EPOCHS, RESULT | changes, config=config, **start)


def page(folder):
    return report.write(folder).read_text()


class Text(HTMLParser):
    """What a reader reads."""

    def __init__(self, content):
        super().__init__()
        self.parts = []
        self.tags = []
        self.feed(content)

    def handle_data(self, data):
        self.parts.append(data)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def read(content):
    body = content[content.index("<body>") :]
    return " ".join(" ".join(Text(body).parts).split())


def degradation_runs(root, seeds=1, depths=(20, 56)):
    ends = {("none", 20): 0.5, ("none", 56): 52.25, ("A", 20): 0.25, ("A", 56): 0.125}
    runs = []
    for shortcut in ("none", "A"):
        for depth in depths:
            for seed in range(seeds):
                end = ends[shortcut, depth] * (1 + 0.1 * seed)
                rows = [epoch(8, 80.0, 85.0), epoch(16, 60.0, 65.0), epoch(24, end, end + 1)]
                last = RESULT | {
                    "train_error": end,
                    "validation_error": end + 1,
                    "test_error": end + 2,
                }
                name = f"digits.{'plain' if shortcut == 'none' else 'resnet'}{depth}"
                config = CONFIG.replace("shortcut: A", f"shortcut: {shortcut}")
                config = config.replace("depth: 20", f"depth: {depth}")
                folder = root / name / f"seed{seed}"
                runs.append(record(folder, *rows, last, config=config, recipe=name, seed=seed))
    return runs


DRAWN = {}


def once(draw):
    @functools.wraps(draw)
    def remembered(*args, **kwargs):
        key = repr((draw.__name__, args, kwargs))
        if key not in DRAWN:
            DRAWN[key] = draw(*args, **kwargs)
        return DRAWN[key]

    return remembered


@pytest.fixture(scope="module", autouse=True)
def equal_figures_are_drawn_once():
    """Most tests change words and leave the numbers of the figures as they are."""
    with pytest.MonkeyPatch.context() as patch:
        for name in plots.__all__:
            if name not in {"Band", "Network"}:
                patch.setattr(plots, name, once(getattr(plots, name)))
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The page of a run with nothing unusual."""
    return page(finished(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The folder of a degradation study with nothing unusual."""
    root = tmp_path_factory.mktemp("study")
    return report.write_degradation(root / "lab", degradation_runs(root / "runs")).parent


def test_the_page_begins_with_the_result_in_the_words_of_the_command(tmp_path):
    path = report.write(finished(tmp_path))
    assert path == tmp_path / "report.html"
    content = path.read_text()
    assert "<title>test error 5.0 % (40 images, seed 3) · digits.resnet20</title>" in content
    text = read(content)
    assert text.startswith("digits.resnet20 test error 5.0 % (40 images, seed 3)")
    assert "2 of 40 test images wrong, by top-1, one view of each picture" in text
    assert "with the weights of iteration 24, the last" in text


def test_the_numbers_are_those_of_the_record(whole):
    text = read(whole)
    assert "1,178 parameters, 10,240 multiply-adds an image" in text
    assert "1,077 to learn from, 360 to choose with, 40 to test on" in text
    assert "b55513d5b3a4 1704fb3cc169 7b760dfb99a5" in text
    assert "1.9 % and 0.2 % at iteration 24" in text
    assert "the 1,024 augmented training images of the last 8 updates" in text
    assert "12.2 s for 24 iterations of 128 images" in text
    assert "total 1,178 10,240" in text
    assert "8 to 23 0.1 0.0009" in text
    assert "cat dog 2 of 20 10.0 %" in text
    assert "cat, taken for dog with 0.87" in text
    assert "residua train digits.resnet20 --seed 3" in text


def test_the_selection_by_validation_is_said_with_its_iteration(tmp_path):
    config = CONFIG.replace("select: last", "select: best")
    text = read(page(finished(tmp_path, config=config, selected_iteration=16)))
    assert "the weights of iteration 16, chosen by the smallest validation error" in text
    assert "9.0 % and 5.0 % at iteration 16" in text


def test_a_page_needs_nothing_but_itself_and_runs_no_script(whole, study):
    for content in (whole, (study / "report.html").read_text()):
        tags = Text(content).tags
        assert set(re.findall(r"https?://[^\"<\s]+", content)) <= {
            "https://arxiv.org/abs/1512.03385"
        }
        sources = [attrs["src"] for _, attrs in tags if "src" in attrs]
        assert all(source.startswith("data:image/png;base64,") for source in sources)
        assert not {"script", "iframe", "object"} & {tag for tag, _ in tags}
        assert [attrs["href"] for tag, attrs in tags if tag == "link"] == ["data:,"]
        assert "@import" not in content
        assert "url(" not in re.sub(r"url\(#[^)]+\)", "", content)


def test_a_page_is_made_for_dark_narrow_and_paper(whole):
    assert "prefers-color-scheme: dark" in whole
    assert "color-scheme: light dark" in whole
    assert "@media print" in whole
    assert 'name="viewport"' in whole


def test_figures_and_tables_are_named_and_identifiers_unique(whole, study):
    for content in (whole, (study / "report.html").read_text()):
        tags = Text(content).tags
        names = [tag for tag, _ in tags]
        assert names.count("h1") == 1
        assert names.count("caption") == names.count("table")
        assert all(
            attrs["aria-label"] for _, attrs in tags if attrs.get("role") in {"img", "region"}
        )
        assert all(attrs["alt"] for tag, attrs in tags if tag == "img")
        identifiers = [attrs["id"] for _, attrs in tags if "id" in attrs]
        assert len(identifiers) == len(set(identifiers))
        targets = {attrs["aria-labelledby"] for _, attrs in tags if "aria-labelledby" in attrs}
        assert targets <= set(identifiers)


def test_every_figure_of_a_run_says_how_many_images_it_shows(whole):
    text = read(whole)
    assert "validation: 360 images" in text
    assert "label and prediction, n = 40" in text
    assert "among 40 test images" in text


def test_two_writes_are_equal_to_the_byte(tmp_path):
    run = finished(tmp_path / "run")
    first = page(run)
    DRAWN.clear()
    assert page(run) == first
    runs = degradation_runs(tmp_path / "runs")
    written = []
    for _ in range(2):
        DRAWN.clear()
        report.write_degradation(tmp_path / "lab", runs)
        written.append({path.name: path.read_bytes() for path in (tmp_path / "lab").iterdir()})
    assert written[0] == written[1]


def test_hostile_words_are_shown_and_not_obeyed(tmp_path):
    bad = '<script>alert("1")</script>'
    quote = '"><img src=x onerror=alert(2)>'
    config = CONFIG.replace("name: digits.resnet20", f"name: '{bad}'")
    config = config.replace(
        "claims: []",
        f"claims:\n- {{metric: '{bad}', value: 1.0, unit: u, statistic: s, source: p}}",
    )
    plan = [{**START["plan"][0], "what": bad}]
    layers = [{**START["layers"][0], "name": bad, "kind": quote}]
    environment = {**ENVIRONMENT, bad: quote}
    mistakes = [{**RESULT["mistakes"][0], "png": quote}]
    run = finished(
        tmp_path,
        config=config,
        recipe=bad,
        classes=[bad, quote],
        plan=plan,
        layers=layers,
        environment=environment,
        command=bad,
        protocol=bad,
        mistakes=mistakes,
    )
    content = page(run)
    assert "<script" not in content
    assert "<img src=x" not in content
    assert html.escape(bad, quote=False).split('"')[0] in content
    assert "{{ 7*7 }}" in page(finished(tmp_path / "other", classes=["{{ 7*7 }}", "$x^2$"]))


def test_a_run_without_mistakes_says_so(tmp_path):
    text = read(page(finished(tmp_path, mistakes=[], test_error=0.0, confusion=[[20, 0], [0, 20]])))
    assert "There are none: all 40 test images were named right." in text
    assert "No class was taken for another." in text


def test_one_mistake_is_one(tmp_path):
    one = RESULT["mistakes"][:1]
    text = read(page(finished(tmp_path, mistakes=one, confusion=[[19, 1], [0, 20]])))
    assert "The only mistake among 40 test images." in text
    assert "1 of 40 test images wrong" in text


def test_more_mistakes_than_are_shown_are_counted(tmp_path):
    text = read(page(finished(tmp_path, confusion=[[10, 10], [3, 17]])))
    assert "The 2 most confident of 13 mistakes among 40 test images" in text


def test_small_pictures_are_enlarged_pixel_by_pixel_and_large_ones_not(tmp_path):
    assert 'class="gallery pixelated"' in page(finished(tmp_path / "small"))
    assert 'class="gallery"' in page(finished(tmp_path / "large", shape=[3, 224, 224]))


def test_many_classes_get_a_table_of_pairs_instead_of_a_matrix(tmp_path):
    size = 100
    confusion = [[7 if row == column else 0 for column in range(size)] for row in range(size)]
    confusion[42][17] = 5
    names = [f"class {i}" for i in range(size)]
    content = page(finished(tmp_path, classes=names, confusion=confusion))
    assert "Confusion matrix" not in content
    assert "class 42 class 17 5 of 12 41.7 %" in read(content)


def test_an_interrupted_run_says_why_and_how_to_go_on(tmp_path):
    stop = {"kind": "stop", "time": 1009.0, "reason": "interrupted after iteration 17 of 24"}
    run = record(tmp_path / "a run", *EPOCHS[:2], stop)
    content = page(run)
    text = read(content)
    assert "no test error (iteration 16 of 24, seed 3)" in text
    assert "has not come to its end: interrupted after iteration 17 of 24." in text
    assert f"residua train --resume '{run}'" in text
    assert "residua evaluate" not in text
    assert "9.0 s for 16 iterations" in text
    assert "test error 5.0" not in content


def test_a_run_that_was_killed_says_how_far_its_record_goes(tmp_path):
    assert "the record ends at iteration 16 of 24" in read(page(record(tmp_path, *EPOCHS[:2])))


@pytest.mark.parametrize(
    "rows", [[], [epoch(8, 60.0, 70.0, train_loss=float("nan"), validation_loss=float("inf"))]]
)
def test_a_run_that_diverged_has_a_page(tmp_path, rows):
    stop = {"kind": "stop", "time": 1001.0, "reason": "the loss is nan at iteration 3"}
    text = read(page(record(tmp_path, *rows, stop)))
    assert "the loss is nan at iteration 3" in text
    assert ("nothing to draw" in text) == (not rows)


def test_a_resumed_run_shows_each_iteration_once_and_no_pause(tmp_path):
    resume = {
        "kind": "resume",
        "time": 5000.0,
        "iteration": 8,
        "environment": {**ENVIRONMENT, "torch": "2.16.1"},
        "command": "x",
    }
    again = [epoch(16, 5.0, 9.0, time=5004.0), epoch(24, 0.25, 1.9, time=5008.0)]
    run = record(tmp_path, *EPOCHS[:2], resume, *again, {**RESULT, "time": 5009.0})
    text = read(page(run))
    assert "17.0 s for 24 iterations" in text
    assert "resumed at iteration 8" in text
    assert "2.16.1" in text


def test_a_run_of_one_epoch_has_a_page(tmp_path):
    result = {**RESULT, "selected_iteration": 8}
    assert "test error 5.0 %" in read(page(record(tmp_path, EPOCHS[0], result, until=8)))


def test_claims_stand_beside_what_was_measured(tmp_path):
    claims = """claims:
- {metric: test_error, value: 8.75, unit: percent, statistic: best of 5, source: 'He, table 6'}
- {metric: parameters, value: 1178, unit: parameters, statistic: exact, source: ours}
- {metric: speed, value: 3.0, unit: ms, statistic: single run, source: ours}
"""
    text = read(page(finished(tmp_path, config=CONFIG.replace("claims: []\n", claims))))
    one = "one view of each picture"
    assert f"test error 8.75 5.00 -3.75 percent best of 5 {one} He, table 6" in text
    assert "parameters 1,178 1,178 +0.00 parameters exact ours" in text
    assert "speed 3.00 not measured ms" in text


def test_without_claims_there_is_no_table_of_them(whole):
    assert "Claims" not in whole


def test_a_net_that_was_handed_over_has_no_command_to_repeat_it(tmp_path):
    config = CONFIG.replace(
        "  kind: cifar\n  depth: 20\n  shortcut: A\n", "  kind: given\n  type: mine:Net\n"
    )
    text = read(page(finished(tmp_path, config=config)))
    assert "handed over in Python" in text
    assert "config.yaml Test" not in text
    assert "mine:Net" in text


@pytest.mark.parametrize(
    ("missing", "message"),
    [("events.jsonl", "it has no events.jsonl"), ("config.yaml", "it has no config.yaml")],
)
def test_a_folder_without_a_record_is_refused(tmp_path, missing, message):
    (finished(tmp_path) / missing).unlink()
    with pytest.raises(CheckpointError, match=message):
        report.write(tmp_path)


def test_a_record_without_a_beginning_or_with_damaged_settings_is_refused(tmp_path):
    run = finished(tmp_path)
    (run / "config.yaml").write_text("a: [")
    with pytest.raises(CheckpointError, match="is not YAML"):
        report.write(run)
    (run / "config.yaml").write_text("just words")
    with pytest.raises(CheckpointError, match="must be a mapping"):
        report.write(run)
    (run / "events.jsonl").write_text(f"{json.dumps(EPOCHS[0])}\n")
    with pytest.raises(CheckpointError, match="no record of a start"):
        report.write(run)


def test_importing_the_report_does_not_import_what_draws_it():
    heavy = "{'matplotlib', 'torch', 'numpy', 'jinja2'}"
    code = f"import sys; from residua import report; sys.exit(bool({heavy} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_degradation_says_what_one_sees_with_the_numbers(study):
    text = read((study / "report.html").read_text())
    assert "20 to 56 layers: +51.8 points of training error without shortcuts, -0.1 with" in text
    assert (
        "plain-56 ends at 52.2 % training error, plain-20 at 0.5 %; "
        "ResNet-56 at 0.1 %, ResNet-20 at 0.2 % (one training each)." in text
    )
    assert "training error of plain networks changes by +51.8 points" in text
    assert "plain-56 1 1,178 10,240 52.2 53.2 54.2 12.2" in text
    assert "this is not overfitting" in text
    assert "With shortcuts, which make the identity easy to express, it does." in text
    assert "n = 1 training of each network" in text
    assert (study / "figure.svg").read_text().startswith("<svg xmlns")
    assert (study / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_where_depth_hurts_with_shortcuts_too_nothing_is_said_of_them(tmp_path):
    runs = {run.parent.name: run for run in degradation_runs(tmp_path / "runs")}
    events = (runs["digits.plain56"] / "events.jsonl").read_text()
    path = runs["digits.resnet56"] / "events.jsonl"
    path.write_text(events.replace("digits.plain56", "digits.resnet56"))
    text = read(report.write_degradation(tmp_path / "lab", list(runs.values())).read_text())
    assert "The deeper residual network is behind its shallow one too" in text
    assert "this is not overfitting" not in text


def test_several_seeds_are_means_with_deviation_and_n(tmp_path):
    runs = degradation_runs(tmp_path / "runs", seeds=3)
    text = read(report.write_degradation(tmp_path / "lab", runs).read_text())
    assert "plain-56 ends at 57.5 % training error" in text
    assert "(means of n = 3 trainings each)" in text
    assert "n = 3 trainings of each network" in text
    assert "plain-56 3 1,178 10,240 57.5 ± 5.2" in text


def test_a_single_depth_is_shown_and_concludes_nothing(tmp_path):
    runs = degradation_runs(tmp_path / "runs", depths=(20,))
    text = read(report.write_degradation(tmp_path / "lab", runs).read_text())
    assert "Plain and residual networks of 20 layers" in text
    assert "overfitting" not in text


def test_runs_without_a_result_are_named_and_in_no_number(tmp_path):
    runs = degradation_runs(tmp_path / "runs")
    stop = {"kind": "stop", "time": 1009.0, "reason": "interrupted after iteration 17 of 24"}
    config = (runs[1] / "config.yaml").read_text()
    record(runs[1], *EPOCHS[:2], stop, config=config, recipe="digits.plain56")
    text = read(report.write_degradation(tmp_path / "lab", runs).read_text())
    assert "digits.plain56, seed 3: interrupted after iteration 17 of 24" in text
    assert "plain-56 0 1,178 10,240 no result no result" in text
    assert "plain-56 (unfinished)" in text
    assert "overfitting" not in text


def test_families_are_compared_at_depths_at_which_both_came_to_their_end(tmp_path):
    runs = degradation_runs(tmp_path / "runs")
    config = (runs[1] / "config.yaml").read_text().replace("depth: 56", "depth: 110")
    runs.append(finished(tmp_path / "deep", config=config, recipe="digits.plain110"))
    text = read(report.write_degradation(tmp_path / "lab", runs).read_text())
    assert "20 to 56 layers: +51.8 points of training error without shortcuts, -0.1 with" in text
    assert "From 20 to 110" not in text


def test_nothing_recorded_yet_is_said(tmp_path):
    run = record(tmp_path / "run")
    text = read(report.write_degradation(tmp_path / "lab", [run]).read_text())
    assert "No training has come to its end." in text
    assert "nothing to draw" in text


def test_trainings_that_are_not_alike_are_pointed_out(tmp_path):
    runs = degradation_runs(tmp_path / "runs")
    finished(runs[0], config=(runs[0] / "config.yaml").read_text(), batch_size=64)
    text = read(report.write_degradation(tmp_path / "lab", runs).read_text())
    assert "The trainings differ in their images, batch size or learning rates" in text
    assert "in the same order for the same seed" not in text


def test_a_study_of_nothing_or_of_another_network_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="at least one run"):
        report.write_degradation(tmp_path / "lab", [])
    config = CONFIG.replace(
        "  kind: cifar\n  depth: 20\n  shortcut: A\n", "  kind: given\n  type: mine:Net\n"
    )
    run = finished(tmp_path / "run", config=config, recipe="mine")
    with pytest.raises(CheckpointError, match="unknown depth"):
        report.write_degradation(tmp_path / "lab", [run])


def test_the_interval_is_wilsons():
    assert interval(1, 360) == pytest.approx((0.049, 1.557), abs=0.002)
    assert interval(0, 360) == pytest.approx((0.0, 1.056), abs=0.002)
    assert interval(360, 360)[1] == pytest.approx(100)


def test_numbers_in_words():
    assert [duration(7.24), duration(125), duration(7300)] == ["7.2 s", "2 min 5 s", "2 h 1 min"]
    assert [spread([]), spread([1.25]), spread([1.0, 3.0])] == ["no result", "1.2", "2.0 ± 1.4"]
    assert [rate(0.1), rate(2.741e-06), rate(3e-12)] == ["0.1", "2.74·10⁻⁶", "3·10⁻¹²"]
    assert [points(51.75), points(-0.04), points(-1.0)] == ["+51.8", "0.0", "-1.0"]
    assert phrase({"kind": "given", "type": "my_pkg:Net"}) == "given, my_pkg:Net"
    assert phrase({"kind": "sgd", "weight_decay": 5e-4, "nesterov": True}) == (
        "sgd, weight decay 0.0005, nesterov yes"
    )
    assert phrase({"kind": "steps", "at": [30, 60]}) == "steps, at 30 and 60"
    assert phrase(None) == "None"


def test_later_tests_are_shown_with_their_protocol(tmp_path):
    test = {
        "kind": "evaluation",
        "images": "test",
        "weights": "best",
        "count": 40,
        "protocol": "top-1, 10-crop",
        "top1_error": 4.25,
        "top5_error": None,
        "calibration_error": 1.5,
        "loss": 0.125,
    }
    finished(tmp_path)
    (tmp_path / "evaluations.jsonl").write_text(f"{json.dumps(test)}\n")
    text = read(page(tmp_path))
    assert "Tested again" in text
    assert "test 40 best top-1, 10-crop 4.2 none 1.5 0.125" in text


def test_without_later_tests_and_maps_the_page_is_silent_about_them(whole):
    text = read(whole)
    assert "Tested again" not in text
    assert "activation maps" not in text
    assert 'type="checkbox"' not in whole


def test_every_class_is_listed_with_what_it_was_taken_for(whole):
    text = read(whole)
    assert "cat 20 2 10.0 % dog dog 20 0 0.0 %" in text
    assert "by top-1, one view of each picture" in text


def test_calibration_is_said_where_it_is_recorded(tmp_path):
    changes = {"top5_error": 0.5, "calibration_error": 1.25, "loss": 0.125}
    text = read(page(finished(tmp_path, **changes)))
    assert "top-5 error 0.5 %, calibration error 1.2 %, loss 0.125 nats" in text


def test_what_spoke_for_a_mistake_is_laid_over_it_and_can_be_taken_off(tmp_path):
    mistakes = [{**RESULT["mistakes"][0], "evidence": PNG}, RESULT["mistakes"][1]]
    content = page(finished(tmp_path, mistakes=mistakes))
    tags = Text(content).tags
    overlays = [attrs for tag, attrs in tags if attrs.get("class") == "evidence"]
    assert [attrs["alt"] for attrs in overlays] == ["Where it speaks for dog rather than for cat"]
    boxes = [attrs for tag, attrs in tags if tag == "input"]
    assert [(box["type"], box["id"], "checked" in box) for box in boxes] == [
        ("checkbox", "evidence", True)
    ]
    assert [attrs["for"] for tag, attrs in tags if tag == "label"] == ["evidence"]
    assert ":has(#evidence:not(:checked)) .evidence { display: none; }" in content
    assert "class activation maps" in read(content)


def test_a_rate_that_depends_on_the_run_is_not_drawn_as_planned(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "rates", lambda planned, *rest, **more: drawn.append(planned) or "")
    plan = [dataclasses.asdict(phase) for phase in PlateauConfig(until=24).phases()]
    text = read(page(finished(tmp_path, plan=plan)))
    assert [math.isnan(rate) for _, rate in drawn[0]] == [True]
    assert "when depends on the run 0 to 23 0.1 at least 0.0001" in text
    assert "where there is none, the rate depends on the run" in text


def test_what_is_not_usual_is_told_with_the_plan(tmp_path, whole):
    assert "Besides" not in read(whole)
    unusual = """claims: []
normalize: {kind: pixel_mean}
loss: {label_smoothing: 0.1, mixup: 0.2, cutmix: 0.0}
average: {decay: 0.999, warmup: true}
weights: my_weights.pth
balance: true
accumulate: 4
"""
    text = read(page(finished(tmp_path, config=CONFIG.replace("claims: []\n", unusual))))
    assert (
        "Besides: normalization: pixel mean; loss: cross-entropy, label smoothing 0.1, mixup 0.2; "
        "tested: an average of the weights, decay 0.999, warmup yes; begins from the weights of "
        "my_weights.pth; every class is shown equally often; each batch of 128 is computed in 4 "
        "parts; batch norm sees 32 images at a time."
    ) in text


def test_several_processes_and_synchronized_norms_are_counted():
    settings = {"batch_size": 128, "accumulate": 2}
    assert manner(settings, processes=2)[-1] == "batch norm sees 32 images at a time"
    assert manner(settings | {"sync_norm": True}, processes=2)[-1].endswith("64 images at a time")
    assert manner({"batch_size": 128, "sync_norm": True}, processes=2) == []


def test_without_an_average_none_is_told():
    assert manner({"average": {"decay": 0.0, "warmup": True}}) == []


def test_a_chain_of_augmentations_is_words():
    steps = [{"kind": "colour_jitter", "hue": 0.1}, {"kind": "as_is"}]
    assert phrase({"kind": "chain", "steps": steps}) == (
        "chain, steps colour jitter (hue 0.1) and as is"
    )
