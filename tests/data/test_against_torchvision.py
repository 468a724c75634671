"""The same files give torchvision and us the same pictures, labels and, for CIFAR, classes."""

import numpy as np
import pytest
from official_formats import (
    write_as_python2,
    write_cifar10,
    write_cifar100,
    write_mnist,
    write_svhn,
)
from torchvision import datasets

from residua.data import cifar, mnist, svhn
from residua.data.cifar import Cifar10Config, Cifar100Config
from residua.data.mnist import FashionMnistConfig, MnistConfig
from residua.data.svhn import SvhnConfig

pytestmark = pytest.mark.filterwarnings("ignore::residua.errors.DataWarning")


def check(part, images, labels):
    """Compare with pictures N, H, W, C or N, H, W."""
    images = np.asarray(images)
    images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    assert np.array_equal(part.images.numpy(), images)
    assert part.labels.tolist() == list(labels)


@pytest.mark.parametrize(
    ("config", "theirs"),
    [(Cifar10Config, datasets.CIFAR10), (Cifar100Config, datasets.CIFAR100)],
)
def test_cifar(tmp_path, monkeypatch, config, theirs):
    monkeypatch.setattr(cifar, "BATCH", 20)
    monkeypatch.setattr(cifar, "TRAIN", 200)
    monkeypatch.setattr(cifar, "TEST", 100)
    monkeypatch.setattr(theirs, "_check_integrity", lambda self: True)
    monkeypatch.setattr(datasets.cifar, "check_integrity", lambda path, md5: True)
    write_cifar100(tmp_path / "cifar-100-python", 200, 100)
    write_cifar10(tmp_path / "cifar-10-batches-py", 20)
    names = {"label_names": list(cifar.CLASSES)}
    write_as_python2(tmp_path / "cifar-10-batches-py" / "batches.meta", names)
    splits = config(folder=str(tmp_path)).load()
    for part, train in ((splits.train, True), (splits.test, False)):
        read = theirs(tmp_path, train=train)
        check(part, read.data, read.targets)
        assert list(part.classes) == read.classes


@pytest.mark.parametrize(
    ("config", "theirs"),
    [(MnistConfig, datasets.MNIST), (FashionMnistConfig, datasets.FashionMNIST)],
)
def test_mnist(tmp_path, monkeypatch, config, theirs):
    monkeypatch.setattr(mnist, "TRAIN", 40)
    monkeypatch.setattr(mnist, "TEST", 20)
    write_mnist(tmp_path / theirs.__name__ / "raw", 40, 20)
    splits = config(folder=str(tmp_path)).load()
    for part, train in ((splits.train, True), (splits.test, False)):
        read = theirs(tmp_path, train=train)
        check(part, read.data, read.targets)
    if config is FashionMnistConfig:
        assert list(splits.train.classes) == theirs.classes


def test_svhn(tmp_path, monkeypatch):
    monkeypatch.setattr(svhn, "COUNTS", {"test_32x32.mat": 20, "train_32x32.mat": 30})
    monkeypatch.setattr(datasets.SVHN, "_check_integrity", lambda self: True)
    write_svhn(tmp_path / "train_32x32.mat", 30)
    write_svhn(tmp_path / "test_32x32.mat", 20, seed=1)
    splits = SvhnConfig(folder=str(tmp_path)).load()
    for part, split in ((splits.train, "train"), (splits.test, "test")):
        read = datasets.SVHN(tmp_path, split=split)
        check(part, read.data.transpose(0, 2, 3, 1), read.labels)


@pytest.mark.parametrize(
    ("source", "theirs"), [(mnist.MNIST, datasets.MNIST), (mnist.FASHION, datasets.FashionMNIST)]
)
def test_the_same_files_are_fetched_for_mnist(source, theirs):
    ours = {url: file.remote.checksum for file in source.files for url in file.remote.urls}
    for mirror in theirs.mirrors:
        for name, md5 in theirs.resources:
            assert ours[f"{mirror}{name}"] == f"md5:{md5}"


@pytest.mark.parametrize(
    ("source", "theirs"), [(cifar.CIFAR10, datasets.CIFAR10), (cifar.CIFAR100, datasets.CIFAR100)]
)
def test_the_same_files_are_fetched_for_cifar(source, theirs):
    assert source.archive.urls == (theirs.url,)
    assert source.archive.checksum == f"md5:{theirs.tgz_md5}"
    known = dict([*theirs.train_list, *theirs.test_list])
    for file in source.files:
        for name, md5 in file.sums.items():
            assert md5 == known.get(name, theirs.meta["md5"])


def test_the_same_files_are_fetched_for_svhn():
    known = {name: (url, md5) for url, name, md5 in datasets.SVHN.split_list.values()}
    for file in (*svhn.SVHN.files, svhn.EXTRA):
        ((name, md5),) = file.sums.items()
        assert (file.remote.urls[0], md5) == known.pop(name)
    assert not known
