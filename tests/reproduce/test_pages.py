"""The pages of results are those of the kept records, and a number leads to its record."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest

import kept_runs
from residua.cli.dispatch import main
from residua.reproduce import pages
from residua.reproduce.cell import Counted, OutOfScope, Quoted, Setting, Table
from residua.reproduce.markdown import slug, table

ROOT = Path(__file__).parents[2]
NET = kept_runs.mine().net


@pytest.fixture(scope="module")
def written():
    return pages.pages(ROOT / "records")


def rows(text):
    """Read the rows of all tables of a page."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_pages_in_the_docs_are_those_of_the_records(written):
    there = {f"results/{path.name}" for path in (ROOT / "docs" / "results").glob("*")}
    assert there | {"results.md"} == written.keys()
    stale = [name for name, text in written.items() if (ROOT / "docs" / name).read_text() != text]
    assert not stale, f"`residua reproduce --pages docs` makes {stale} anew"


def test_every_number_leads_to_seed_version_command_and_settings(written):
    links = [
        link
        for name, text in written.items()
        for link in re.findall(r"\]\((?:results/)?runs\.md#([^)]+)\)", text)
        if name != "results/runs.md"
    ]
    sections = {
        slug(part.splitlines()[0]): part for part in written["results/runs.md"].split("\n## ")[1:]
    }
    assert links
    assert set(links) <= sections.keys()
    for link in links:
        known = {name.partition(",")[0]: value for name, value, *_ in rows(sections[link])}
        is_given = link.startswith("given-")
        assert {"weights" if is_given else "seed", "code", "command"} <= known.keys()
        files = re.findall(r"\]\(([^)]+)\)", known["files"])
        settings = "evaluations.jsonl" if is_given else "config.yaml"
        assert any(file.endswith(settings) for file in files)
        for file in files:
            assert (ROOT / "docs" / "results" / file).is_file(), file


def test_every_way_to_a_table_leads_to_its_heading(written):
    ways = re.findall(r"\]\((results/\w+\.md)#([^)]+)\)", written["results.md"])
    assert len(ways) >= len(pages.tables())
    for page, anchor in ways:
        headings = re.findall(r"^#+ (.*)$", written[page], flags=re.MULTILINE)
        assert anchor in map(slug, headings)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Two runs of a recipe of a moment, and a table of its own."""
    for seed, error in ((0, 60.0), (1, 61.0)):
        experiment = dataclasses.replace(kept_runs.mine(), seed=seed)
        kept_runs.record(tmp_path / "records", experiment, error)
    cells = (
        kept_runs.cell(note="a | b"),
        kept_runs.cell(row="theirs", how=Quoted(), stated=5.0),
        kept_runs.cell(row="far", how=OutOfScope(why="it is far"), stated=6.0),
        kept_runs.cell(
            row="size", how=Counted(net=NET, what="parameters", step=1e3), stated=7e4, unit="count"
        ),
    )
    settings = (Setting(row="mine", column="updates", value=4, unit="updates"),)
    found = Table(name="he2015.x", title="X", source="S", cells=cells, settings=settings)
    monkeypatch.setattr(pages, "tables", lambda: {"he2015.x": found})
    monkeypatch.setattr("residua.recipes.find", lambda _: kept_runs.mine())
    return tmp_path


def test_a_row_says_statistic_n_and_verdict(made):
    text = pages.pages(made / "records")["results/he2015.md"]
    _, ours, theirs, far, size, *_ = (row for row in rows(text) if row[0] != "---")
    assert ours[5] == "[60.50](runs.md#mine-seed0)"
    assert ours[6:] == ["mean, n = 2", "+10.50", "1.41", "outside tolerance"]
    assert theirs[5:] == ["", "", "", "", "quoted"]
    assert far[-1] == "out of scope"
    assert "far, error: it is far" in text
    assert size[-1] == "outside tolerance"
    assert "counted of `CifarConfig(depth=8, in_channels=1)`" in text
    assert "runs [mine seed0](runs.md#mine-seed0), [mine seed1](runs.md#mine-seed1)" in text
    assert (
        "Printed there too, and no results:\n\n| row | updates |\n| --- | ---: |\n| mine | 4 |"
        in text
    )


def test_a_table_of_which_nothing_was_run_has_no_empty_columns(made, monkeypatch):
    cells = (kept_runs.cell(row="theirs", how=Quoted(), stated=5.0),)
    found = Table(name="he2015.x", title="X", source="S", cells=cells)
    monkeypatch.setattr(pages, "tables", lambda: {"he2015.x": found})
    heads, _, theirs = rows(pages.pages(made / "records")["results/he2015.md"])
    assert heads == ["row", "column", "paper", "statistic", "seen in", "verdict"]
    assert theirs == ["theirs", "error", "5.00", "single run", "P", "quoted"]


def test_what_a_page_says_does_not_depend_on_where_the_records_lie(made, monkeypatch):
    folder = made / "records" / "mine" / "seed0"
    lines = (folder / "events.jsonl").read_text().splitlines()
    (folder / "events.jsonl").write_text(f"{lines[0]}\n")
    shutil.rmtree(made / "records" / "mine" / "seed1")
    text = pages.pages(made / "records")["results/he2015.md"]
    assert "mine, error: mine/seed0 has come to 0 of 4 updates" in text
    assert str(made) not in text


def test_the_overview_counts_verdicts_and_shows_what_was_run(made):
    text = pages.pages(made / "records")["results.md"]
    first, last = (row for row in rows(text) if "he2015.x" in row[0])
    assert first[-1] == "outside tolerance"
    assert first[5] == "[60.50](results/runs.md#mine-seed0)"
    assert last[2:] == ["4", "2 outside tolerance, 1 quoted, 1 out of scope"]


def test_another_result_makes_other_pages(made):
    before = pages.pages(made / "records")
    kept_runs.record(made / "records", dataclasses.replace(kept_runs.mine(), seed=2), 50.0)
    after = pages.pages(made / "records")
    assert "mean, n = 3" in after["results/he2015.md"]
    assert "mine seed2" in after["results/runs.md"]
    assert before.keys() == after.keys()


def test_a_run_that_goes_on_and_code_that_was_changed_are_told(made):
    experiment = dataclasses.replace(kept_runs.mine(), seed=5)
    folder = kept_runs.record(made / "records", experiment, 50.0)
    start, epoch, _ = (folder / "events.jsonl").read_text().splitlines()
    start = json.loads(start) | {"command": "residua train mine"}
    start["environment"] |= {"code": "abc1234+", "residua": "0.1.0", "processes": 2}
    (folder / "events.jsonl").write_text(f"{json.dumps(start)}\n{epoch}\n")
    text = pages.pages(made / "records")["results/runs.md"]
    known = {row[0]: row[1] for row in rows(text.split("## mine seed5")[1])}
    assert known["tested"] == "not yet"
    assert known["ended"] == "the record ends at iteration 4 of 4"
    assert known["command"] == "`residua train mine`"
    assert known["code"] == "residua 0.1.0, commit abc1234, changed after that commit"
    assert known["machine"].endswith("float32, 2 processes")
    assert "test error" not in known


def test_given_weights_have_an_entry_with_all_their_tests(made):
    folder = made / "records" / "given" / "resnet50"
    folder.mkdir(parents=True)
    event = {
        "kind": "evaluation",
        "weights": "r50.caffemodel",
        "origin": "caffe",
        "sha256": "ab12",
        "count": 50000,
        "top1_error": 24.7,
        "top5_error": 7.8,
        "protocol": "one crop",
        "environment": {"precision": "float32", "code": "abc1234"},
        "command": "residua reproduce he2015.release",
    }
    other = event | {"top1_error": 22.9, "protocol": "ten crops"}
    text = "".join(f"{json.dumps(each)}\n" for each in (event, other))
    (folder / "evaluations.jsonl").write_text(text)
    page = pages.pages(made / "records")["results/runs.md"]
    known = {row[0]: row[1] for row in rows(page.split("## given resnet50")[1])}
    assert known["result, test 1"] == "top-1 error 24.70 %, top-5 error 7.80 % (one crop)"
    assert known["result, test 2"].endswith("(ten crops)")
    assert known["weights, test 1"] == "r50.caffemodel (caffe), sha256 ab12"
    assert known["files"].startswith("[evaluations.jsonl](../../records/given/resnet50/")


def test_the_command_writes_them_where_it_is_told(made, monkeypatch, capsys):
    monkeypatch.chdir(made)
    assert main(["reproduce", "--pages", "there/docs"]) == 0
    assert "there/docs/results.md" in capsys.readouterr().out
    text = (made / "there/docs/results/runs.md").read_text()
    (file, *_) = re.findall(r"\[config\.yaml\]\(([^)]+)\)", text)
    assert (made / "there/docs/results" / file).is_file()


def test_tables_hold_what_would_break_them():
    assert table([("a", False), ("b", True)], [["x|y", "1\n2"]]) == [
        "| a | b |",
        "| --- | ---: |",
        r"| x\|y | 1 2 |",
    ]


def test_links_end_as_headings_do():
    assert slug("he2015.table6: CIFAR-10 test error") == "he2015table6-cifar-10-test-error"
