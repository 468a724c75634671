import dataclasses
import os
import pickle

import numpy as np
import pytest
import torch
from official_formats import (
    cifar_pictures,
    write_as_python2,
    write_as_python3,
    write_cifar10,
    write_cifar100,
)

from residua.data import cifar
from residua.data.cifar import Cifar10Config, Cifar100Config
from residua.data.normalize import ChannelStats
from residua.errors import DataError, DataWarning


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Take files of few pictures for whole ones."""
    monkeypatch.setattr(cifar, "BATCH", 20)
    monkeypatch.setattr(cifar, "TRAIN", 200)
    monkeypatch.setattr(cifar, "TEST", 100)


@pytest.mark.parametrize("write", [write_as_python2, write_as_python3])
def test_the_files_of_either_python_give_the_pictures(tmp_path, write):
    write_cifar10(tmp_path / "cifar-10-batches-py", 20, write)
    with pytest.warns(DataWarning):
        splits = Cifar10Config(folder=str(tmp_path)).load()
    assert (len(splits.train), splits.validation, len(splits.test)) == (100, None, 20)
    for index in range(5):
        expected = cifar_pictures(20, index).reshape(20, 3, 32, 32)
        assert np.array_equal(splits.train.images[20 * index : 20 * index + 20].numpy(), expected)
    assert splits.train.labels[:40].tolist() == [
        (i + batch) % 10 for batch in range(2) for i in range(20)
    ]
    assert np.array_equal(splits.test.images.flatten(1).numpy(), cifar_pictures(20, 5))
    assert splits.train.classes[3] == "cat"
    splits.train.images[0] = 0


def test_the_files_may_be_in_the_folder_itself(tmp_path):
    write_cifar10(tmp_path / "mine", 20)
    with pytest.warns(DataWarning):
        splits = Cifar10Config(folder=str(tmp_path / "mine"), holdout=10).load()
    assert torch.bincount(splits.validation.labels).tolist() == [1] * 10
    assert len(splits.train) == 90


def test_foreign_checksums_are_told_once_in_one_sentence(tmp_path):
    write_cifar10(tmp_path / "cifar-10-batches-py", 20)
    with pytest.warns(DataWarning) as told:
        Cifar10Config(folder=str(tmp_path)).load()
    assert [str(one.message) for one in told] == [
        f"CIFAR-10 in {tmp_path}/cifar-10-batches-py is well formed, but none of the files is byte "
        "for byte as its authors distribute it"
    ]


def official(source, folder):
    """Take the files that are there for those of the authors."""
    from residua.data.place import File, md5

    files = [
        File(dict(zip(file.sums, md5([folder / name for name in file.sums]), strict=True)))
        for file in source.files
    ]
    return dataclasses.replace(source, files=tuple(files))


def test_official_files_are_read_without_a_word(tmp_path, monkeypatch):
    folder = tmp_path / "cifar-10-batches-py"
    write_cifar10(folder, 20)
    monkeypatch.setattr(cifar, "CIFAR10", official(cifar.CIFAR10, folder))
    known = Cifar10Config(folder=str(tmp_path)).load().origin
    assert (known.title, known.foreign) == ("CIFAR-10", ())
    assert known.md5 == {name: sum_ for f in cifar.CIFAR10.files for name, sum_ in f.sums.items()}
    content = {"data": cifar_pictures(20, 9), "labels": [i % 10 for i in range(20)]}
    write_as_python2(folder / "data_batch_3", content)
    with pytest.warns(DataWarning, match=r"but data_batch_3 is not byte for byte .*distribute it$"):
        found = Cifar10Config(folder=str(tmp_path)).load().origin
    assert found.foreign == ("data_batch_3",)
    changed = {name for name in known.md5 if found.md5[name] != known.md5[name]}
    assert changed == {"data_batch_3"}
    write_as_python2(folder / "test_batch", content)
    with pytest.warns(DataWarning, match=r"data_batch_3 is not .*\(nor test_batch\)$"):
        Cifar10Config(folder=str(tmp_path)).load()


@pytest.mark.parametrize("write", [write_as_python2, write_as_python3])
@pytest.mark.parametrize(("labels", "count"), [("fine", 100), ("coarse", 20)])
def test_cifar100_has_classes_or_groups_of_them(tmp_path, write, labels, count):
    write_cifar100(tmp_path / "cifar-100-python", 200, 100, write)
    with pytest.warns(DataWarning, match="CIFAR-100 in .*none of the files"):
        splits = Cifar100Config(folder=str(tmp_path), labels=labels, holdout=count).load()
    assert splits.origin.foreign == ("train", "test", "meta")
    assert splits.train.classes == tuple(f"{labels} {i}" for i in range(count))
    assert torch.bincount(splits.validation.labels).tolist() == [1] * count
    assert splits.test.labels.tolist() == [i * count // 100 for i in range(100)]
    assert np.array_equal(splits.test.images.flatten(1).numpy(), cifar_pictures(100, 1))


class Wicked:
    def __reduce__(self):
        return os.system, ("touch wicked",)


def content(**changed):
    return {"data": cifar_pictures(20), "labels": [i % 10 for i in range(20)], **changed}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (content(labels=Wicked()), "it wants posix.system"),
        (content(data=cifar_pictures(19)), r"holds uint8 of \(19, 3072\).* 20 pictures"),
        (content(data=np.zeros((20, 3072))), "holds float64"),
        (content(labels=[0] * 20), "20 labels, 1 of them different"),
        (content(labels=[i % 10 for i in range(19)]), "19 labels"),
        (content(labels=[i % 10 + 1 for i in range(20)]), "from 0 to 9"),
        (content(labels=["a"] * 20), "no file of CIFAR"),
        ({"data": cifar_pictures(20)}, "KeyError 'labels'"),
        ([1, 2], "no file of CIFAR"),
    ],
    ids=["wicked", "few", "float", "one class", "unequal", "range", "text", "none", "list"],
)
def test_what_is_not_cifar_is_refused(tmp_path, wrong, sentence):
    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps(wrong, protocol=2))
    with pytest.raises(DataError, match=f"data_batch_1 .*{sentence}"):
        cifar.read(path, "labels", count=20, classes=10)
    assert not (tmp_path / "wicked").exists()


@pytest.mark.parametrize("length", [0, 1, 100, 30_000])
def test_a_file_that_is_cut_short_is_refused(tmp_path, length):
    path = tmp_path / "data_batch_1"
    write_as_python2(path, content())
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match="data_batch_1 is no file of CIFAR, or damaged"):
        cifar.read(path, "labels", count=20, classes=10)


def test_noise_is_refused(tmp_path):
    random = np.random.default_rng(0)
    for _ in range(100):
        (tmp_path / "x").write_bytes(random.bytes(50))
        with pytest.raises(DataError):
            cifar.read(tmp_path / "x", "labels", count=20, classes=10)


def test_a_meta_file_with_other_names_is_refused(tmp_path):
    folder = tmp_path / "cifar-100-python"
    write_cifar100(folder, 200, 100)
    write_as_python2(folder / "meta", {"fine_label_names": ["cat"] * 100})
    with pytest.raises(DataError, match=r"meta holds 1 fine_label_names: there must be 100"):
        Cifar100Config(folder=str(tmp_path)).load()


@pytest.mark.data
@pytest.mark.data
@pytest.mark.filterwarnings("ignore::residua.errors.DataWarning")
def test_the_real_cifar10(monkeypatch, real_data):
    real_data("cifar-10-batches-py")
    monkeypatch.setattr(cifar, "BATCH", 10_000)
    splits = Cifar10Config(holdout=5000).load()
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [
        45_000,
        5_000,
        10_000,
    ]
    assert torch.bincount(splits.validation.labels).tolist() == [500] * 10
    images = torch.cat([splits.train.images, splits.validation.images])
    mean = ChannelStats().fit(images).channel_mean
    assert mean == pytest.approx([0.4914, 0.4822, 0.4465], abs=5e-5)
