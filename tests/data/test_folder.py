import dataclasses
from collections import Counter
from pathlib import Path

import pytest
import torch

from pictured import class_folders, save
from residua.data.folder import FilesConfig, FolderConfig, absolute, labelled
from residua.data.loading import whole
from residua.errors import ConfigError, DataError


@pytest.fixture
def folder(tmp_path):
    root = class_folders(tmp_path / "set", {"ant": 20, "bee": 10})
    return FolderConfig(path=str(root), size=8)


def test_a_folder_becomes_three_sets_of_one_size(folder):
    splits = folder.load()
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [20, 5, 5]
    assert splits.train.shape == (3, 8, 8)
    assert splits.train.classes == ("ant", "bee")
    assert Counter(splits.test.labels.tolist()) == {0: 3, 1: 2}
    assert folder.load().test.fingerprint() == splits.test.fingerprint()


def test_grey_is_one_channel(folder):
    assert dataclasses.replace(folder, channels=1).load().train.shape == (1, 8, 8)


def test_without_a_part_to_choose_with_all_the_rest_is_learned_from(folder):
    splits = dataclasses.replace(folder, validation=0.0).load()
    assert splits.validation is None
    assert len(splits.train) == 25


def test_unreadable_files_are_left_out_and_listed_up_to_a_share(folder):
    whole_set = folder.load()
    (Path(folder.path) / "ant" / "000.png").write_text("rubbish")
    with pytest.raises(DataError, match=r"1 of 30 files cannot be read: .*000.png is not a pict"):
        folder.load()
    with pytest.warns(UserWarning, match=r"000.png is not a picture.*; they are left out"):
        splits = dataclasses.replace(folder, max_unreadable=0.05).load()
    sizes = [len(splits.train), len(splits.validation), len(splits.test)]
    assert sum(sizes) == 29
    assert whole_set.train.shape == splits.train.shape


def test_files_are_listed_and_not_read(folder):
    (Path(folder.path) / "ant" / "000.png").write_text("rubbish")
    splits = FilesConfig(path=folder.path, size=8, workers=0).load()
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [20, 5, 5]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (FolderConfig(), "data.path is not set"),
        (FolderConfig(path=".", size=0), "data.size must be at least 1 pixel, got 0"),
        (FilesConfig(path=".", workers=-1), "data.workers must be at least 0, got -1"),
    ],
)
def test_settings_without_sense_are_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        config.load()


def test_other_pictures_are_read_as_those_learned_from(folder, tmp_path):
    other = class_folders(tmp_path / "other", {"bee": 2})
    found = labelled(other, ("ant", "bee"), (3, 8, 8), folder)
    assert found.labels.tolist() == [1, 1]
    same = FolderConfig(path=folder.path, size=8)
    expected = labelled(Path(folder.path), ("ant", "bee"), (3, 8, 8), same)
    kept = {tuple(image.flatten().tolist()) for image in folder.load().test.images}
    shown = torch.cat(list(expected.viewed(whole, 7)))[:, 0]
    assert kept <= {tuple(image.flatten().tolist()) for image in shown}


@pytest.mark.parametrize(
    ("made", "message"),
    [("dog", "has the class dog"), (None, "is not a folder"), ("", "holds no pictures")],
)
def test_folders_that_do_not_fit_are_refused(tmp_path, folder, made, message):
    other = tmp_path / "other"
    if made is not None:
        save(other / "ant" / "1.png") if made else None
        (other / made).mkdir(parents=True)
    with pytest.raises(DataError, match=message):
        labelled(other, ("ant", "cat"), (1, 8, 8), folder)


def test_a_flat_folder_with_a_label_file_can_be_tested_on(tmp_path, folder):
    other = tmp_path / "other"
    save(other / "1.png")
    save(other / "2.png")
    (other / "labels.txt").write_text("2.png ant\n1.png bee\n")
    found = labelled(other, ("ant", "bee"), (3, 8, 8), folder)
    assert found.labels.tolist() == [1, 0]


def test_the_recorded_path_is_absolute(tmp_path, monkeypatch):
    assert absolute("set") == str(tmp_path / "set")
