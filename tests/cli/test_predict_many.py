"""`residua predict` on many files: what is meant, in what order, and where it is written."""

import csv
import dataclasses
import io
import json
import re
import sys

import pytest

from pictured import photograph, save
from residua import execute, recipes
from residua.cli.dispatch import main
from residua.cli.predict_detector import drawings
from residua.deploy.answers import text_of
from residua.train.schedule import StepsConfig
from test_detection import tiny

DIGITS, SCENES = "tests.digits/seed0", "tests.detector/seed0"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The runs of a classifier and of a detector, and pictures of several sizes for them."""
    root = tmp_path_factory.mktemp("many")
    digits = recipes.find("digits.resnet20")
    schedule = dataclasses.replace(digits.schedule, until=8, warmup=0)
    net = dataclasses.replace(digits.net, depth=8)
    digits = dataclasses.replace(digits, name="tests.digits", net=net, schedule=schedule)
    detector = tiny(schedule=StepsConfig(lr=0.01, at=(), until=1))
    for each in (digits, detector):
        execute.run(each, root=root / "runs", page=False)
    for number in range(7):
        size = (70, 50) if number % 3 else (60, 64)
        save(root / f"pics/{number}.png", photograph(*size, seed=number))
    (root / "pics/3a.jpg").write_text("rubbish")
    return root


@pytest.fixture
def run(place, monkeypatch, capsys):
    monkeypatch.chdir(place)

    def call(*words, listed=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed)))
        code = main(["predict", *words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


GOOD = [f"pics/{number}.png" for number in range(7)]


def test_a_folder_is_answered_in_order_and_bad_files_are_said_at_the_end(run):
    code, out, err = run(DIGITS, "pics", "--batch-size", "3")
    assert code == 3
    assert [line.split(":")[0] for line in out.splitlines() if "swapped" not in line] == GOOD
    assert err == "residua: pics/3a.jpg is not a picture that Pillow can read\n"


def test_patterns_and_lists_are_taken_with_files(run):
    code, out, _ = run(
        DIGITS, "pics/1.png", "-", "pics/[45].png", listed=b"pics/2.png\npics/0.png\n"
    )
    assert code == 0
    names = [line.split(":")[0] for line in out.splitlines() if "swapped" not in line]
    assert names == [f"pics/{number}.png" for number in (1, 2, 0, 4, 5)]


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_names_are_written_as_rows_and_as_records(run, place):
    code, out, err = run(DIGITS, "pics", "--top", "2", "--out", "names.csv")
    assert code == 3
    assert re.match(r"7 pictures: names.csv\n", out)
    assert "3a.jpg is not a picture" in err
    table = rows(place / "names.csv")
    assert list(table[0]) == ["file", "class1", "probability1", "class2", "probability2"]
    assert [row["file"] for row in table] == GOOD
    assert run(DIGITS, "pics", "--top", "2", "--out", "names.jsonl")[0] == 3
    records = [json.loads(line) for line in (place / "names.jsonl").read_text().splitlines()]
    assert [record["file"] for record in records] == GOOD
    for row, record in zip(table, records, strict=True):
        first, second = record["classes"]
        assert (row["class1"], row["class2"]) == (first["class"], second["class"])
        assert float(row["probability1"]) == first["probability"] >= second["probability"]
    assert not list(place.glob("*.part"))


def test_objects_are_written_as_rows_and_as_records(run, place):
    words = ["pics/0.png", "pics/1.png", "--threshold", "0.02"]
    assert run(SCENES, *words, "--out", "objects.jsonl")[0] == 0
    records = [json.loads(line) for line in (place / "objects.jsonl").read_text().splitlines()]
    assert [(each["file"], each["width"], each["height"]) for each in records] == [
        ("pics/0.png", 60, 64),
        ("pics/1.png", 70, 50),
    ]
    assert run(SCENES, *words, "--out", "objects.csv")[0] == 0
    table = rows(place / "objects.csv")
    expected = [
        [each["file"], item["class"], item["score"], *item["box"]]
        for each in records
        for item in each["objects"]
    ]
    assert len(expected) > 2
    assert [
        [
            row["file"],
            row["class"],
            *(float(row[name]) for name in ("score", "x1", "y1", "x2", "y2")),
        ]
        for row in table
    ] == expected


def test_a_picture_without_objects_has_a_row_that_says_so(run, place):
    assert run(SCENES, "pics/0.png", "--threshold", "1", "--out", "none.csv")[0] == 0
    assert rows(place / "none.csv") == [
        dict.fromkeys(["class", "score", "x1", "y1", "x2", "y2"], "")
        | {"file": "pics/0.png", "width": "60", "height": "64"}
    ]


@pytest.mark.parametrize("run_name", [DIGITS, SCENES])
def test_answers_do_not_depend_on_what_is_asked_beside(run, place, run_name):
    """Of the same picture the same is said, whatever the size of the batch."""
    told = []
    for size in ("1", "7"):
        out = f"batch{size}.jsonl"
        words = ["--threshold", "0.02"] if run_name == SCENES else ["--top", "10"]
        run(run_name, *GOOD, *words, "--batch-size", size, "--out", out)
        told.append([json.loads(line) for line in (place / out).read_text().splitlines()])
    for one, other in zip(*told, strict=True):
        assert one["file"] == other["file"]
        if run_name == DIGITS:
            of = [
                {each["class"]: each["probability"] for each in r["classes"]} for r in (one, other)
            ]
            assert of[0] == pytest.approx(of[1], abs=1.1e-5)
        else:
            assert len(one["objects"]) == len(other["objects"]) > 0
            for a, b in zip(one["objects"], other["objects"], strict=True):
                assert a["class"] == b["class"]
                assert a["score"] == pytest.approx(b["score"], abs=1.1e-5)
                assert a["box"] == pytest.approx(b["box"], abs=5e-3)


def test_what_was_answered_before_a_failure_is_kept(run, place, monkeypatch):
    (place / "late.csv").write_text("older")
    from residua.deploy.predictor import Classifier

    whole, asked = Classifier.probabilities, []

    def failing(self, pixels):
        asked.append(len(pixels))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return whole(self, pixels)

    monkeypatch.setattr(Classifier, "probabilities", failing)
    code, out, err = run(DIGITS, *GOOD, "--batch-size", "3", "--out", "late.csv")
    assert (code, err) == (130, "residua: stopped\n")
    assert "what was answered until then: late.csv.part" in out
    assert (place / "late.csv").read_text() == "older"
    assert [row["file"] for row in rows(place / "late.csv.part")] == GOOD[:3]


@pytest.mark.parametrize("run_name", [DIGITS, SCENES])
def test_device_and_precision_are_taken(run, run_name):
    words = [run_name, "pics/1.png", "--device", "cpu", "--precision", "bfloat16"]
    code, out, _ = run(*words)
    assert code == 0
    assert out.startswith("pics/1.png: ")


def test_a_bar_is_drawn_where_errors_are_and_only_in_a_terminal(run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, out, err = run(DIGITS, *GOOD, "--out", "bar.csv")
    assert "7/7" in err
    assert "7/7" not in out
    monkeypatch.delenv("FORCE_COLOR")
    assert run(DIGITS, *GOOD, "--out", "bar.csv")[2] == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["pics", "--out", "x.txt"],
            "--out must name a file that ends in .csv or .jsonl, got x.txt",
        ),
        (["pics", "--batch-size", "0"], "batch-size must be at least 1, got 0"),
        (["pics", "--device", "abacus"], "device abacus is not there"),
        (["pics", "--top", "0"], "top must be at least 1, got 0"),
    ],
)
def test_bad_options_get_a_sentence(run, words, sentence):
    code, _, err = run(DIGITS, *words)
    assert (code, sentence in err) == (2, True), err


def test_names_that_are_no_text_are_shown(run, place):
    path = place / "bytes" / "caf\udce9.png"
    try:
        save(path)
    except OSError:
        pytest.skip(reason="this file system has no such names")
    code, out, _ = run(DIGITS, "bytes", "--out", "bytes.jsonl")
    assert code == 0, out
    (record,) = map(json.loads, (place / "bytes.jsonl").read_text().splitlines())
    assert record["file"] == text_of(path.relative_to(place)) == "bytes/caf\\xe9.png"


def test_no_two_drawings_have_one_name(tmp_path):
    paths = [tmp_path / name for name in ("a.png", "b/a.png", "a-2.png", "c/a.png", "a.jpeg")]
    assert drawings(paths) == ["a.png", "a-2.png", "a-2-2.png", "a-3.png", "a.jpg"]
