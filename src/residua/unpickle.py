"""Pickles of arrays, read without ever running what is in them."""

import pickle
from pathlib import Path
from typing import Any, Literal

# What a pickle of arrays may name: everything else is refused. Module names are those of NumPy 1
# and 2; `encode` is how protocol 2 writes bytes.
ADMITTED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("collections", "OrderedDict"),
    ("_codecs", "encode"),
}

# What reading a damaged or foreign pickle may raise.
FAULTS = (pickle.UnpicklingError, EOFError, AttributeError, ValueError, IndexError, KeyError)


class _ArraysOnly(pickle.Unpickler):
    """An unpickler that admits NumPy arrays, dicts, lists, strings and numbers."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) not in ADMITTED:
            raise pickle.UnpicklingError(f"it wants {module_name}.{global_name}")
        return super().find_class(module_name, global_name)


def arrays(path: Path, *, encoding: Literal["latin1", "bytes"] = "latin1") -> Any:
    """Read a pickle of NumPy arrays, dicts, lists, strings and numbers.

    Args:
        path: of the file.
        encoding: how the strings of Python 2 are read; "bytes" spares the arrays a detour.

    Raises:
        FAULTS: it holds anything else, or is damaged.
    """
    with path.open("rb") as file:
        return _ArraysOnly(file, encoding=encoding).load()
