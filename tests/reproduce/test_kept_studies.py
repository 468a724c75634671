"""Kept studies are told of on a page of their own, every number beside its records."""

import dataclasses
import json
import re

import pytest

import kept_runs
from residua.report import Entry, Sweep, compared
from residua.reproduce import pages, studies

ENVIRONMENT = {"code": "abc1234", "torch": "2", "precision": "float32", "residua": "0.1.0"}
FINDING = "orders: early errs least here"
LOOK = {
    "study": "lesion",
    "finding": "without one block: plain 90.6 %",
    "n": "n = 1 run of each network",
    "networks": [{"label": "mine", "folders": ["runs/mine/seed0", "runs/lost/seed0"]}],
    "command": "residua lab lesion mine/seed0 lost/seed0",
    "environment": ENVIRONMENT,
    "found": {"mine": []},
}


def training(folder, name, seed, error, **changes):
    experiment = dataclasses.replace(kept_runs.mine(), name=f"digits.{name}", seed=seed)
    return kept_runs.record(folder, experiment, error, environment=ENVIRONMENT, **changes)


def diverged(folder):
    start, *_ = (folder / "events.jsonl").read_text().splitlines()
    stop = {"kind": "stop", "time": 3.0, "reason": "the loss is nan at iteration 3"}
    (folder / "events.jsonl").write_text(f"{start}\n{json.dumps(stop)}\n")
    return folder


@pytest.fixture
def records(tmp_path):
    """A study of two settings, of which one diverged once, and a look inside a kept run."""
    root = tmp_path / "records"
    folder = root / "lab" / "orders"
    early = [training(folder, "early", seed, 2.0 + 2 * seed) for seed in (0, 1)]
    late = [training(folder, "late", 0, 7.0), diverged(training(folder, "late", 1, 0.0))]
    entries = [
        Entry(name=name, does="", runs=runs, paper={"2016": printed})
        for name, runs, printed in (("early", early, "6.61"), ("late", late, "fail"))
    ]
    sweep = Sweep(
        name="orders",
        title="Two orders",
        entries=entries,
        why="4 updates each; --updates 4 repeats it",
        notes=["Mind the axes."],
        source="After a paper.",
    )
    compared.keep(folder, sweep, FINDING)
    (folder / "figure.svg").touch()
    (folder / "study.json").write_text("{}")
    kept_runs.record(root, kept_runs.mine(), 60.0)
    (root / "lab" / "blocks").mkdir()
    (root / "lab" / "blocks" / "lesion.json").write_text(json.dumps(LOOK))
    return root


def rows(text):
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[part.strip() for part in line.split("|")[1:-1]] for line in lines]


def section(text, name):
    return next(part for part in text.split("\n## ") if part.startswith(name))


def test_a_study_says_numbers_n_paper_and_how_it_was_made(records):
    text = section(studies.page(records, "../../records"), "orders: Two orders")
    found = {row[0]: row[1:] for row in rows(text)}
    # 2 and 4: mean 3, deviation the square root of 2.
    parameters = f"{sum(row['parameters'] for row in kept_runs.rows_of(*NET)):,}"
    expected = ["2", "1.50 ± 0.71", "3.00 ± 1.41", "2.00 to 4.00", parameters, "6.61"]
    assert found["early"] == expected
    assert found["late"] == ["1", "3.50", "7.00", "", parameters, "fail"]
    assert found["how long"] == ["4 updates each; `--updates 4` repeats it"]
    assert found["code"] == ["residua 0.1.0, commit abc1234"]
    assert "Orders: early errs least here.\n" in text
    assert "After a paper. Mind the axes." in text
    assert "![orders, figure](../../records/lab/orders/figure.svg)" in text


NET = (kept_runs.mine().net, (1, 8, 8))


def test_every_training_has_its_seed_settings_and_files_and_one_that_failed_says_so(records):
    text = section(studies.page(records, "../../records"), "orders")
    runs = [row for row in rows(text) if row[0].startswith("digits.")]
    assert [row[:3] for row in runs] == [
        ["digits.early", "0", "2.00"],
        ["digits.early", "1", "4.00"],
        ["digits.late", "0", "7.00"],
        ["digits.late", "1", "the loss is nan at iteration 3"],
    ]
    assert all(row[4].startswith("digest ") for row in runs)
    files = re.findall(r"\]\(\.\./\.\./records/([^)]+)\)", text)
    assert len(files) == 2 * len(runs) + 3
    assert all((records / file).is_file() for file in files)


def test_a_look_inside_leads_to_the_runs_that_are_kept(records):
    text = section(studies.page(records, "../../records"), "blocks\n")
    found = {row[0]: row[1] for row in rows(text)}
    assert found["runs"] == "[mine seed0](runs.md#mine-seed0), lost seed0"
    assert found["command"] == "`residua lab lesion mine/seed0 lost/seed0`"
    assert found["files"] == "[lesion.json](../../records/lab/blocks/lesion.json)"


def test_the_pages_of_results_lead_to_the_studies(records):
    made = pages.pages(records)
    assert (
        f"| [orders: Two orders](results/studies.md#orders-two-orders) | {FINDING} |"
        in (made["results.md"])
    )
    assert "results/studies\n" in made["results.md"]
    assert "## orders: Two orders" in made["results/studies.md"]
    # Trainings of studies are told of there, and not among the runs of recipes.
    assert "## mine seed0" in made["results/runs.md"]
    assert "digits.early" not in made["results/runs.md"]


def test_where_no_study_is_kept_there_is_no_page(tmp_path):
    kept_runs.record(tmp_path, kept_runs.mine(), 60.0)
    made = pages.pages(tmp_path)
    assert "results/studies.md" not in made
    assert "studies\n" not in made["results.md"]
