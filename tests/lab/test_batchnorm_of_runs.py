import dataclasses
import json

import pytest
import torch
from PIL import Image

from residua import execute, load, recipes, runs
from residua.cli.dispatch import main
from residua.errors import ConfigError
from residua.evaluate import scores
from residua.lab.batchnorm import examine_run, page, write_exact
from residua.nn.norms import norms_of

SPOILED = "stages.1.0.residual.norm2"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two small updates."""
    experiment = recipes.find_classifier("digits.resnet20").smoke()
    net = dataclasses.replace(experiment.net, depth=8)
    root = tmp_path_factory.mktemp("runs")
    return execute.run(dataclasses.replace(experiment, net=net), root=root, page=False).folder


def spoiled(folder):
    """Load a run, average its statistics as the doctor does, and spoil one layer."""
    trained = runs.load(folder)
    images = trained.experiment.load_data().validation
    exact = examine_run(trained, images, most=24, average_over=48).exact
    trained = dataclasses.replace(trained, net=exact)
    norms_of(exact)[SPOILED].running_mean += 5.0
    return trained, images


def test_a_spoiled_layer_of_a_run_is_found_and_mended(run, tmp_path):
    trained, images = spoiled(run)
    examined = examine_run(trained, images, most=24, average_over=48)
    assert examined.found.layers[0].name == SPOILED
    assert examined.found.layers[1].drift < 1e-3
    assert [each.name for each in examined.found.mended] == [SPOILED]
    assert examined.found.how.sizes == (2, 4, 8, 16, 24)
    assert examined.found.how.trained_with == 8
    assert examined.found.running.count == 24
    write_exact(trained, examined.exact, tmp_path / "exact.safetensors")
    mended = load(tmp_path / "exact.safetensors")
    again = examine_run(dataclasses.replace(trained, net=mended.net), images, average_over=48)
    assert again.found.layers[0].drift < 1e-3
    assert mended.card["classes"] == list(trained.classes)
    mean, std = trained.normalize.numbers()
    assert (mended.preprocessing.mean, mended.preprocessing.std) == (mean, std)
    with pytest.raises(ConfigError, match="exists"):
        write_exact(trained, examined.exact, tmp_path / "exact.safetensors")


def test_what_is_measured_is_what_a_test_says(run):
    trained = runs.load(run)
    images = trained.experiment.load_data().validation
    found = examine_run(trained, images, average_over=16).found
    said = scores(trained.net, images, trained.normalize)
    assert found.running.error == said.top1_error
    assert found.running.loss == pytest.approx(said.loss)
    assert torch.equal(found.running.wrong_N, said.predictions != said.labels)


def test_the_page_says_what_was_found_and_what_to_do(run, tmp_path):
    trained, images = spoiled(run)
    examined = examine_run(trained, images, most=24, average_over=48)
    path = page(tmp_path, examined, title="a run", device=torch.device("cpu"))
    text = path.read_text()
    assert f"{SPOILED} has drifted" in text
    assert "Take exact statistics" in text
    assert "as in training" in text
    assert "<script" not in text
    record = json.loads((tmp_path / "batchnorm.json").read_text())
    assert record["layers"][0]["name"] == SPOILED
    assert [each["size"] for each in record["batches"]] == [2, 4, 8, 16, 24]
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert SPOILED in (tmp_path / "report.html").read_text().partition("<svg")[2]


def test_too_few_pictures_are_refused(run):
    trained = runs.load(run)
    images = trained.experiment.load_data().validation.select(torch.arange(3))
    with pytest.raises(ConfigError, match="at least 4 pictures, got 3"):
        examine_run(trained, images)


def test_the_command_examines_a_run_and_writes_weights(run, tmp_path, capsys):
    words = ["lab", "batchnorm", str(run), "--smoke", "--runs", str(tmp_path / "runs")]
    assert main([*words, "--write-exact", "exact.safetensors"]) == 0
    told = capsys.readouterr().out
    assert "16 validation images" in told
    assert "has drifted by" in told
    assert told.splitlines()[-1].endswith("report.html")
    assert load("exact.safetensors").config.depth == 8
    assert main([*words, "--write-exact", "exact.safetensors"]) == 2
    assert "exists: weights are not overwritten" in capsys.readouterr().err
    assert main([*words, "--data", str(tmp_path), "--part", "test"]) == 2
    assert "--part is one of the run's own pictures" in capsys.readouterr().err


def test_other_pictures_are_read_from_class_folders(run, tmp_path, capsys):
    images = runs.load(run).experiment.load_data().test
    for index in range(0, len(images), 30):
        folder = tmp_path / "pictures" / images.classes[images.labels[index]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[index][0].numpy()).save(folder / f"{index}.png")
    words = ["--data", str(tmp_path / "pictures"), "--average-over", "16"]
    assert main(["lab", "batchnorm", str(run), *words]) == 0
    told = capsys.readouterr().out
    assert f"12 images in {tmp_path / 'pictures'}" in told
    assert "of batches of 12" in told
