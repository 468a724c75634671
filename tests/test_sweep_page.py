import xml.etree.ElementTree as ET

import pytest

from residua import plots, report
from residua.errors import CheckpointError
from residua.report import Entry, Sweep
from residua.report.convergence import convergence
from residua.report.record import read as read_record
from residua.report.sweep import finding, printed
from residua.report.twins import group
from test_report import CONFIG, RESULT, epoch, read, record

PAPER = "2016 (CIFAR-10)"


def training(root, name, seed, error, *rows, **start):
    rows = rows or (epoch(8, 60.0, 70.0), epoch(16, 5.0, 9.0), epoch(24, error / 2, error))
    last = RESULT | {"test_error": error, "train_error": error / 2, "seed": seed}
    return record(root / f"digits.{name}" / f"seed{seed}", *rows, last, seed=seed, **start)


def sweep(*entries):
    return Sweep(
        name="orders",
        title="Two orders",
        entries=entries,
        why="40 updates each",
        notes=["Mind the axes."],
        source="After a paper.",
    )


def entry(name, runs, printed):
    return Entry(name=name, does=f"does {name}", runs=runs, paper={PAPER: printed})


@pytest.fixture
def two(tmp_path):
    early = [training(tmp_path, "early", seed, 2.0 + 2 * seed) for seed in (0, 1)]
    late = [training(tmp_path, "late", seed, 7.0) for seed in (0, 1)]
    return entry("early", early, "6.61"), entry("late", late, "fail")


def test_the_page_has_means_deviations_n_and_what_the_paper_prints(tmp_path, two):
    path = report.write_sweep(tmp_path, sweep(*two))
    text = read(path.read_text())
    # 2 and 4: mean 3, deviation the square root of 2.
    assert "early 2 1,178 1.5 ± 0.7 1.9 ± 0.0 3.0 ± 1.4 12.2 ± 0.0 6.61" in text
    assert "late 2 1,178 3.5 ± 0.0 1.9 ± 0.0 7.0 ± 0.0 12.2 ± 0.0 fail" in text
    assert "early errs least here, 3.0 ± 1.4 %" in text
    assert "How long: 40 updates each." in text
    assert "Mind the axes." in text
    # 60, 5 and, with the last look, 1 or 2 % for one setting, 3.5 % for the other.
    assert "early 16 ± 0 16 ± 0 24 ± 0" in text
    assert "late 16 ± 0 16 ± 0 not reached" in text
    assert (tmp_path / "figure.svg").read_text().startswith("<svg xmlns")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


class Fake:
    def __init__(self, name, *errors, printed=""):
        paper = {PAPER: printed} if printed else {}
        self.entry, self.finished = Entry(name=name, does="", runs=(), paper=paper), errors

    def values(self, _):
        return self.finished


def test_the_best_is_named_with_those_it_is_not_told_apart_from():
    # Standard errors of the difference: sqrt(2 / 2 + 2 / 2) for b, so that 2.8 points are needed.
    rows = [Fake("a", 1.0, 3.0), Fake("b", 3.0, 5.0), Fake("c", 5.0, 7.0)]
    assert finding(rows) == "a errs least here, 2.0 ± 1.4 %; one other is not told apart from it"
    assert finding(rows[::2]) == "a errs least here, 2.0 ± 1.4 %, and is told apart from all others"
    alike = [*rows, Fake("d", 2.0, 4.0)]
    assert finding(alike).endswith("; 2 of 3 others are not told apart from it")
    single = [Fake("a", 1.0), Fake("b", 9.0)]
    assert finding(single) == "a errs least here, 1.0 %; one training of each tells little"
    assert finding(rows[:1]) == ""


def test_the_best_of_the_paper_is_named():
    rows = [Fake("a", printed="6.5"), Fake("b", printed="5.25"), Fake("c", printed="fail")]
    assert printed(rows) == [f"b ({PAPER}, 5.25 %)"]
    assert printed([Fake("d")]) == []


def test_a_training_that_diverged_is_named_and_in_no_number(tmp_path, two):
    stop = {"kind": "stop", "time": 1001.0, "reason": "the loss is nan at iteration 3"}
    wild = record(tmp_path / "digits.wild" / "seed0", stop)
    text = read(report.write_sweep(tmp_path, sweep(*two, entry("wild", [wild], ""))).read_text())
    assert "wild, seed 3: the loss is nan at iteration 3" in text
    assert "wild 0 1,178 none none none none" in text
    assert "n = 0 to 2 trainings" in text


def test_nothing_trained_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="at least one run"):
        report.write_sweep(tmp_path, sweep(entry("early", [], "6.61")))


def words(svg):
    return [element.text for element in ET.fromstring(svg).iter("text")]


def test_figures_say_names_values_and_n():
    rows = [
        plots.Dots("original", [2.0, 3.0], {PAPER: 6.61}, {PAPER: "6.61"}),
        plots.Dots("dropout", [40.0, 50.0], {PAPER: None}, {PAPER: "fail"}),
    ]
    found = words(plots.dots(rows, note="n = 2"))
    assert {"original", "2.5", "6.61", "dropout", "45.0", "fail", "n = 2"} <= set(found)
    assert "6.61" not in words(plots.dots(rows, note="n = 2", narrow=True))
    course = plots.Course("original", [(8, 50.0), (16, 2.25)], [(16, 4.5)])
    found = words(plots.courses([course], note="n = 2"))
    assert {"original  2.2 %", "original  4.5 %", "iterations"} <= set(found)


def twin(root, shortcut, depth, *errors, windows=()):
    config = CONFIG.replace("shortcut: A", f"shortcut: {shortcut}")
    config = config.replace("depth: 20", f"depth: {depth}")
    rows = [epoch(8 * at, error) for at, error in enumerate(errors, start=1)]
    folder = record(root, *rows, RESULT, config=config, recipe=f"digits.x{depth}")
    if windows:
        lines = [f'{{"kind": "epoch", "iteration": {i}, "train_error": {e}}}' for i, e in windows]
        (folder / "windows.jsonl").write_text("\n".join(lines) + "\n")
    return read_record(folder)


def test_iterations_to_a_level_are_counted_where_every_training_reaches_it(tmp_path):
    runs = [
        twin(tmp_path / "p0", "none", 20, 70.0, 20.0, 18.0),
        twin(tmp_path / "p1", "none", 20, 40.0, 30.0, 4.0),
        twin(tmp_path / "r0", "A", 20, 30.0, 4.0, 0.4),
        twin(tmp_path / "r1", "A", 20, 30.0, 10.0, 2.0),
    ]
    found = convergence(group(runs))
    plain, residual = found.descents
    assert found.levels == [80.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5]
    assert found.step == 8
    assert plain.iterations[50.0] == [16, 8]
    assert plain.cell(50.0) == "12 ± 6"
    assert plain.cell(20.0) == "20 ± 6"
    assert plain.cell(10.0) == "1 of 2 reach it"
    assert plain.cell(1.0) == "not reached"
    assert residual.cell(5.0) == "20 ± 6"
    assert found.sentences == [
        "The lowest level that every training of plain-20 and ResNet-20 reaches is 20 %: "
        "plain-20 after 20 ± 6 iterations, ResNet-20 after 16 ± 0."
    ]


def test_networks_without_a_level_in_common_are_not_compared(tmp_path):
    runs = [twin(tmp_path / "p", "none", 56, 90.0, 85.0), twin(tmp_path / "r", "A", 56, 10.0)]
    (told,) = convergence(group(runs)).sentences
    assert told.startswith("No level is reached by every training of plain-56 and ResNet-56")


def test_the_finest_steps_there_are_count(tmp_path):
    run = twin(tmp_path / "r", "A", 20, 10.0, windows=[(2, 45.0), (4, 20.0)])
    found = convergence(group([run]))
    assert found.descents[0].iterations[50.0] == [2]
    assert found.step == 2


def test_families_are_told_apart_by_their_settings(tmp_path):
    runs = [
        twin(tmp_path / "h", "exclusive_gating", 20, 50.0),
        twin(tmp_path / "r", "A", 20, 50.0),
        twin(tmp_path / "n", "none", 20, 50.0),
    ]
    config = (tmp_path / "r" / "config.yaml").read_text()
    config = config.replace("shortcut: A", "shortcut: A\n  order: full_preact")
    runs.append(read_record(record(tmp_path / "f", epoch(8, 50.0), RESULT, config=config)))
    names = [each.name for each in group(runs)]
    assert names == ["plain-20", "ResNet-20", "PreResNet-20", "Highway-20"]
    page = report.write_degradation(tmp_path / "lab", [run.folder for run in runs], why="2 updates")
    text = read(page.read_text())
    assert "Plain, residual, pre-activation and highway networks of 20 layers" in text
    assert "How long: 2 updates." in text


def test_without_pictures_held_out_the_training_errors_are_drawn(tmp_path):
    rows = [{k: v for k, v in epoch(8, 50.0).items() if "validation" not in k}]
    last = RESULT | {"validation_error": None}
    run = record(tmp_path / "run", *rows, last, sizes=[1077, 0, 40])
    text = read(report.write_degradation(tmp_path / "lab", [run]).read_text())
    assert "The numbers at the ends are training errors" in text
    assert "ResNet-20 1 1,178 10,240 0.2 no result 5.0" in text


def test_layers_are_drawn_on_a_scale_that_shows_all_of_them():
    networks = [
        plots.Layers("plain-8", "plain", 8, {"gradient norm": [300.0, 3.0, 0.3]}),
        plots.Layers("ResNet-8", "residual", 8, {"gradient norm": [1.0, 0.0, 1.0]}),
    ]
    for stacked in (False, True):
        found = words(plots.layers(networks, stacked=stacked))
        assert {"gradient norm", "plain-8", "ResNet-8", "1", "100", "layer, from the input"} <= set(
            found
        )
