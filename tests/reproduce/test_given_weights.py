"""Given weights: tested once, recorded by their content, and never more than they are."""

import dataclasses
import json

import pytest
import torch

from pictured import class_folders
from residua import events
from residua.config import encode
from residua.data.views import CenterCrop
from residua.errors import ConfigError
from residua.nets import weights
from residua.nets.imagenet import ImagenetConfig
from residua.nets.preprocessing import IMAGENET
from residua.reproduce import given
from residua.reproduce.cell import Cell, Trained
from residua.reproduce.effort import Effort
from residua.reproduce.later import Asked
from residua.reproduce.run import fill, judged
from residua.reproduce.tables import find

NET = ImagenetConfig(depth=18, widen=0.0625, num_classes=2)
RELEASE = {(c.row, c.column): c for c in find("he2015.release")[0].cells}
RESNET50 = RELEASE["ResNet-50", "1-crop top-1"]


@pytest.fixture
def ready(tmp_path):
    """An effort with weights of a small net, and pictures of two classes."""
    torch.manual_seed(0)
    path = tmp_path / "small.safetensors"
    weights.save(NET.build(), path, config=NET, preprocessing=IMAGENET)
    for part in ("train", "val"):
        class_folders(tmp_path / "data" / part, {"ant": 3, "bee": 3})
    return Effort(
        runs=tmp_path / "runs",
        records=tmp_path / "records",
        device="cpu",
        data=str(tmp_path / "data"),
        weights={"resnet50": str(path)},
    )


def test_weights_are_tested_once_and_a_test_of_other_weights_on_few_pictures_is_scaled(
    ready, monkeypatch
):
    assert fill([RESNET50], ready) == []
    (test,) = events.evaluations(ready.runs / "given" / "resnet50")
    assert (test["count"], test["origin"]) == (6, "residua")
    (judgement,) = judged([RESNET50], ready.roots)
    assert (judgement.verdict, judgement.ours) == ("scaled down", test["top1_error"])
    assert "tested on 6 of 50,000 images" in judgement.why
    monkeypatch.setattr(Asked, "under", None)
    fill([RESNET50], ready)
    assert len(events.evaluations(ready.runs / "given" / "resnet50")) == 1


def test_what_is_tested_is_the_net_behind_its_preprocessing(ready):
    fill([RESNET50], ready)
    loaded = weights.load(ready.weights["resnet50"])
    pictures = torch.rand(2, 3, 64, 64)
    prepared = given._Prepared(loaded.net, loaded.preprocessing)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (IMAGENET.mean, IMAGENET.std))
    torch.testing.assert_close(prepared(pictures), loaded.net((pictures - mean) / std))


def test_pictures_must_be_somewhere(ready):
    (fault,) = fill([RESNET50], dataclasses.replace(ready, data=None))
    assert isinstance(fault, ConfigError)
    assert "say where it is (--data)" in str(fault)


def given_test(root, name, cell, error, **changes):
    """Add the record of a test of given weights."""
    how = cell.how
    event = {
        "kind": "evaluation",
        "sha256": "0",
        "views": encode(how.views),
        "weights": "a.caffemodel",
        "origin": getattr(how, "origin", "torchvision"),
        "net": encode(getattr(how, "net", NET)),
        "count": 50_000,
        "top1_error": error,
        "top5_error": error / 3,
    }
    folder = root / "given" / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "evaluations.jsonl").open("a") as file:
        file.write(f"{json.dumps(event | changes)}\n")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "reproduced"),
        ({"top1_error": 26.0}, "outside tolerance"),
        ({"origin": "torchvision"}, "scaled down"),
        ({"net": encode(NET)}, "scaled down"),
        ({"count": 49_999}, "scaled down"),
        ({"views": encode(CenterCrop(short_side=320, size=320))}, "not run"),
    ],
)
def test_the_authors_weights_on_all_pictures_under_the_protocol_alone_count(
    tmp_path, changes, verdict
):
    given_test(tmp_path, "resnet50", RESNET50, 24.7, **changes)
    assert judged([RESNET50], [tmp_path])[0].verdict == verdict


def test_the_papers_weights_go_before_others_and_later_tests_before_earlier(tmp_path):
    given_test(tmp_path, "resnet50", RESNET50, 20.0)
    given_test(tmp_path, "resnet50", RESNET50, 24.6)
    given_test(tmp_path, "resnet50", RESNET50, 24.7, origin="torchvision")
    assert judged([RESNET50], [tmp_path])[0].ours == 24.6


def test_in_the_place_of_a_recipe_weights_are_scaled_however_close(tmp_path):
    how = Trained(recipe="imagenet.resnet50", views=CenterCrop())
    of = Cell(row="a", column="b", how=how)
    given_test(tmp_path, "resnet50", RESNET50, 24.7)
    (judgement,) = judged([of], [tmp_path])
    assert (judgement.verdict, judgement.ours) == ("scaled down", 24.7)
    assert judgement.why[0] == "the weights were not trained by the recipe"
