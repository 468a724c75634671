import pytest

from pictured import class_folders
from residua.data.augment import PadCropFlip
from residua.data.cifar import Cifar10Config
from residua.data.folder import FolderConfig
from residua.errors import ConfigError
from residua.lab.ground import ground, lasting
from residua.nets.cifar import CifarConfig
from residua.train.schedule import StepsConfig


def test_the_papers_recipes_on_cifar_differ_in_their_first_updates():
    first, second = ground("cifar10"), ground("cifar10", "2016")
    steps = StepsConfig(lr=0.1, at=(32_000, 48_000), factor=0.1, until=64_000)
    assert first.experiment.schedule == steps
    assert (second.experiment.schedule.warmup, second.experiment.schedule.warmup_lr) == (400, 0.01)
    assert first.experiment.augment == PadCropFlip(pad=4)
    assert first.whole == second.whole == 64_000


def test_pictures_are_held_out_but_for_whole_recipes():
    assert ground("cifar10").experiment.data == Cifar10Config(holdout=5_000)
    assert ground("cifar10", whole=True).experiment.data == Cifar10Config(holdout=0)
    assert ground("mnist").experiment.data.holdout == 5_000


def test_nets_fit_the_pictures():
    nets = {name: ground(name).with_net("a", depth=14).net for name in ("digits", "mnist")}
    assert nets["digits"] == nets["mnist"] == CifarConfig(depth=14, in_channels=1)
    assert ground("cifar10").with_net("a", depth=14).net == CifarConfig(depth=14)
    with pytest.raises(ConfigError, match="got 21"):
        ground("digits").with_net("a", depth=21)


def test_a_folder_is_read_at_32_pixels_for_nets_of_its_classes(tmp_path):
    class_folders(tmp_path / "own", {"a": 12, "b": 12, "c": 12}, size=(90, 70))
    found = ground(str(tmp_path / "own"))
    experiment = found.with_net("resnet8", depth=8)
    assert experiment.net == CifarConfig(depth=8, num_classes=3)
    assert isinstance(experiment.data, FolderConfig)
    assert experiment.data.shape == (3, 32, 32)
    assert experiment.name == "pictures.own.resnet8"
    assert "every picture is read at 32x32" in found.sentences[-1]


def test_no_such_data():
    with pytest.raises(ConfigError, match="did you mean cifar10"):
        ground("cifar")


def test_a_schedule_is_shrunk_only_if_it_has_another_length():
    experiment = ground("cifar10", "2016").experiment
    same = lasting(experiment, experiment.schedule, 64_000)
    assert same == experiment
    short = lasting(experiment, experiment.schedule, 640).schedule
    assert (short.at, short.warmup, short.until) == ((320, 480), 4, 640)
