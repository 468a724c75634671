import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from residua.errors import ConfigError
from residua.evaluate import feature_file

FOUND = {Path("a.png"): torch.randn(5), Path("b, c.png"): torch.randn(5)}


def test_numpy_reads_what_was_written(tmp_path):
    feature_file.write(tmp_path / "f.npz", FOUND)
    with np.load(tmp_path / "f.npz") as back:
        assert back["files"].tolist() == ["a.png", "b, c.png"]
        assert np.array_equal(back["features"], torch.stack(list(FOUND.values())).numpy())
        assert back["features"].dtype == np.float32


def test_a_table_gives_back_every_bit(tmp_path):
    feature_file.write(tmp_path / "f.csv", FOUND)
    with (tmp_path / "f.csv").open() as file:
        names, *rows = csv.reader(file)
    assert names == ["file", *(f"feature{i}" for i in range(5))]
    for row, (name, expected) in zip(rows, FOUND.items(), strict=True):
        assert row[0] == str(name)
        assert np.array_equal(np.array(row[1:], dtype=np.float32), expected.numpy())


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"\.npz or \.csv, got .*f\.txt"):
        feature_file.write(tmp_path / "f.txt", FOUND)
