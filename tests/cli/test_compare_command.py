"""`residua compare` and `residua report`."""

from pathlib import Path

import pytest

from compared_runs import cut, train
from kept_runs import mine, other
from residua import execute, plots, recipes


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two seeds each of two recipes; their figures are looked at elsewhere."""
    monkeypatch.setattr(plots, "profiles", lambda *_, **__: "<svg/>")
    root = tmp_path / "runs"
    runs = [train(root, mine(), 5.0 + seed, seed=seed) for seed in (0, 1)]
    runs += [train(root, other(), 9.0 + 3 * seed, seed=seed) for seed in (0, 1)]
    return [str(folder.relative_to(root)) for folder in runs]


def test_settings_come_before_numbers_and_the_page_last(run, runs):
    code, text = run("compare", *runs)
    assert code == 0, text
    lines = [line.split() for line in text.splitlines()]
    setting = lines.index(["schedule.lr", "0.1", "0.05"])
    number = next(i for i, line in enumerate(lines) if line[:3] == ["test", "error", "%"])
    assert setting < number
    assert lines[number][3:9] == ["5.50", "±", "0.71", "10.50", "±", "2.12"]
    assert "paired t-test, by seed" in text
    assert Path(text.split()[-1]).is_file()


def test_report_of_several_is_the_page_of_compare_alone(run, runs):
    _, compared = run("compare", *runs)
    code, text = run("report", *runs)
    assert code == 0, text
    assert text.strip() == compared.split()[-1]


def test_single_runs_are_compared_without_a_claim(run, runs):
    code, text = run("compare", runs[0], runs[2])
    assert code == 0
    assert "nothing is claimed" in text


@pytest.mark.parametrize(
    ("chosen", "code", "sentence"),
    [
        (slice(0), 2, "two runs or more, got 0"),
        (slice(1), 2, "two runs or more, got 1"),
    ],
)
def test_too_few_runs_are_a_sentence(run, runs, chosen, code, sentence):
    found, text = run("compare", *runs[chosen])
    assert (found, len(text.splitlines())) == (code, 1)
    assert sentence in text


def test_no_such_run_and_one_without_an_end_are_sentences(run, runs):
    assert run("compare", runs[0], "nothing")[0] == 4
    cut(Path("runs") / runs[2])
    code, text = run("compare", runs[0], runs[2])
    assert (code, len(text.splitlines())) == (4, 1)
    assert "residua train --resume" in text


def test_the_page_of_one_run_is_written_again(run):
    result = execute.run(recipes.find("digits.resnet20").smoke(), root=Path("runs"))
    before = result.page.read_text()
    result.page.unlink()
    code, text = run("report", "last")
    assert (code, text.strip()) == (0, str(result.page))
    assert result.page.read_text() == before
