import numpy as np
import pytest
from official_formats import write_svhn

from residua.data import svhn
from residua.data.svhn import SvhnConfig
from residua.errors import DataError, DataWarning


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Take files of few pictures for whole ones."""
    counts = {"test_32x32.mat": 20, "train_32x32.mat": 30, "extra_32x32.mat": 40}
    monkeypatch.setattr(svhn, "COUNTS", counts)


@pytest.mark.parametrize("folder", [".", "svhn"])
def test_the_files_give_the_pictures(tmp_path, folder):
    pictures, labels = write_svhn(tmp_path / folder / "train_32x32.mat", 30)
    write_svhn(tmp_path / folder / "test_32x32.mat", 20, seed=1)
    with pytest.warns(DataWarning, match="SVHN in .* none of the files"):
        splits = SvhnConfig(folder=str(tmp_path)).load()
    assert (len(splits.train), splits.validation, len(splits.test)) == (30, None, 20)
    for index in range(30):
        expected = np.moveaxis(pictures[..., index], -1, 0)
        assert np.array_equal(splits.train.images[index].numpy(), expected)
    assert splits.train.classes[splits.train.labels[9]] == "0"
    assert labels[9] == 10
    assert splits.train.labels[:9].tolist() == list(range(1, 10))


def test_the_easier_pictures_are_learned_from_if_asked_for(tmp_path):
    for name, count in svhn.COUNTS.items():
        write_svhn(tmp_path / "svhn" / name, count, seed=count)
    with pytest.warns(DataWarning):
        splits = SvhnConfig(folder=str(tmp_path), extra=True, holdout=10).load()
    assert [len(p) for p in (splits.train, splits.validation, splits.test)] == [60, 10, 20]
    with pytest.warns(DataWarning):
        joined = SvhnConfig(folder=str(tmp_path), extra=True).load().train
    extra = np.random.default_rng(40).integers(0, 256, (32, 32, 3, 40), dtype=np.uint8)
    assert np.array_equal(joined.images[30:].numpy(), extra.transpose(3, 2, 0, 1))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"y": np.arange(20) % 10}, "from 1 to 10"),
        ({"y": np.full(20, 3)}, "20 labels, 1 of them different"),
        ({"y": np.arange(19) % 10 + 1}, "19 labels"),
        ({"X": np.zeros((32, 32, 3, 19), np.uint8)}, r"holds uint8 of \(32, 32, 3, 19\)"),
        ({"X": np.zeros((32, 32, 3, 20))}, "holds float64"),
    ],
)
def test_what_is_not_svhn_is_refused(tmp_path, changed, sentence):
    write_svhn(tmp_path / "train_32x32.mat", 30)
    write_svhn(tmp_path / "test_32x32.mat", 20, **changed)
    with pytest.raises(DataError, match=f"test_32x32.mat holds .*{sentence}|{sentence}"):
        SvhnConfig(folder=str(tmp_path)).load()


@pytest.mark.parametrize("length", [0, 10, 130, 500, 30_000])
def test_a_damaged_file_is_refused(tmp_path, length):
    write_svhn(tmp_path / "train_32x32.mat", 30)
    write_svhn(tmp_path / "test_32x32.mat", 20)
    path = tmp_path / "test_32x32.mat"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match=r"test_32x32\.mat is no file of SVHN, or damaged"):
        SvhnConfig(folder=str(tmp_path)).load()
