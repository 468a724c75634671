"""ONNX and OpenVINO files of a net with whitening: any number of pictures, and a card."""

import json
import sys

import pytest
import torch
from torch import nn

from deploy.written import pictures, used
from residua import extras
from residua.data.normalize import ChannelStats, Whiten
from residua.deploy.convert import reopen, to_onnx, to_openvino, to_pt2
from residua.deploy.convert.bound import bind
from residua.deploy.loader import openvino_core
from residua.deploy.plan import ExportPlan
from residua.errors import ConfigError
from residua.nets.cifar import CifarConfig

CARD = {"classes": ["a", 'b "c"', "<d>"], "mean": [0.5]}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return used(CifarConfig(depth=8, in_channels=1, shortcut="B").build())


@pytest.fixture(scope="module")
def bound(net):
    return bind(net, Whiten().fit(pictures(40)), (1, 8, 8))


@torch.no_grad()
def assert_same_for_any_number(file, bound, dtype=torch.uint8):
    for count in (1, 2, 5):
        x = pictures(count)
        (found,) = file({"pixels": x.to(dtype)})
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, bound(x), rtol=0, atol=1e-4)


def test_onnx_takes_any_number_of_pictures_and_has_its_card(bound, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    path = tmp_path / "net.onnx"
    to_onnx.to_onnx(bound, path, card=CARD)
    assert_same_for_any_number(reopen.onnx(path), bound)
    assert b"residua/deploy" not in path.read_bytes()
    session = onnxruntime.InferenceSession(path)
    (given,), (got,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == ("pixels", "tensor(uint8)", ["N", 1, 8, 8])
    assert (got.name, got.shape) == ("logits", ["N", 10])
    assert json.loads(session.get_modelmeta().custom_metadata_map["residua"]) == CARD


def test_openvino_takes_any_number_of_pictures_and_has_its_card(bound, tmp_path):
    pytest.importorskip("openvino")
    path = tmp_path / "net.xml"
    to_openvino.to_openvino(bound, path, card=CARD, dtype=torch.float32)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.bin", "net.xml"]
    assert_same_for_any_number(reopen.openvino(path), bound, torch.float32)
    model = openvino_core().read_model(path)
    assert model.input("pixels").partial_shape.to_string() == "[?,1,8,8]"
    assert model.output("logits").partial_shape.to_string() == "[?,10]"
    assert json.loads(model.get_rt_info(["residua", "card"]).value) == CARD


def test_pt2_has_its_card_and_names_no_file_of_this_machine(bound, tmp_path):
    path = tmp_path / "net.pt2"
    to_pt2.to_pt2(bound, path, card=CARD)
    extra = {"residua.json": ""}
    torch.export.load(path, extra_files=extra)
    assert json.loads(extra["residua.json"]) == CARD
    assert b"residua/deploy" not in path.read_bytes()
    assert_same_for_any_number(lambda given: [reopen.pt2(path)(given["pixels"])], bound)


@pytest.mark.parametrize(
    ("to", "package", "extra"),
    [("onnx", "onnxscript", "onnx"), ("openvino", "openvino", "openvino")],
)
def test_an_absent_package_is_named_with_what_installs_it(
    tmp_path, monkeypatch, to, package, extra
):
    monkeypatch.setattr(extras, "installed", lambda name: name != package)
    needs = rf'--to {to} needs {package}: pip install "residua\[{extra}\]"'
    with pytest.raises(ConfigError, match=needs):
        ExportPlan(to=to).validate(tmp_path)
    ExportPlan(to="pt2").validate(tmp_path)


def test_a_net_that_is_too_large_for_one_file_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("onnxscript")
    monkeypatch.setattr(to_onnx, "MOST_BYTES", 100)
    small = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    bound = bind(small, ChannelStats().fit(pictures(4)), (1, 8, 8))
    with pytest.raises(ConfigError, match=r"takes 0\.0 GB, and an ONNX file at most"):
        to_onnx.to_onnx(bound, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_openvino_is_made_once_and_reports_to_nobody():
    pytest.importorskip("openvino")
    assert openvino_core() is openvino_core()
    assert sys.modules["openvino_telemetry"] is None
