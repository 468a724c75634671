"""Going on from weights that have learned something."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file

from pictured import class_folders, photograph, save
from residua import execute, interruption, recipes
from residua.cli import verify_resume
from residua.cli.train import main
from residua.errors import CheckpointError, ConfigError
from residua.nets import weights
from residua.nets.cifar import CifarConfig
from residua.nets.preprocessing import Preprocessing
from residua.recipes.finetune import finetuned
from residua.starting import start
from residua.train.schedule import StepsConfig

CONFIG = CifarConfig(depth=8, num_classes=4)


@pytest.fixture
def learned(tmp_path):
    """Weights of a small net that tells four classes apart."""
    torch.manual_seed(3)
    path = tmp_path / "learned.safetensors"
    weights.save(
        CONFIG.build(),
        path,
        config=CONFIG,
        preprocessing=Preprocessing(mean=(0.1, 0.2, 0.3), std=(0.5, 0.5, 0.5)),
        card={"classes": ["a", "b", "c", "d"]},
    )
    return path


@pytest.fixture
def folder(tmp_path):
    class_folders(tmp_path / "pets", {"ant": 8, "bee": 8, "cat": 8})
    return tmp_path / "pets"


def untrained(experiment):
    """The experiment with a rate that changes nothing to speak of."""
    return dataclasses.replace(
        experiment, schedule=StepsConfig(lr=1e-30, at=(), until=2), batch_size=4
    )


def test_everything_but_the_head_is_taken_over(learned, folder):
    experiment = finetuned(recipes.find(str(folder)), str(learned))
    assert experiment.net == dataclasses.replace(CONFIG, num_classes=3)
    result = execute.run(untrained(experiment), page=False)
    theirs, ours = load_file(learned), load_file(result.folder / "weights" / "last.safetensors")
    assert torch.equal(ours["stem.conv.weight"], theirs["stem.conv.weight"])
    assert torch.equal(
        ours["stages.2.0.residual.conv1.weight"], theirs["stages.2.0.residual.conv1.weight"]
    )
    assert ours["head.weight"].shape == (3, 64)
    loaded = weights.load(result.folder / "weights" / "last.safetensors")
    assert loaded.preprocessing.mean == pytest.approx((0.1, 0.2, 0.3))


@pytest.mark.parametrize("classes", [("a", "b", "c", "d"), ("a", "b", "c", "e")])
def test_the_head_comes_along_only_for_the_same_classes(learned, classes):
    torch.manual_seed(8)
    net = CONFIG.build()
    before = net.head.weight.clone()
    start(net, str(learned), CONFIG, classes)
    theirs = load_file(learned)["head.weight"]
    assert torch.equal(net.head.weight, theirs if classes[3] == "d" else before)


def test_a_stopped_fine_tuning_goes_on_without_the_file(learned, folder, tmp_path):
    experiment = dataclasses.replace(
        finetuned(recipes.find(str(folder)), str(learned)),
        schedule=StepsConfig(lr=0.01, at=(), until=6),
        batch_size=4,
    )
    straight = execute.run(experiment, root=tmp_path / "one", page=False)

    def stop(event):
        if event["kind"] == "update" and event["iteration"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute.run(experiment, root=tmp_path / "two", listen=stop, page=False)
    learned.unlink()
    resumed = execute.resume(tmp_path / "two" / experiment.name / "seed0", page=False)
    for which in ("last", "best"):
        one, two = (
            load_file(r.folder / "weights" / f"{which}.safetensors") for r in (straight, resumed)
        )
        assert all(torch.equal(one[name], two[name]) for name in one)
    assert straight.test_error == resumed.test_error


def test_the_command_fine_tunes_a_folder(learned, folder, capsys):
    main([str(folder), "--weights", str(learned), "--smoke"])
    assert "test error" in capsys.readouterr().out


def test_weights_that_are_not_there_or_not_of_the_net_are_refused(learned, folder):
    with pytest.raises(CheckpointError, match=r"nowhere.safetensors: no such file"):
        finetuned(recipes.find(str(folder)), "nowhere.safetensors")
    with pytest.raises(CheckpointError, match="of another net"):
        start(CifarConfig(depth=14).build(), str(learned), CONFIG, ("a",))
    with pytest.raises(ConfigError, match="torchvision has weights for imagenet and vgg"):
        start(CONFIG.build(), "torchvision", CONFIG, ("a",))


def test_resumption_is_verified_of_what_train_would_train(learned, folder, monkeypatch):
    def compare(experiment, **options):
        compared.append(experiment)
        return interruption.Comparison(60, (), ())

    compared = []
    monkeypatch.setattr(interruption, "compare", compare)
    verify_resume.main([str(folder), "--weights", str(learned)])
    expected = finetuned(recipes.find(str(folder)), str(learned))
    shortened = dataclasses.replace(expected, schedule=expected.schedule.scaled(60))
    assert compared == [shortened]


def test_grey_pictures_are_read_as_the_weights_take_them(learned, tmp_path):
    for name in ("ant", "bee"):
        for number in range(8):
            grey = photograph(24, 16, seed=number)[:, :, 0]
            save(tmp_path / "grey" / name / f"{number}.png", grey)
    found = recipes.find(str(tmp_path / "grey"))
    assert found.data.channels == 1
    experiment = finetuned(found, str(learned))
    assert (experiment.data.channels, experiment.net.in_channels) == (3, 3)
    assert execute.run(untrained(experiment), page=False).test_count > 0
