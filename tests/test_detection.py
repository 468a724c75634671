"""Runs of a tiny detector on a few made scenes."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file

from residua import events, execute, interruption, pretraining, runs, trained_detector
from residua.data.augment import RandomResizedCrop
from residua.data.crops import ObjectCropsConfig
from residua.data.objectbatches import ResizeConfig
from residua.data.scenes import ScenesConfig
from residua.detect.anchors import AnchorsConfig
from residua.detect.roi import RoiConfig
from residua.detect.rpn import RpnConfig
from residua.detect.settings import FasterRcnnConfig
from residua.detect.testing import detect
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError
from residua.evaluate.exact_norm import average_as_learned, average_unaugmented
from residua.experiment import Experiment
from residua.nets.imagenet import ImagenetConfig
from residua.nets.vgg import VggConfig
from residua.train.schedule import StepsConfig
from residua.train.sequence import SequenceConfig

SCENES = ScenesConfig(train=6, validation=2, test=3, height=64, width=80, sides=(16, 40))
TRUNK = ImagenetConfig(depth=18, widen=0.0625)


def tiny(**changes):
    experiment = DetectionExperiment(
        name="tests.detector",
        net=FasterRcnnConfig(
            trunk=TRUNK,
            num_classes=10,
            anchors=AnchorsConfig(sizes=(24, 48), ratios=(1.0, 1.5)),
            rpn=RpnConfig(train_pre=64, train_post=24, test_pre=48, test_post=12, per_picture=32),
            roi=RoiConfig(pool="align", pool_size=4, per_picture=12, background=(0.0, 0.5)),
            freeze=0,
        ),
        data=SCENES,
        resize=ResizeConfig(short=64, long=80),
        schedule=StepsConfig(lr=0.01, at=(), until=6),
        batch_size=2,
        precision="float32",
    )
    return dataclasses.replace(experiment, **changes)


STEP = StepsConfig(lr=0.01, at=(), until=2)
STEPPED = {"schedule": SequenceConfig(parts=(STEP,) * 4), "training": "alternating"}


def weights(folder, which="last"):
    return load_file(folder / "weights" / f"{which}.safetensors")


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_records_its_losses_and_its_test():
    result = execute.run(tiny(), page=False)
    record = events.read(result.folder)
    rows, told = events.history(record), events.result(record)
    assert [row["iteration"] for row in rows] == [3, 6]
    terms = ("loss", "rpn_class", "rpn_box", "roi_class", "roi_box")
    assert all(f"train_{name}" in row for row in rows for name in terms)
    last = rows[-1]
    parts = [last[f"train_{name}"] for name in terms[1:]]
    assert last["train_loss"] == pytest.approx(sum(parts), rel=1e-5)
    assert 0 <= result.test_map <= 100
    assert told["map_area"] == result.test_map
    assert result.test_count == 3
    assert runs.read_experiment(result.folder) == tiny()
    assert result.sentence.startswith("test mAP@.5 ")


def test_a_run_that_was_stopped_ends_in_equal_bits(tmp_path):
    found = interruption.compare(tiny(select="best"), root=tmp_path)
    assert found.differences == ()


def test_alternating_training_ends_in_equal_bits_too(tmp_path):
    experiment = tiny(**STEPPED, step_batches=(2, 1, 2, 1))
    assert interruption.compare(experiment, root=tmp_path).differences == ()


def test_a_trained_detector_is_loaded_and_finds_what_the_run_found():
    result = execute.run(tiny(), page=False)
    loaded = trained_detector.load(result.folder)
    assert loaded.classes == tuple("0123456789")
    pictures = tiny().load_data().test
    found = detect([loaded.detector], pictures, loaded.experiment.testing)
    told = events.result(events.read(result.folder))["scores"]["detections"]
    assert sum(map(len, found)) == told
    with pytest.raises(ConfigError, match="run of a detector"):
        runs.load(result.folder)


def first():
    return Experiment(
        name="tests.trunk",
        net=dataclasses.replace(TRUNK, num_classes=11),
        data=ObjectCropsConfig(data=SCENES, size=32),
        schedule=StepsConfig(lr=0.05, at=(), until=4),
        batch_size=8,
        precision="float32",
    )


def test_the_trunk_is_trained_first_once(tmp_path):
    experiment = tiny(pretrain=first())
    result = execute.run(experiment, page=False)
    trunk = tmp_path / "runs/tests.trunk/seed0"
    assert (trunk / "weights/averaged-augmented.safetensors").is_file()
    again = execute.run(experiment, page=False)
    assert [path.name for path in trunk.parent.iterdir()] == ["seed0"]
    assert same(weights(result.folder), weights(again.folder))
    plain = execute.run(tiny(), page=False)
    assert not same(weights(result.folder), weights(plain.folder))


def test_the_statistics_of_a_trunk_are_of_its_pictures_augmented_or_plain(tmp_path):
    trunk = dataclasses.replace(first(), augment=RandomResizedCrop(size=32))
    folder = execute.run(trunk, root=tmp_path, page=False).folder
    one, two = (
        load_file(pretraining.averaged(folder, trunk, torch.device("cpu"), over))
        for over in ("augmented", "plain")
    )
    name = "stem.norm.running_mean"
    assert not torch.allclose(one[name], two[name])
    assert all(one[n].equal(two[n]) for n in one if not n.endswith(("_mean", "_var")))
    found = runs.load(folder)
    average_unaugmented(found.net, trunk.load_data().train, found.normalize)
    assert two[name].equal(found.net.state_dict()[name])
    average_as_learned(found.net, trunk.load_data().train, trunk.serving_at_a_time(found.normalize))
    assert one[name].equal(found.net.state_dict()[name])


def test_a_trunk_without_normalization_is_taken_as_it_is(tmp_path):
    net = VggConfig(depth=16, widen=0.0625)
    trunk = dataclasses.replace(first(), net=dataclasses.replace(net, num_classes=11))
    roi = dataclasses.replace(tiny().net.roi, pool_size=None)
    detector = dataclasses.replace(tiny().net, trunk=net, roi=roi)
    still = StepsConfig(lr=1e-30, at=(), until=1)
    result = execute.run(tiny(net=detector, pretrain=trunk, schedule=still), page=False)
    learned, begun = weights(tmp_path / "runs/tests.trunk/seed0"), weights(result.folder)
    assert torch.equal(learned["groups.0.conv1.weight"], begun["trunk.c1.conv1.weight"])


def test_a_detector_begins_from_the_weights_of_another():
    begun = execute.run(tiny(), page=False)
    source = str(begun.folder / "weights/last.safetensors")
    still = StepsConfig(lr=1e-30, at=(), until=1)
    result = execute.run(tiny(weights=source, schedule=still), page=False)
    one, two = weights(begun.folder), weights(result.folder)
    assert all(torch.allclose(one[name].float(), two[name].float(), atol=1e-12) for name in one)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": "alternating"}, "four steps"),
        ({"step_batches": (1, 2)}, "step_batches"),
        ({**STEPPED, "step_batches": (4, 2, 4, 2)}, "set --step-batches and --batch-size together"),
        ({**STEPPED, "step_batches": (2, 0, 2, 2)}, "at least 1 each"),
        ({**STEPPED, "rate_step_batches": (8, 16)}, "one for each of step_batches"),
        ({"look_every": 0}, "look_every"),
        ({"batch_size": 0}, "batch_size"),
        ({"data": ScenesConfig(train=4, validation=0, test=1), "select": "best"}, "validation"),
    ],
)
def test_settings_without_sense_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        execute.run(tiny(**change), page=False)


def test_another_number_of_classes_is_refused():
    net = dataclasses.replace(tiny().net, num_classes=3)
    with pytest.raises(ConfigError, match=r"3 classes apart, but the data have 10"):
        execute.run(tiny(net=net), page=False)


def test_the_rate_follows_the_batch():
    plain = tiny(schedule=StepsConfig(lr=0.01, at=(), until=6))
    assert plain.rates == plain.schedule
    scaled = dataclasses.replace(plain, rate_batch=8)
    assert scaled.rates.lr == pytest.approx(0.01 * 2 / 8)


def test_the_rates_of_steps_follow_their_batches():
    experiment = tiny(**STEPPED, step_batches=(2, 4, 2, 4), rate_step_batches=(8, 16, 16, 4))
    experiment.check()
    rates = [part.lr for part in experiment.rates.parts]
    assert rates == pytest.approx([0.0025, 0.0025, 0.00125, 0.01])


def test_pictures_of_steps_are_counted_with_their_batches():
    experiment = tiny(**STEPPED, step_batches=(2, 4, 2, 4))
    assert [experiment.shown(done) for done in range(9)] == [0, 2, 4, 8, 12, 14, 16, 20, 24]
    assert tiny().shown(6) == 12
