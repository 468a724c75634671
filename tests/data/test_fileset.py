import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from pictured import class_folders, photograph, save
from residua.data import views
from residua.data.fit import Center, InceptionCrop, ScaleJitterCrop, Whole
from residua.data.folder import FilesConfig
from residua.data.loading import Serving, whole
from residua.data.pictures import read
from residua.errors import DataError, DataWarning, RunError

CONFIG = FilesConfig(
    size=16, crop=ScaleJitterCrop(short_side=(18, 24)), validation=0.0, test=0.2, workers=0
)


@pytest.fixture
def folder(tmp_path):
    root = class_folders(tmp_path / "set", {"ant": 10, "bee": 8}, size=(40, 28), ending=".jpg")
    return dataclasses.replace(CONFIG, path=str(root))


def as_is(images, generator):
    return images


def served(files, batch_size=4, seed=0, augment=as_is, balance=False, share=slice(None)):
    return files.batches(
        Serving(
            batch_size=batch_size,
            seed=seed,
            augment=augment,
            normalize=torch.Tensor.float,
            balance=balance,
            share=share,
        )
    )


def test_a_batch_is_the_same_for_any_number_of_workers_and_whatever_was_asked_before(folder):
    expected = served(folder.load().train)
    for workers in (1, 3):
        batches = served(dataclasses.replace(folder, workers=workers).load().train)
        for iteration in (0, 1, 5, 2, 3):
            found, wanted = batches[iteration], expected[iteration]
            assert torch.equal(found.images, wanted.images)
            assert torch.equal(found.labels, wanted.labels)
        batches.close()


def test_a_batch_holds_the_pictures_of_the_order_with_their_labels(folder):
    files = folder.load().train
    batches = served(files, batch_size=len(files))
    labels = batches[0].labels
    assert labels.bincount().tolist() == files.labels.bincount().tolist()
    assert batches[0].images.shape == (len(files), 3, 16, 16)


def test_other_seeds_and_iterations_see_other_parts(folder):
    files = folder.load().train
    first = served(files, batch_size=len(files))[0].images.sort(dim=0).values
    assert not torch.equal(first, served(files, len(files))[1].images.sort(dim=0).values)
    assert not torch.equal(first, served(files, len(files), seed=1)[0].images.sort(dim=0).values)


def test_the_part_of_a_picture_is_that_of_resizing_and_cropping(folder):
    """With one length of the shorter side and parts of that size there is one part but for x."""
    files = dataclasses.replace(folder, crop=ScaleJitterCrop(short_side=(16, 16), flip=False))
    train = files.load().train
    batches = served(train, batch_size=1)
    for iteration in range(5):
        index = int(batches.indices(iteration))
        with Image.open(train.path(index)) as picture:
            resized = picture.resize((round(40 * 16 / 28), 16), Image.Resampling.BILINEAR)
        windows = [
            np.asarray(resized.crop((x, 0, x + 16, 16))).astype(int)
            for x in range(resized.width - 15)
        ]
        found = batches[iteration].images[0].permute(1, 2, 0).numpy().astype(int)
        assert min(np.abs(found - window).max() for window in windows) <= 2


def test_augmentation_on_the_device_has_its_own_randomness(folder):
    def noise(images, generator):
        return images.float() + torch.rand(len(images), 1, 1, 1, generator=generator)

    files = folder.load().train
    one, two = (served(files, augment=noise)[3].images for _ in range(2))
    assert torch.equal(one, two)


def test_processes_that_share_a_batch_read_their_part_of_it(folder):
    def noise(images, generator):
        return images.float() + torch.rand(len(images), 1, 1, 1, generator=generator)

    files = folder.load().train
    whole_batch = served(files, 6, augment=noise)[1]
    shares = [served(files, 6, augment=noise, share=s)[1] for s in (slice(0, 3), slice(3, 6))]
    assert torch.equal(torch.cat([part.images for part in shares]), whole_batch.images)
    assert torch.equal(torch.cat([part.labels for part in shares]), whole_batch.labels)


def test_balance_reaches_the_files(folder):
    files = folder.load().train
    labels = torch.cat([served(files, len(files), balance=True)[i].labels for i in range(2)])
    assert labels.bincount().tolist() == [len(files)] * 2


def test_tested_pictures_come_whole_and_in_order(folder):
    files = folder.load().test
    shown = torch.cat(list(files.viewed(whole, 3)))
    assert shown.shape == (len(files), 1, 3, 16, 16)
    for index in range(len(files)):
        expected = read(files.path(index), (3, 16, 16), Center(share=0.875))
        assert torch.equal(shown[index, 0], expected)
        assert torch.equal(files[index], expected)


def test_every_scale_is_read_from_the_file_and_not_from_a_shrunken_picture(tmp_path):
    """Stripes one pixel wide are grey once the picture was smaller, and cannot come back."""
    stripes = np.zeros((48, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    for number in range(4):
        stripes[0, number] = 128  # files that are the same stay together
        save(tmp_path / "ant" / f"{number}.png", stripes)
        save(tmp_path / "bee" / f"{number}.png", np.rot90(stripes).copy())
    files = dataclasses.replace(CONFIG, path=str(tmp_path), test=0.9).load().test
    looks = views.MultiScale(short_sides=(16, 48, 96)).looks(files.shape)
    for view, side in zip(looks.passes, (16, 48, 96), strict=True):
        for part in files.viewed(view, 4):
            assert min(part.shape[-2:]) == side
            assert max(part.shape[-2:]) == side * 64 // 48
            if side == 48:
                assert (part.float().std(dim=(-1, -2)) > 127).all()
    crop = views.CenterCrop(short_side=48, size=40).looks(files.shape).passes[0]
    assert all((part.float().std(dim=(-1, -2)) > 127).all() for part in files.viewed(crop, 4))


def test_views_of_a_scale_are_those_of_the_picture_in_memory(folder):
    files = dataclasses.replace(folder, test=0.9).load().test
    protocols = (views.MultiScale(short_sides=(40,)), views.TenCrop(short_side=40, size=28))
    for view in (protocol.looks(files.shape).passes[0] for protocol in protocols):
        shown = [picture for part in files.viewed(view, 3) for picture in part]
        for index, found in enumerate(shown):
            with Image.open(files.path(index)) as picture:
                stored = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
            assert (found.int() - view(stored[None])[0].int()).abs().max() <= 2


def test_views_of_one_size_come_in_full_batches_whatever_the_proportions(folder):
    for index, width in enumerate((30, 36, 42, 48)):
        save(folder_path(folder) / "ant" / f"other{index}.jpg", photograph(width, 30))
    files = dataclasses.replace(folder, test=0.5).load().test
    view = views.TenCrop(short_side=18, size=16).looks(files.shape).passes[0]
    shapes = [part.shape for part in files.viewed(view, 4)]
    full, rest = divmod(len(files), 4)
    assert [shape[0] for shape in shapes] == [4] * full + [rest] * (rest > 0)
    assert {shape[1:] for shape in shapes} == {(10, 3, 16, 16)}


def test_what_is_stretched_when_tested_is_stretched_in_every_view(folder):
    files = dataclasses.replace(folder.load().test, fit=Whole())
    for side in (16, 20):
        view = views.MultiScale(short_sides=(side,)).looks(files.shape).passes[0]
        shown = torch.cat(list(files.viewed(view, 3)))
        for index in range(len(files)):
            assert torch.equal(shown[index, 0], read(files.path(index), (3, side, side), Whole()))


def folder_path(config):
    from pathlib import Path

    return Path(config.path)


def test_a_file_that_is_no_picture_is_replaced_by_the_next_and_told_once(folder):
    folder = dataclasses.replace(folder, max_unreadable=0.2)
    files = folder.load().train
    broken = int(torch.randint(0, len(files), (1,)))
    files.path(broken).write_text("rubbish")
    batches = served(files, batch_size=len(files))
    told = r"is not a picture.*the next file takes its place"
    with pytest.warns(DataWarning, match=told):
        batch = batches[0]
    place = batches.indices(0).tolist().index(broken)
    assert batch.labels[place] == files.labels[(broken + 1) % len(files)]
    second = batches[1]  # tells nothing: a warning would be an error here
    with pytest.warns(DataWarning, match=told):
        assert torch.equal(second.images, served(files, len(files))[1].images)


@pytest.mark.filterwarnings("ignore:.*the next file takes its place")
def test_too_many_files_that_are_no_pictures_end_the_training(folder):
    files = dataclasses.replace(folder, max_unreadable=0.1).load().train
    for index in (0, 1, 2):
        files.path(index).write_text("rubbish")
    with pytest.raises(DataError, match=r"of 14 files cannot be read, and max_unreadable allows"):
        served(files, len(files))[0]


def test_a_tested_file_that_is_no_picture_is_named(folder):
    files = folder.load().test
    files.path(1).write_text("rubbish")
    with pytest.raises(DataError, match=r"is not a picture.*every picture of this part counts"):
        list(files.viewed(whole, 10))


def test_a_killed_worker_is_a_sentence(folder):
    import os
    import signal

    batches = served(dataclasses.replace(folder, workers=1).load().train)
    batches[0]
    for pid in list(batches._workers.pool._processes):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(RunError, match=r"ended unexpectedly.*--data.workers"):
        [batches[iteration] for iteration in range(1, 9)]
    batches.close()


def test_the_fingerprint_is_that_of_paths_lengths_and_labels(folder):
    files = folder.load().train
    before = files.fingerprint()
    assert folder.load().train.fingerprint() == before
    with files.path(0).open("ab") as file:
        file.write(b"\0")
    assert files.fingerprint() != before


def test_statistics_are_taken_of_the_same_pictures_every_time(folder):
    files = folder.load().train
    assert torch.equal(files.sample(), files.sample())
    assert files.sample().shape == (len(files), 3, 16, 16)


def test_names_that_are_no_ascii_are_found(tmp_path):
    root = class_folders(tmp_path / "Blümchen", {"Gänseblümchen": 4, "löwenzahn": 4})
    files = dataclasses.replace(CONFIG, path=str(root), crop=InceptionCrop()).load().train
    assert served(files)[0].images.shape == (4, 3, 16, 16)


def test_files_that_are_gone_or_all_unreadable_are_said(folder):
    files = folder.load().train
    for index in range(len(files)):
        files.path(index).write_text("rubbish")
    with pytest.raises(DataError, match=r"none of the pictures below .* can be read"):
        files.sample()
    files.path(2).unlink()
    with pytest.raises(DataError, match="is not there any more"):
        files.fingerprint()
