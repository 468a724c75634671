"""A net that learns from another: the loss by hand, and trainings that have a teacher."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from residua import execute, recipes, resume, runs
from residua.errors import ConfigError, RunError
from residua.nets import weights
from residua.nets.cifar import CifarConfig
from residua.nets.preprocessing import Preprocessing
from residua.train.loss import LossConfig
from residua.train.teacher import apart


class Says(nn.Module):
    """Says the same of every picture."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, images):
        return self.logits.expand(len(images), -1)


IMAGES, LABELS = torch.zeros(2, 3, 4, 4), torch.tensor([0, 1])


def test_by_hand_softened_answers_are_compared():
    pupil, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[2 * math.log(3), 0.0]])
    # Softened the teacher says 3/4 and 1/4.
    expected = 4 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert apart(pupil, teacher, temperature=2.0).item() == pytest.approx(expected, rel=1e-5)
    assert apart(teacher, teacher, temperature=2.0).item() == pytest.approx(0, abs=1e-6)


def test_labels_have_the_rest_of_the_loss():
    rule = LossConfig(taught=0.25, temperature=1.0)
    net, teacher = Says(1.0, -1.0), Says(0.0, 3.0)
    teacher.requires_grad_(requires_grad=False)
    given = (net, IMAGES, LABELS, torch.Generator())
    plain, taught = rule.terms(*given)["loss"], rule.terms(*given, teacher)["loss"]
    alone = apart(net(IMAGES), teacher(IMAGES), temperature=1.0)
    assert taught.item() == pytest.approx(0.75 * plain.item() + 0.25 * alone.item(), rel=1e-5)
    taught.backward()
    assert net.logits.grad is not None
    assert teacher.logits.grad is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"taught": 0.0}, r"loss.taught must be in \(0, 1\], got 0"),
        ({"taught": 1.5}, "got 1.5"),
        ({"temperature": 0.0}, r"loss.temperature must be in \(0, 1000\), got 0"),
        ({"temperature": float("nan")}, "got nan"),
    ],
)
def test_numbers_without_sense_are_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        LossConfig(**settings).check()


@pytest.fixture
def taught(tmp_path):
    """A training on digits that a saved net teaches."""

    def make(classes=10, mean=None):
        torch.manual_seed(1)
        config = CifarConfig(depth=8, in_channels=1, num_classes=classes)
        told = None if mean is None else Preprocessing(mean=(mean,), std=(0.37,))
        path = tmp_path / "teacher.safetensors"
        weights.save(config.build(), path, config=config, preprocessing=told)
        tiny = recipes.find("digits.resnet20").lasting(6)
        net = dataclasses.replace(tiny.net, depth=8)
        loss = LossConfig(teacher=str(path))
        return dataclasses.replace(tiny, name="tests.taught", net=net, loss=loss)

    return make


def test_a_teacher_changes_what_is_learned_and_stays_as_it_is(taught, tmp_path):
    experiment = taught()
    before = (tmp_path / "teacher.safetensors").read_bytes()
    found = execute.run(experiment, root=tmp_path, name="taught", page=False)
    alone = dataclasses.replace(experiment, loss=LossConfig())
    other = execute.run(alone, root=tmp_path, name="alone", page=False)
    assert (tmp_path / "teacher.safetensors").read_bytes() == before
    nets = [runs.load(each.folder).net.state_dict() for each in (found, other)]
    assert any(not torch.equal(value, nets[1][name]) for name, value in nets[0].items())


def test_a_training_with_a_teacher_goes_on_where_it_stopped(taught, tmp_path):
    def stop(event):
        if event["kind"] == "epoch" and event["iteration"] >= 3:
            raise KeyboardInterrupt

    experiment = dataclasses.replace(taught(), batch_size=500)
    straight = execute.run(experiment, root=tmp_path, name="straight", page=False)
    with pytest.raises((KeyboardInterrupt, RunError)):
        execute.run(experiment, root=tmp_path, name="stopped", page=False, listen=stop)
    ended = resume(str(tmp_path / "tests.taught/stopped"))
    one, other = (runs.load(each.folder).net.state_dict() for each in (straight, ended))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_teacher_of_other_classes_or_pictures_is_refused(taught, tmp_path):
    with pytest.raises(ConfigError, match="tells 7 classes apart and cannot teach 10"):
        execute.run(taught(classes=7), root=tmp_path, page=False)
    with pytest.raises(ConfigError, match="prepared otherwise"):
        execute.run(taught(mean=0.9), root=tmp_path, page=False)
