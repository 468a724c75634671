import dataclasses
from collections import Counter
from pathlib import Path

import pytest
import torch

from pictured import class_folders, photograph, save
from residua.data.fit import InceptionCrop, ScaleJitterCrop
from residua.data.folder import FilesConfig, FolderConfig, absolute, labelled
from residua.data.loading import whole
from residua.errors import ConfigError, DataError, DataWarning


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
    with pytest.warns(DataWarning, match=r"000.png is not a picture.*; they are left out"):
        splits = dataclasses.replace(folder, max_unreadable=0.05).load()
    sizes = [len(splits.train), len(splits.validation), len(splits.test)]
    assert sum(sizes) == 29
    assert whole_set.train.shape == splits.train.shape


def three_parts(root, ending=".png", **settings):
    """Files in folders for each part, so that their contents do not say where they belong."""
    for name in ("train", "val", "test"):
        class_folders(root / name, {"ant": 5, "bee": 5}, ending=ending, size=(60, 40))
    return FilesConfig(path=str(root), size=8, workers=0, **settings)


def cut_short(path):
    """Keep the header of a picture and lose its end."""
    save(path, photograph(60, 40))
    path.write_bytes(path.read_bytes()[:-200])


def test_files_to_learn_from_are_listed_and_not_read(folder):
    files = FilesConfig(path=folder.path, size=8, workers=0)
    files.load().train.path(0).write_text("rubbish")
    splits = files.load()
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [20, 5, 5]


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_held_out_files_that_are_cut_short_are_found_before_the_training(tmp_path, part, ending):
    files = three_parts(tmp_path, ending, max_unreadable=0.1)
    before = {name: getattr(files.load(), name) for name in ("train", "validation", "test")}
    broken = before[part].path(3)
    cut_short(broken)
    with pytest.warns(DataWarning, match=rf"1 of 20 held-out files .*{broken.name}.*left out"):
        splits = files.load()
    left = getattr(splits, part)
    assert len(left) == 9
    assert broken not in [left.path(index) for index in range(9)]
    assert left.labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert torch.cat(list(left.viewed(whole, 4))).shape == (9, 1, 3, 8, 8)
    other = "test" if part == "validation" else "validation"
    assert getattr(splits, other).fingerprint() == before[other].fingerprint()
    with pytest.warns(DataWarning, match="left out"):
        assert getattr(files.load(), part).fingerprint() == left.fingerprint()
    strict = dataclasses.replace(files, max_unreadable=0.01)
    with pytest.raises(DataError, match=r"1 of 20 held-out files cannot be read.*mend or remove"):
        strict.load()


def test_of_very_many_held_out_files_only_the_headers_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("residua.data.verify.MOST_DECODED", 4)
    files = three_parts(tmp_path, max_unreadable=0.5)
    test = files.load().test
    cut_short(test.path(0))
    assert len(files.load().test) == 10
    test.path(1).write_text("rubbish")
    with pytest.warns(DataWarning, match=r"1 of 20 held-out files cannot be read"):
        assert len(files.load().test) == 9


def test_a_part_of_which_no_file_is_a_picture_is_refused(tmp_path):
    files = three_parts(tmp_path, max_unreadable=1.0)
    test = files.load().test
    for index in range(len(test)):
        test.path(index).write_text("rubbish")
    with pytest.raises(
        DataError, match=r"none of 10 held-out files can be read; the first is .*is not a pict"
    ):
        files.load()


def test_processes_of_one_machine_share_its_cores_among_their_workers(folder, monkeypatch):
    monkeypatch.setattr("residua.runtime.usable_cores", lambda: 16.0)
    files = FilesConfig(path=folder.path, size=8)
    assert files.load().train.workers == 16
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    assert files.load().train.workers == 2
    assert dataclasses.replace(files, workers=5).load().train.workers == 5


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (FolderConfig(), "data.path is not set"),
        (FolderConfig(path=".", size=0), "data.size must be at least 1 pixel, got 0"),
        (
            FilesConfig(path=".", size=288, crop=ScaleJitterCrop(short_side=(256, 480))),
            "crop.short_side must be .* at least 288 pixels",
        ),
        (FilesConfig(path=".", crop=InceptionCrop(area=(0.0, 1.0))), "crop.area"),
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
