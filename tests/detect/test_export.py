"""A detector leaves Python: `torch.export` and ONNX give what it gives."""

import warnings

import numpy as np
import onnxruntime
import pytest
import torch

from detect.tiny import config, shaken
from residua.detect.anchors import AnchorsConfig
from residua.detect.faster_rcnn import Detections
from residua.detect.translate import translations
from residua.nets.cifar import CifarConfig

SIZES = torch.tensor([[48, 64], [40, 50]])
ANCHORS = AnchorsConfig(sizes=(12, 24))


def example():
    images = torch.randn(2, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    images[1, :, 40:] = 0
    images[1, :, :, 50:] = 0
    return images


@pytest.fixture(scope="module", params=["max", "align"])
def exported(request):
    """Export one detector of each kind, one with context, and what it finds."""
    settings = config(
        trunk=CifarConfig(depth=8),
        anchors=ANCHORS,
        roi={"pool": request.param},
        context=request.param == "align",
        output={"per_picture": 50},
    )
    detector = shaken(settings.build())
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = detector(example(), SIZES)
        program = torch.export.export(detector, (example(), SIZES))
    assert {"max": "roi_pool", "align": "roi_align"}[request.param] in str(program)
    assert found.valid_NE.any()
    assert not found.valid_NE.all()
    return program, found


def assert_same(got, found):
    got = Detections(*got)
    assert torch.equal(got.valid_NE, found.valid_NE)
    valid = found.valid_NE
    assert torch.equal(got.labels_NE[valid], found.labels_NE[valid])
    assert torch.allclose(got.scores_NE[valid], found.scores_NE[valid], atol=1e-4)
    assert torch.allclose(got.boxes_NE4[valid], found.boxes_NE4[valid], atol=1e-4)


def test_the_exported_program_finds_the_same(exported):
    program, found = exported
    assert_same(program.module()(example(), SIZES), found)


def test_onnxruntime_finds_the_same(exported, tmp_path):
    program, found = exported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onnx = torch.onnx.export(
            program, dynamo=True, custom_translation_table=translations(), verbose=False
        )
        onnx.save(tmp_path / "detector.onnx")
    session = onnxruntime.InferenceSession(
        tmp_path / "detector.onnx", providers=["CPUExecutionProvider"]
    )
    names = [given.name for given in session.get_inputs()]
    values = dict(zip(names, (example().numpy(), SIZES.numpy()), strict=False))
    assert_same([torch.from_numpy(np.array(each)) for each in session.run(None, values)], found)
