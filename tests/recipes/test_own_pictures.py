import dataclasses

import numpy as np
import pytest

from pictured import class_folders, save
from residua import execute, recipes
from residua.config import from_yaml, to_yaml
from residua.data.folder import FilesConfig, FolderConfig
from residua.errors import ConfigError, DataError
from residua.experiment import Experiment
from residua.recipes import pictures
from residua.recipes.pictures import recognised, size_for


def test_a_folder_is_recognised_in_sentences(tmp_path):
    class_folders(tmp_path / "my pets!", {"ant": 40, "bee": 10}, size=(40, 30))
    (tmp_path / "my pets!" / "ant" / "notes.txt").write_text("x")
    found = recognised(tmp_path / "my pets!")
    assert found.sentences == [
        f"{tmp_path}/my pets!: class folders, 50 pictures of 2 classes (ant 40, bee 10), "
        "40x30 pixels",
        "34 to learn from, 8 to choose with, 8 to test on (split here, the same shares of every "
        "class); read at 32x32 and kept in memory, 0 MB, in colour",
        "1 files are no pictures and left out: 1 .txt",
        "ant has 4.0 times the pictures of bee (40 against 10): --balance shows all classes "
        "equally often",
    ]
    assert found.experiment.name == "pictures.my-pets"
    assert found.experiment.net.num_classes == 2


def test_grey_pictures_are_read_as_grey(tmp_path):
    for number in range(6):
        for name in ("a", "b"):
            save(tmp_path / name / f"{number}.png", np.full((20, 20), number, dtype=np.uint8))
    experiment = recognised(tmp_path).experiment
    assert (experiment.data.channels, experiment.net.in_channels) == (1, 1)
    save(tmp_path / "a" / "colour.png")
    assert recognised(tmp_path).experiment.data.channels == 3


@pytest.mark.parametrize(("side", "size"), [(8, 32), (40, 32), (64, 64), (128, 128), (3000, 128)])
def test_the_size_follows_the_pictures(side, size):
    assert size_for(side) == size


def test_what_does_not_fit_into_memory_is_read_from_files(tmp_path, monkeypatch):
    class_folders(tmp_path / "set", {"a": 8, "b": 8})
    assert isinstance(recognised(tmp_path / "set").experiment.data, FolderConfig)
    monkeypatch.setattr(pictures, "MEMORY", 1000)
    found = recognised(tmp_path / "set")
    assert isinstance(found.experiment.data, FilesConfig)
    assert "read from the files for every batch" in found.sentences[1]


def test_the_experiment_survives_yaml_and_runs(tmp_path):
    class_folders(tmp_path / "set", {"a": 8, "b": 8})
    experiment = recipes.find(str(tmp_path / "set"))
    assert from_yaml(Experiment, to_yaml(experiment)) == experiment
    result = execute.run(experiment.smoke(), page=False)
    assert result.test_count == 2


def test_training_from_files_resumes_with_the_same_bits_for_any_number_of_workers(tmp_path):
    """Straight through, against stopped and resumed with another number of workers."""
    import torch
    from safetensors.torch import load_file

    from residua.errors import RunError
    from residua.nets.cifar import CifarConfig
    from residua.train.schedule import CosineConfig

    class_folders(tmp_path / "set", {"a": 12, "b": 12}, size=(40, 30), ending=".jpg")
    files = FilesConfig(path=str(tmp_path / "set"), size=16, workers=2)
    files = dataclasses.replace(files, crop=dataclasses.replace(files.crop, short_side=(16, 24)))
    experiment = Experiment(
        name="tests.files",
        net=CifarConfig(depth=8, num_classes=2),
        data=files,
        schedule=CosineConfig(lr=0.05, until=6),
        batch_size=5,
        precision="float32",
        balance=True,
    )
    straight = execute.run(experiment, root="one", page=False)

    def stop(event):
        if event["kind"] == "update" and event["iteration"] == 5:
            raise RunError("stopped here")

    alone = dataclasses.replace(experiment, data=dataclasses.replace(files, workers=0))
    by_one = execute.run(alone, root="two", page=False)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("residua.conduct.CHECKPOINT_SECONDS", -1.0)
        with pytest.raises(RunError, match="stopped here"):
            execute.run(experiment, root="three", page=False, listen=stop)
    resumed = execute.resume("three/tests.files/seed0", page=False)
    weights = [
        load_file(result.folder / "weights" / "last.safetensors")
        for result in (straight, by_one, resumed)
    ]
    for name, expected in weights[0].items():
        assert all(torch.equal(expected, other[name]) for other in weights[1:]), name


def test_files_are_not_decoded_for_a_normalization_of_given_numbers(tmp_path, monkeypatch):
    import torch

    from residua.data.fileset import FileSet
    from residua.data.normalize import FixedStats
    from residua.nets.cifar import CifarConfig
    from residua.session import Session
    from residua.train.parallel import World
    from residua.train.schedule import CosineConfig

    class_folders(tmp_path / "set", {"a": 8, "b": 8})
    monkeypatch.setattr(FileSet, "sample", None)
    experiment = Experiment(
        name="tests.given",
        net=CifarConfig(depth=8, num_classes=2),
        data=FilesConfig(path=str(tmp_path / "set"), size=16, workers=0),
        normalize=FixedStats(),
        schedule=CosineConfig(lr=0.05, until=6),
    )
    session = Session(experiment, World(0, 1, torch.device("cpu")))
    assert session.work.normalize.channel_std == pytest.approx((0.229, 0.224, 0.225))


def test_a_run_is_not_taken_for_pictures(tmp_path):
    (tmp_path / "config.yaml").write_text("name: x\n")
    with pytest.raises(ConfigError, match="is a run: go on with it by --resume"):
        recipes.find(str(tmp_path))


def test_files_that_are_all_unreadable_are_said(tmp_path):
    for name in ("a", "b"):
        for number in range(4):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / f"{number}.png").write_text(f"rubbish {name}{number}")
    with pytest.raises(DataError, match="none of its files can be read; the first"):
        recognised(tmp_path)
