"""Detectors that begin from the weights of other detectors."""

import dataclasses

import pytest
import torch

from residua.data.scenes import ScenesConfig
from residua.data.voc_tree import write_voc
from residua.detect.names import c4, to_detectron2
from residua.detect.settings import FasterRcnnConfig
from residua.errors import CheckpointError, ConfigError
from residua.nets import weights
from residua.nets.imagenet import ImagenetConfig
from residua.nets.preprocessing import MSRA
from residua.recipes import objects
from residua.starting_detector import any_config_of, load_detectron2, start_detector

CLASSES = 4


@pytest.fixture(scope="module")
def detectron2(tmp_path_factory):
    """Write a detector in detectron2's names; return the file and the net that it is of."""
    torch.manual_seed(0)
    config = c4(50, CLASSES)
    net = config.build().eval()
    path = tmp_path_factory.mktemp("weights") / "model_final.pth"
    torch.save({"model": to_detectron2(net.state_dict(), config)}, path)
    return path, net


def test_a_detector_of_detectron2_sees_in_rgb_what_it_saw_in_bgr(detectron2):
    path, net = detectron2
    found = load_detectron2(path)
    assert (found.resize.short, found.resize.long) == (800, 1333)
    assert not found.net.training
    pictures = torch.randint(0, 256, (1, 3, 64, 80)).float()
    with torch.no_grad():
        ours, theirs = (
            found.net.features(found.normalize(pictures)),
            net.features(MSRA(pictures / 255)),
        )
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3 * float(theirs.abs().max()))
    assert found.net.predict.classes.weight.equal(net.predict.classes.weight)


def test_weights_say_which_detector_they_are_of(detectron2, tmp_path):
    assert any_config_of(str(detectron2[0])) == c4(50, CLASSES)
    assert any_config_of("torchvision") == ImagenetConfig(depth=18)
    classifier = tmp_path / "classifier.safetensors"
    small = ImagenetConfig(depth=18, widen=0.0625, num_classes=3)
    weights.save(small.build(), classifier, config=small)
    assert any_config_of(str(classifier)) == small
    with pytest.raises(CheckpointError, match="no Faster R-CNN on C4 of detectron2"):
        load_detectron2(classifier)


def test_other_classes_get_new_last_layers_and_keep_the_rest(detectron2):
    path, net = detectron2
    config = c4(50, CLASSES + 2)
    detector, normalize = start_detector(config, str(path))
    assert detector.predict.classes.weight.shape[0] == CLASSES + 3
    assert detector.head.state_dict()["c5.0.residual.conv1.weight"].equal(
        net.head.state_dict()["c5.0.residual.conv1.weight"]
    )
    assert normalize is not None


def test_settings_of_another_detector_are_refused(detectron2):
    config = dataclasses.replace(c4(50, CLASSES), trunk=ImagenetConfig(depth=18))
    with pytest.raises(ConfigError, match="another detector than the settings"):
        start_detector(config, str(detectron2[0]))


def test_own_data_keep_the_detector_of_the_weights(tmp_path):
    scenes = ScenesConfig(train=6, validation=2, test=3, height=64, width=80, sides=(16, 40))
    root = write_voc(scenes.load(), tmp_path / "tree")
    given = FasterRcnnConfig(trunk=ImagenetConfig(depth=18, widen=0.0625), num_classes=3, freeze=0)
    path = tmp_path / "detector.safetensors"
    weights.save(given.build(), path, config=given, card={"task": "detection"})
    found = objects.recognised(root, weights=str(path))
    assert found is not None
    assert found.experiment.net == dataclasses.replace(given, num_classes=10)
    assert any("those of the weights" in sentence for sentence in found.sentences)
    fitted = objects.recognised(root)
    assert fitted is not None
    assert fitted.experiment.net.anchors != given.anchors
