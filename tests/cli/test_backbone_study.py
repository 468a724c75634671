"""`residua lab backbone`: one detector on two backbones."""

import dataclasses

import pytest

from residua import events
from residua.cli.dispatch import main
from residua.cli.studies import backbone
from residua.data.objectbatches import ResizeConfig
from residua.data.scenes import ScenesConfig
from residua.errors import CheckpointError, ConfigError
from residua.lab.backbone import backbones, experiments
from residua.report.backbone import Gain, finding, gain

SCENES = ScenesConfig(train=12, validation=2, test=3, height=64, width=80, sides=(16, 40))


def small(seeds):
    """The trainings of the study on a few small scenes."""
    return [
        dataclasses.replace(
            each,
            data=SCENES,
            resize=ResizeConfig(short=64, long=80),
            pretrain=dataclasses.replace(
                each.pretrain, data=dataclasses.replace(each.pretrain.data, data=SCENES)
            ),
        )
        for each in experiments(seeds)
    ]


def test_only_the_backbone_is_another():
    one, other = experiments(1)
    assert one.net.trunk != other.net.trunk
    roi = dataclasses.replace(one.net.roi, pool_size=other.net.roi.pool_size)
    net = dataclasses.replace(one.net, trunk=other.net.trunk, roi=roi)
    alike = {"name": other.name, "net": net, "pretrain": other.pretrain}
    assert dataclasses.replace(one, **alike) == other
    assert [each.seed for each in experiments(2)] == [0, 1, 0, 1]
    with pytest.raises(ConfigError, match="at least one seed, got 0"):
        experiments(0)


def test_seeds_are_compared_with_the_same_seed():
    found = gain({0: 90.0, 1: 92.0, 2: 80.0}, {0: 89.0, 1: 88.0, 3: 10.0})
    assert found == Gain(mean=2.5, low=1.0, high=4.0, n=2)
    assert finding(found) == (
        "the residual backbone: +2.5 points of mAP@.5 (mean of n = 2 seeds, from +1.0 to +4.0)"
    )
    assert finding(gain({0: 90.0}, {0: 91.0})).endswith(
        "-1.0 points of mAP@.5 (n = 1 seed, which tells little)"
    )
    assert gain({0: 90.0}, {1: 91.0}) is None
    assert finding(None) == "no seed came to its end on both backbones"


def test_the_study_ends_with_its_page_and_goes_on_in_its_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(backbone, "experiments", small)
    words = ["lab", "backbone", "--smoke", "--into", str(tmp_path / "study")]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "training 2 of 2: detection.scenes_vgg16, seed 0" in told
    *_, sentence, page = told.splitlines()
    assert "(n = 1 seed, which tells little); in the paper +3.2 on VOC 2007" in sentence
    assert page == str(tmp_path / "study/report.html")
    text = (tmp_path / "study/report.html").read_text()
    for wanted in (
        'href="detection.scenes_vgg16/seed0/report.html"',
        "ResNet-18, a quarter wide",
        "76.4",
        "(n = 1 seed, which tells little)",
    ):
        assert wanted in text
    assert "<script" not in text
    assert (tmp_path / "study/figure.png").read_bytes().startswith(b"\x89PNG")
    records = sorted((tmp_path / "study").glob("*/*/events.jsonl"))
    assert len(records) == 4
    before = [path.read_bytes() for path in records]
    assert main(words) == 0
    assert sorted((tmp_path / "study").glob("*/*/events.jsonl")) == records
    assert [path.read_bytes() for path in records] == before
    assert main([*words[:2], "--into", words[-1]]) == 2
    assert "holds a study of scenes with 2 updates each" in capsys.readouterr().err


def test_a_backbone_without_a_result_is_named(tmp_path):
    plan = [each.smoke() for each in small(1)]
    diverging = dataclasses.replace(plan[1].schedule, lr=1e30)
    plan[1] = dataclasses.replace(plan[1], schedule=diverging, clip=None, pretrain=None)
    with pytest.raises(CheckpointError, match="no training of VGG-16, a quarter wide has come"):
        backbones(plan, into=tmp_path)
    folder = tmp_path / "detection.scenes_vgg16/seed0"
    assert events.result(events.read(folder)) is None
