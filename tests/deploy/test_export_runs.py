"""The net of a run is written, compared with itself, and what is in the way is said."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import nn

import residua
from deploy.written import classifier
from pictured import class_folders
from residua import runs
from residua.data.folder import FolderConfig
from residua.data.images import ImageSet
from residua.data.loading import Splits
from residua.data.normalize import PixelMean, Whiten
from residua.deploy import export_classifier
from residua.deploy.convert import reopen
from residua.deploy.export import export
from residua.deploy.export_classifier import expected, some_pictures
from residua.deploy.plan import ExportPlan
from residua.errors import CheckpointError, ConfigError, DataError, RunError
from residua.nets.cifar import CifarConfig
from residua.nets.imagenet import ImagenetConfig
from test_execute import run, tiny


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A run whose net is for grey digits of 8x8, and whose pictures are whitened."""
    return classifier(tmp_path_factory.mktemp("runs"), normalize=Whiten())


def plan(to="pt2", **settings):
    return ExportPlan(to=to, **settings)


def test_a_graph_is_written_and_compared_on_validation_pictures(digits, tmp_path):
    found = export(digits, plan(out=tmp_path / "net.pt2", check=10))
    assert found.files == [tmp_path / "net.pt2"]
    assert found.takes == "Nx1x8x8 pixels in [0, 255], uint8, any N"
    assert found.compared_on == "10 of 360 validation pictures"
    assert found.parity.count == 10
    assert found.parity.agreement == 100
    assert found.parity.relative < 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["net.pt2"]
    trained = runs.load(digits)
    x, _ = some_pictures(trained, 5)
    torch.testing.assert_close(
        reopen.pt2(tmp_path / "net.pt2")(x), expected(trained, x), rtol=0, atol=1e-4
    )
    extra = {"residua.json": ""}
    torch.export.load(tmp_path / "net.pt2", extra_files=extra)
    card = json.loads(extra["residua.json"])
    assert card["classes"] == list("0123456789")
    assert card["picture"] == {
        "channels": "grey",
        "height": 8,
        "width": 8,
        "fit": {"kind": "whole"},
        "resample": "box",
    }
    assert card["run"] == "tests.tiny/seed0"


def test_weights_have_their_net_and_their_arrays_in_the_file(digits, tmp_path):
    found = export(digits, plan("safetensors", out=tmp_path / "net.safetensors"))
    assert found.parity.difference == 0
    with safe_open(tmp_path / "net.safetensors", "pt") as file:
        card = json.loads(file.metadata()["residua"])
        assert "preprocessing.matrix" in file.keys()  # noqa: SIM118 -- not a dict
    assert card["net"]["kind"] == "cifar"
    assert card["picture"]["width"] == 8
    net = residua.load(tmp_path / "net.safetensors").net
    assert net.state_dict().keys() == runs.load(digits).net.state_dict().keys()


def test_by_default_the_file_lies_in_the_run_and_is_not_replaced(tmp_path):
    folder = classifier(tmp_path)
    found = export(folder, plan("safetensors", check=2))
    assert found.files == [folder / "export" / "tests.tiny.safetensors"]
    with pytest.raises(ConfigError, match=r"tests\.tiny\.safetensors exists .*--overwrite"):
        export(folder, plan("safetensors"))
    export(folder, plan("safetensors", check=2, overwrite=True))


def test_a_file_that_computes_something_else_is_not_kept(digits, tmp_path, monkeypatch):
    right = export_classifier.bind

    def wrong(*args):
        bound = right(*args)
        bound.std255 *= 1.01
        return bound

    monkeypatch.setattr(export_classifier, "bind", wrong)
    with pytest.raises(RunError, match="does not compute what the net does: on 64 pictures"):
        export(digits, plan(out=tmp_path / "net.pt2"))
    assert not list(tmp_path.iterdir())


def test_torchvision_gets_the_mean_in_a_card_beside_the_weights(tmp_path):
    torch.manual_seed(0)
    x = torch.randint(0, 256, (24, 3, 32, 32), dtype=torch.uint8)
    part = ImageSet(x, torch.arange(24) % 2, ("cat", "dog"))
    data = Splits(part, None, part)
    net = ImagenetConfig(depth=18, num_classes=2)
    folder = classifier(tmp_path, net=net, data=data, augment=tiny().augment, batch_size=4)
    with pytest.raises(ConfigError, match=r"data was handed over in Python.*--check 0"):
        export(folder, plan("torchvision"))
    found = export(folder, plan("torchvision", check=0))
    assert found.parity is None
    assert [path.suffix for path in found.files] == [".pth", ".json"]
    card = json.loads(found.files[1].read_text())
    assert card["classes"] == ["cat", "dog"]
    assert card["input"]["preprocessing"] == "(pixel / 255 - mean) / std"
    trained = runs.load(folder)
    file = reopen.reopened("torchvision", found.files[0], torch.uint8, nn.Identity)
    with torch.no_grad():
        torch.testing.assert_close(file(x), expected(trained, x), rtol=1e-4, atol=1e-4)


def test_torchvision_cannot_whiten(digits, tmp_path):
    with pytest.raises(ConfigError, match="pictures of this net are first contrast normalized"):
        export(digits, plan("torchvision", out=tmp_path / "net.pth"))


def test_a_run_that_has_not_come_to_its_end_is_said(tmp_path):
    folder = classifier(tmp_path)
    for path in (folder / "weights").iterdir():
        path.unlink()
    with pytest.raises(CheckpointError, match=r"has not come to its end.*train --resume"):
        export(folder, plan())
    with pytest.raises(CheckpointError, match="is not a run"):
        export(tmp_path, plan())


def test_a_head_for_other_classes_is_said(tmp_path):
    folder = classifier(tmp_path)
    record = folder / "events.jsonl"
    record.write_text(record.read_text().replace('"8", "9"]', '"8"]').replace('"8","9"]', '"8"]'))
    assert len(runs.load(folder).classes) == 9
    with pytest.raises(ConfigError, match=r"gives \(2, 10\) for 2 pictures, but the run has 9"):
        export(folder, plan())


def test_a_net_of_other_weights_is_said(tmp_path):
    folder = classifier(tmp_path)
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("depth: 8", "depth: 14"))
    with pytest.raises(CheckpointError, match="is of another net"):
        export(folder, plan())


def test_a_module_that_was_handed_over_is_handed_over_again(tmp_path):
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(64, 10)

        def forward(self, x):
            return self.head(x.flatten(1))

    folder = run(tiny(net=Mine(), normalize=PixelMean()), root=tmp_path).folder
    with pytest.raises(ConfigError, match="net was handed over in Python"):
        export(folder, plan())
    assert export(folder, plan(), net=Mine()).parity.agreement == 100


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"check": -1}, "check must be at least 0, got -1"),
        ({"tolerance": 0.0}, "tolerance must be above 0, got 0"),
        ({"tolerance": float("nan")}, "tolerance must be above 0, got nan"),
        ({"out": Path("net.onnx")}, r"ends in \.pt2, got"),
        ({"size": (32, 32)}, "size is for detectors"),
    ],
)
def test_settings_without_sense_are_refused(digits, settings, words):
    with pytest.raises(ConfigError, match=words):
        export(digits, plan(**settings))


def test_pictures_that_are_gone_are_said(tmp_path):
    class_folders(tmp_path / "pictures", {"a": 8, "b": 8})
    data = FolderConfig(path=str(tmp_path / "pictures"), size=16)
    net = CifarConfig(depth=8, num_classes=2)
    folder = classifier(tmp_path, data=data, net=net, batch_size=4)
    (tmp_path / "pictures").rename(tmp_path / "moved")
    with pytest.raises(DataError, match=r"pictures.*--check 0"):
        export(folder, plan())
