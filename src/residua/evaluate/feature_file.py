"""Features of pictures in a file that NumPy or a spreadsheet reads."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from residua import files
from residua.errors import ConfigError

SUFFIXES = (".npz", ".csv")


def check(path: Path) -> None:
    """Refuse a file of another kind.

    Raises:
        ConfigError: the name ends otherwise than in .npz or .csv.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(
            f"features are written as {' or '.join(SUFFIXES)}, got {path} (end its name so)"
        )


def write(path: Path, features: Mapping[Path, Tensor]) -> None:
    """Write the features of pictures by the names of their files.

    Args:
        path: .npz gets the arrays "files" (N) and "features" (N, D, float32); .csv a line for each
            picture with its file and D numbers, below a line of names.
        features: D numbers of each picture.

    Raises:
        ConfigError: the name ends otherwise.
        RunError: it could not be written; an older file of that name is as it was.
    """
    check(path)
    names = [str(name) for name in features]
    rows = np.stack([each.cpu().float().numpy() for each in features.values()])
    files.write(path, _npz(names, rows) if path.suffix == ".npz" else _csv(names, rows))


def _npz(names: list[str], rows: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, files=np.array(names), features=rows)
    return buffer.getvalue()


def _csv(names: list[str], rows: np.ndarray) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", *(f"feature{i}" for i in range(rows.shape[1]))])
    # Nine digits give back a float32 exactly.
    writer.writerows(
        [name, *(f"{x:.9g}" for x in row)] for name, row in zip(names, rows, strict=True)
    )
    return text.getvalue()
