"""The detector of a run is written as a graph of one size, and finds what the detector finds."""

import json

import pytest
import torch

from deploy.written import detector
from detect.tiny import config, shaken
from residua import trained_detector
from residua.data.normalize import ChannelStats
from residua.data.resize import ResizeConfig
from residua.deploy import export_detector
from residua.deploy.convert import parity_of_detections, reopen
from residua.deploy.convert.bound_detector import OUTPUTS, bind_detector, within
from residua.deploy.convert.canvas import canvas_for, check_size, laid
from residua.deploy.export import export
from residua.deploy.export_detector import found
from residua.deploy.plan import ExportPlan
from residua.detect.detector import Detector
from residua.detect.faster_rcnn import Detections
from residua.detect.given import AtHand
from residua.detect.testing import TestingConfig, detect
from residua.errors import ConfigError, RunError

RESIZE = ResizeConfig(short=64, long=96)


@pytest.fixture(scope="module")
def by_pool(tmp_path_factory):
    """The run of a detector with RoI pooling."""
    return detector(tmp_path_factory.mktemp("pool"), pool="max")


@pytest.fixture(scope="module")
def by_align(tmp_path_factory):
    """The run of a detector with RoIAlign."""
    return detector(tmp_path_factory.mktemp("align"), pool="align")


def picture(height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=generator)


def test_by_hand_all_pictures_fit_into_the_canvas():
    # 64x128 is limited by its longer side, 50x50 becomes 64x64, 40x20 stands upright.
    sizes = [(64, 128), (50, 50), (40, 20)]
    assert [RESIZE.size(size) for size in sizes] == [(48, 96), (64, 64), (96, 48)]
    assert canvas_for(sizes, RESIZE) == (96, 96)


def test_by_hand_a_picture_lies_in_the_corner_and_a_larger_one_is_shrunk():
    pictures = [picture(50, 50), picture(100, 200)]
    canvas = laid(pictures, (64, 64), RESIZE)
    assert canvas.sizes_N2.tolist() == [[64, 64], [32, 64]]
    assert canvas.original_N2.tolist() == [[50, 50], [100, 200]]
    assert canvas.pixels_N3HW[1, :, 32:].sum() == 0
    assert (canvas.pixels_N3HW[1, :, :32].float().std() > 0).all()


def test_by_hand_what_is_within_a_picture():
    inside = within(torch.zeros(1, 1, 2, 3), torch.tensor([[1, 2]]))
    assert inside.tolist() == [[[[True, True, False], [False, False, False]]]]


def test_a_canvas_must_fit_the_strides():
    with pytest.raises(ConfigError, match="multiples of 32 pixels, got 64 and 100"):
        check_size((64, 100))


def test_a_bound_detector_finds_what_the_test_of_a_run_finds():
    """On a picture that fills the canvas, and whatever lies beside a smaller one."""
    net = shaken(config().build())
    pictures = [picture(48, 72, seed) for seed in range(3)]
    normalize = ChannelStats().fit(torch.stack(pictures))
    whole = Detector(net, normalize, RESIZE)
    testing = TestingConfig(per_picture=10, candidates=60)
    bound = bind_detector(whole, testing.output)
    expected = detect([whole], AtHand(pictures), testing)
    canvas = laid(pictures, (64, 96), RESIZE)
    with torch.no_grad():
        got = found(bound(*canvas))
        assert sum(map(len, expected)) > 5
        for one, other in zip(expected, got, strict=True):
            assert torch.equal(one.labels_D, other.labels_D)
            torch.testing.assert_close(one.boxes_D4, other.boxes_D4, rtol=0, atol=1e-3)
            torch.testing.assert_close(one.scores_D, other.scores_D, rtol=0, atol=1e-5)
        small = laid(pictures, (64, 128), RESIZE)
        beside = small.pixels_N3HW.clone()
        beside[:, :, :, 96:] = 200
        first, second = bound(*small), bound(beside, *small[1:])
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_openvino_pools_regions_as_the_detector_does(by_pool, tmp_path):
    pytest.importorskip("openvino")
    pytest.importorskip("onnxscript")
    made = export(by_pool, ExportPlan(to="openvino", out=tmp_path / "net.xml"))
    assert made.compared_on == "2 of 2 validation pictures"
    assert made.parity.detections > 5
    assert made.parity.agreement >= 99
    assert made.parity.difference < 1e-4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.bin", "net.xml"]


@pytest.mark.parametrize("count", [1, 3])
def test_pt2_takes_any_number_of_pictures(by_align, tmp_path, count):
    path = tmp_path / "net.pt2"
    made = export(by_align, ExportPlan(to="pt2", out=path, size=(64, 96), check=1))
    assert made.takes.startswith("Nx3x64x96 pixels")
    assert made.compared_on == "1 of 2 validation pictures"
    assert made.parity.count == 1
    assert made.parity.detections > 0
    assert made.parity.difference < 1e-4
    assert made.notes == [
        "import torchvision before torch.export.load: the graph has its operations"
    ]
    trained = trained_detector.load(by_align)
    pictures = [picture(60, 90), picture(90, 90), picture(40, 30)][:count]
    canvas = laid(pictures, (64, 96), trained.experiment.resize)
    bound = bind_detector(trained.detector, trained.experiment.testing.output)
    with torch.no_grad():
        got, expected = (Detections(*net(*canvas)) for net in (reopen.pt2(path), bound))
    parity_of_detections.compare(zip(found(expected), found(got), strict=True)).check(1e-4)
    extra = {"residua.json": ""}
    torch.export.load(path, extra_files=extra)
    card = json.loads(extra["residua.json"])
    assert card["inputs"]["pixels"]["shape"] == ["N", 3, 64, 96]
    for name, value in zip(OUTPUTS, got, strict=True):
        assert value.shape[0] == count
        assert card["outputs"][name]["shape"] == ["N", *value.shape[1:]]


def test_weights_of_a_detector_are_read_again(by_align, tmp_path):
    made = export(by_align, ExportPlan(to="safetensors", out=tmp_path / "net.safetensors"))
    assert made.files == [tmp_path / "net.safetensors"]
    assert "bit for bit" in made.notes[0]


def test_what_detectors_lack_is_said(by_align, tmp_path):
    with pytest.raises(ConfigError, match="torchvision has none like it"):
        export(by_align, ExportPlan(to="torchvision"))
    with pytest.raises(ConfigError, match="--size must say"):
        export(by_align, ExportPlan(to="pt2", check=0))


def test_a_graph_that_finds_something_else_is_not_kept(by_align, tmp_path, monkeypatch):
    def wrong(to, path):
        graph = reopen.pt2(path)

        def ask(canvas):
            boxes, scores, labels, valid = graph(*canvas)
            return Detections(boxes, scores * 0.9, labels, valid)

        return ask

    monkeypatch.setattr(export_detector, "_asked", wrong)
    with pytest.raises(RunError, match="does not find what the net does"):
        export(by_align, ExportPlan(to="pt2", out=tmp_path / "net.pt2"))
    assert not list(tmp_path.iterdir())


def test_rungs_that_no_graph_has_are_said(by_align, tmp_path):
    config_file = by_align / "config.yaml"
    text = config_file.read_text()
    assert "vote: false" in text
    config_file.write_text(text.replace("vote: false", "vote: true"))
    try:
        plan = ExportPlan(to="pt2", out=tmp_path / "net.pt2", check=1)
        assert "box voting" in export(by_align, plan).notes[0]
    finally:
        config_file.write_text(text)
