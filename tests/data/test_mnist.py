import numpy as np
import pytest
import torch
from official_formats import idx, write_mnist

from residua.data import mnist, place
from residua.data.mnist import FashionMnistConfig, MnistConfig
from residua.data.normalize import ChannelStats
from residua.errors import DataError, DataWarning


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Take files of few pictures for whole ones."""
    monkeypatch.setattr(mnist, "TRAIN", 40)
    monkeypatch.setattr(mnist, "TEST", 20)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("config", "layout", "name"),
    [
        (MnistConfig, "MNIST/raw", "3"),
        (MnistConfig, ".", "3"),
        (FashionMnistConfig, "FashionMNIST/raw", "Dress"),
        (FashionMnistConfig, ".", "Dress"),
    ],
)
def test_the_files_give_the_pictures(tmp_path, config, layout, name, packed):
    write_mnist(tmp_path / "top" / layout, 40, 20, packed)
    with pytest.warns(DataWarning, match="none of the files"):
        splits = config(folder=str(tmp_path / "top"), holdout=10).load()
    random = np.random.default_rng(0)
    train, test = (random.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (40, 20))
    assert np.array_equal(splits.test.images.numpy(), test[:, None])
    assert splits.test.labels.tolist() == [i % 10 for i in range(20)]
    everything = torch.cat([splits.train.images, splits.validation.images]).numpy()
    assert sorted(p.tobytes() for p in everything) == sorted(p.tobytes() for p in train)
    assert torch.bincount(splits.validation.labels).tolist() == [1] * 10
    assert splits.train.classes[3] == name


def test_packed_and_unpacked_files_may_be_mixed_and_named_with_points(tmp_path):
    write_mnist(tmp_path / "a", 40, 20)
    write_mnist(tmp_path / "b", 40, 20, packed=True)
    for path in (tmp_path / "a").glob("train*"):
        path.rename(tmp_path / "b" / path.name.replace("-idx", ".idx"))
        (tmp_path / "b" / f"{path.name}.gz").write_bytes(b"not looked at")
    with pytest.warns(DataWarning):
        splits = MnistConfig(folder=str(tmp_path / "b")).load()
    assert (len(splits.train), len(splits.test)) == (40, 20)


def test_one_set_is_not_taken_for_the_other(tmp_path, monkeypatch):
    write_mnist(tmp_path / "mine", 40, 20)
    paths = place.find(mnist.MNIST, str(tmp_path / "mine"))
    known = place.Source(
        title="MNIST",
        home="MNIST/raw",
        files=tuple(
            place.File({path.name: found})
            for path, found in zip(paths, place.md5(paths), strict=True)
        ),
    )
    monkeypatch.setattr(mnist, "MNIST", known)
    MnistConfig(folder=str(tmp_path / "mine")).load()
    with pytest.raises(DataError, match="mine holds MNIST, not Fashion-MNIST"):
        FashionMnistConfig(folder=str(tmp_path / "mine")).load()


def good():
    return np.zeros((40, 28, 28), np.uint8)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("train-images-idx3-ubyte", idx(good())[:-1], r"31,359 bytes of content instead of 31,360"),
        ("train-images-idx3-ubyte", idx(good()) + b"x", "31,361 bytes of content"),
        ("train-images-idx3-ubyte", idx(good())[:9], r"says it holds \(40, 0, 0\)"),
        ("train-images-idx3-ubyte", b"", "begins with , not with 00000803"),
        ("train-images-idx3-ubyte", b"<html>", "begins with 3c68746d, not"),
        ("train-images-idx3-ubyte", idx(good()[:39]), r"holds \(39, 28, 28\): .*\(40, 28, 28\)"),
        ("train-images-idx3-ubyte", idx(good()[:, 1:]), r"holds \(40, 27, 28\)"),
        ("train-labels-idx1-ubyte", idx(good()), "not with 00000801"),
        ("train-labels-idx1-ubyte", idx(np.arange(40, dtype=np.uint8)), "labels from 0 to 39"),
        ("train-labels-idx1-ubyte", idx(good()[:, 0, 0]), "labels from 0 to 0"),
    ],
    ids=["cut", "long", "head", "empty", "page", "few", "narrow", "magic", "range", "one class"],
)
def test_what_is_not_mnist_is_refused(tmp_path, name, content, sentence):
    write_mnist(tmp_path / "MNIST/raw", 40, 20)
    (tmp_path / "MNIST/raw" / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name} .*{sentence}"):
        MnistConfig(folder=str(tmp_path)).load()


@pytest.mark.parametrize("fault", ["cut", "flipped", "no gzip"])
def test_a_damaged_packed_file_is_refused(tmp_path, fault):
    write_mnist(tmp_path / "MNIST/raw", 40, 20, packed=True)
    path = tmp_path / "MNIST/raw/train-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    if fault == "flipped":
        content[len(content) // 2] ^= 255
    path.write_bytes({"cut": content[:-9], "flipped": content, "no gzip": b"hello"}[fault])
    with pytest.raises(DataError, match=r"ubyte\.gz is damaged: .*move it away"):
        MnistConfig(folder=str(tmp_path)).load()


@pytest.mark.data
@pytest.mark.data
def test_the_real_mnist(monkeypatch, real_data):
    real_data("MNIST")
    monkeypatch.setattr(mnist, "TRAIN", 60_000)
    monkeypatch.setattr(mnist, "TEST", 10_000)
    splits = MnistConfig().load()
    assert (len(splits.train), len(splits.test)) == (60_000, 10_000)
    assert splits.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert splits.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    stats = ChannelStats().fit(splits.train.images)
    assert stats.channel_mean == pytest.approx([0.1307], abs=5e-5)
    assert stats.channel_std == pytest.approx([0.3081], abs=5e-5)
