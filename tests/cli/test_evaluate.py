import dataclasses
import json
import re

import pytest
from PIL import Image

from residua import execute, recipes, report
from residua.cli.dispatch import main
from residua.errors import RunError
from residua.evaluate import kept

NUMBER = r"\d+\.\d"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs of other seeds, and some pictures by class."""
    root = tmp_path_factory.mktemp("evaluate")
    recipe = recipes.find("digits.resnet20")
    tiny = dataclasses.replace(
        recipe,
        net=dataclasses.replace(recipe.net, depth=8),
        schedule=dataclasses.replace(recipe.schedule, until=4, warmup=0),
    )
    for seed in range(2):
        execute.run(dataclasses.replace(tiny, seed=seed), root=root / "runs", page=False)
    for name in ("1", "7"):
        (root / "own" / name).mkdir(parents=True)
        Image.new("L", (20, 30), 9 * int(name)).save(root / "own" / name / "a.png")
    return root


@pytest.fixture
def run(capsys, folder, monkeypatch):
    """Run `evaluate` or another command in that folder."""
    monkeypatch.chdir(folder)

    def call(*words, command="evaluate"):
        code = main([command, *words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


ONE, TWO = "digits.resnet20/seed0", "digits.resnet20/seed1"


@pytest.mark.parametrize(
    ("words", "protocol"),
    [
        ([], "one view of each picture"),
        (["--views", "flips"], "2 views: the picture and its mirror image, mean of the prob"),
        (["--views", "center"], "1-crop: center of 8 pixels, shorter side 9"),
        (["--views", "ten", "--short-side", "12"], "10-crop: corners and center of 8 pixels and"),
        (["--views", "multi", "--average", "logits"], "shorter side 8, 9, 14, 17, 23, mean of the"),
        (
            ["--views", "multi", "--scales", "8", "9", "--mirror"],
            "mirror images, shorter side 8, 9",
        ),
        (
            ["--exact-norm"],
            "over 1,152 training images, augmented as they were learned from, in ba",
        ),
        (
            ["--exact-norm", "--unaugmented"],
            "averaged over 1,077 training images, not augmented, in batches of 359",
        ),
    ],
)
def test_every_number_is_stamped_with_its_protocol(run, words, protocol):
    code, text = run(ONE, *words)
    assert code == 0
    line, same = text.strip().splitlines()[-2:]
    assert re.match(rf"test error {NUMBER} % \(360 images, top-1, ", line)
    assert protocol in line
    assert re.fullmatch(
        rf"of the same: top-5 error {NUMBER} %, calibration error {NUMBER} % \(ECE, 15 bins\), "
        r"loss \d+\.\d{3} nats",
        same,
    )
    assert re.search(rf"\n7 +36 +\d+ +{NUMBER}", text)
    assert "most often taken for" in text


def test_a_test_is_recorded_with_the_run_and_shown_on_its_page(run, folder):
    place = folder / "runs" / TWO
    before = (place / "events.jsonl").read_bytes()
    (place / "evaluations.jsonl").unlink(missing_ok=True)
    run(TWO, "--views", "flips")
    assert not (place / "report.html").exists()
    report.write(place)
    run(TWO, "--data", "own", "--weights", "best")
    assert (place / "events.jsonl").read_bytes() == before
    flips, own = map(json.loads, (place / "evaluations.jsonl").read_text().splitlines())
    assert (flips["images"], flips["weights"], flips["count"]) == ("test", "last", 360)
    assert (own["images"], own["weights"], own["count"]) == ("own", "best", 2)
    assert flips["protocol"].startswith("top-1, 2 views")
    assert flips["views"] == {"kind": "flips", "rule": "probabilities"}
    assert flips["exact_norm"] is False
    assert flips["command"]
    assert flips["environment"]["torch"]
    page = (place / "report.html").read_text()
    assert "Tested again" in page
    assert flips["protocol"] in page
    assert f"{flips['top1_error']:.1f}" in page
    (place / "report.html").unlink()


def test_testing_an_old_run_does_not_make_it_the_last(run, folder):
    run(ONE)
    assert run("last", "--save", "last.safetensors")[0] == 0
    run(TWO, "--save", "two.safetensors")
    last, two = (kept.load(folder / f"{name}.safetensors") for name in ("last", "two"))
    assert last.logits.equal(two.logits)


def test_runs_and_saved_scores_make_an_ensemble(run, folder):
    run(ONE, "--save", "one.safetensors")
    run(TWO, "--views", "flips", "--save", "flips.safetensors")
    code, text = run(ONE, TWO, "--save", "both.safetensors")
    assert code == 0
    assert "ensemble of 2, mean of the probabilities; each by one view of each picture)" in text
    both = kept.load(folder / "both.safetensors")
    one = kept.load(folder / "one.safetensors")
    code, text = run("one.safetensors", "flips.safetensors", TWO)
    assert code == 0
    assert "ensemble of 3" in text
    assert "(one view of each picture) and by (2 views" in text
    run(TWO, "--save", "two.safetensors")
    two = kept.load(folder / "two.safetensors")
    mean = (one.probabilities + two.probabilities) / 2
    assert (both.probabilities - mean).abs().max() < 1e-5
    assert both.fingerprint == one.fingerprint != ""


def test_an_ensemble_of_different_pictures_is_refused(run):
    run(ONE, "--part", "validation", "--save", "validation.safetensors")
    code, text = run(ONE, "validation.safetensors")
    assert (code, "are of different pictures" in text) == (3, True)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([ONE, "--save", "scores.npz"], 2, "--save must name a file that ends in .safetensors"),
        (["missing.safetensors"], 3, "missing.safetensors is not there"),
        ([ONE, "--views", "ten", "--size", "9", "--short-side", "8"], 2, "got 9 of 8"),
        ([ONE, "--views", "multi", "--scales", "0"], 2, "at least 1 pixel, got (0,)"),
        (
            [ONE, "--unaugmented"],
            2,
            "--unaugmented says what --exact-norm averages over: give both",
        ),
        ([ONE, "--views", "multi", "--scales", "2"], 2, "at least 4x4 pixels, got 2x2"),
    ],
)
def test_bad_input_gets_a_sentence(run, words, code, sentence):
    found, text = run(*words)
    assert (found, sentence in text) == (code, True), text


def test_a_record_that_cannot_be_written_does_not_hide_the_number(run, monkeypatch):
    def full(*_):
        raise RunError("cannot write it: the disk is full")

    monkeypatch.setattr("residua.files.append", full)
    code, text = run(ONE)
    assert code == 0
    assert "test error" in text
    assert "this test is not recorded: cannot write it: the disk is full" in text


def test_features_of_pictures_are_written(run, folder):
    import numpy as np

    pictures = ["own/1/a.png", "own/7/a.png"]
    code, text = run(ONE, *pictures, "--features", "f.npz", command="predict")
    assert code == 0
    assert "64 features of 2 pictures: f.npz" in text
    with np.load(folder / "f.npz") as found:
        assert found["files"].tolist() == pictures
        assert found["features"].shape == (2, 64)
        assert np.isfinite(found["features"]).all()
    code, text = run(ONE, *pictures, "--features", "f.txt", command="predict")
    assert (code, "written as .npz or .csv" in text) == (2, True)
