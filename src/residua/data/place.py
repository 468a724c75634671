"""Where data sets lie on this machine."""

import os
from pathlib import Path

from residua.errors import DataError

VARIABLE = "RESIDUA_DATA"


def find(folder: str | None, name: str) -> Path:
    """Find the folder `name` in the given folder, or in that of the environment variable.

    Raises:
        DataError: it is not there.
    """
    root = folder or os.environ.get(VARIABLE)
    if root is None:
        raise DataError(
            f"where is {name}? Set {VARIABLE} to the folder that holds it, or say --data.folder"
        )
    path = Path(root).expanduser() / name
    if not path.is_dir():
        raise DataError(f"{path} is not there")
    return path
