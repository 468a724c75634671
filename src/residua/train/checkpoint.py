"""Checkpoints: the whole state of a training, written in one step and found again."""

import io
import pickle
import zipfile
from collections.abc import Set
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from residua import files
from residua.errors import CheckpointError

KEEP = 2

State = dict[str, Any]


def save(folder: Path, iteration: int, state: State) -> Path:
    """Write a checkpoint and drop all but the newest two.

    Raises:
        RunError: the disk is full or cannot be written; earlier checkpoints are intact.
    """
    content = io.BytesIO()
    torch.save(state, content)
    path = folder / f"{iteration:09d}.pt"
    files.write(path, content.getvalue())
    for old in found(folder)[:-KEEP]:
        old.unlink()
    return path


def found(folder: Path) -> list[Path]:
    """List the checkpoints of a folder, the newest last."""
    return sorted(path for path in folder.glob("*.pt") if path.stem.isdecimal())


def latest(folder: Path, *, keys: Set[str] = frozenset()) -> State:
    """Load the newest checkpoint that is whole.

    Args:
        folder: of the checkpoints.
        keys: what a whole one has.

    Raises:
        CheckpointError: there is none, or it was written by another version of this code.
    """
    for path in reversed(found(folder)):
        state = _read(path)
        if not isinstance(state, dict):
            continue
        missing = sorted(keys - state.keys())
        if missing:
            raise CheckpointError(
                f"{path} was written by another version of Residua, which kept no "
                f"{', '.join(missing)}: go on with that version, or start the run again"
            )
        return state
    raise CheckpointError(f"{folder} has no whole checkpoint to resume from: start the run again")


def _read(path: Path) -> object:
    """Read what a file holds; None if it is damaged."""
    if zipfile.is_zipfile(path):
        with suppress(RuntimeError, pickle.UnpicklingError, zipfile.BadZipFile):
            return torch.load(path, map_location="cpu", weights_only=True)
    return None
