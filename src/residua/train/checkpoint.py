"""Checkpoints: the whole state of a training, written in one step and found again.

Also weights on their own, as safetensors.
"""

import io
import pickle
import zipfile
from collections.abc import Set
from contextlib import suppress
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from residua import files
from residua.errors import CheckpointError
from residua.nets.weights import unshared

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
        CheckpointError: there is none.
    """
    for path in reversed(found(folder)):
        state = _read(path)
        if isinstance(state, dict) and state.keys() >= keys:
            return state
    raise CheckpointError(f"{folder} has no whole checkpoint to resume from: start the run again")


def _read(path: Path) -> object:
    """Read what a file holds; None if it is damaged."""
    if zipfile.is_zipfile(path):
        with suppress(RuntimeError, pickle.UnpicklingError, zipfile.BadZipFile):
            return torch.load(path, map_location="cpu", weights_only=True)
    return None


def save_weights(path: Path, net: nn.Module, metadata: dict[str, str]) -> None:
    """Write the weights and buffers of a net as safetensors."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    tensors = unshared(tensors)
    files.write(path, safetensors.torch.save(tensors, metadata))


def load_weights(path: Path, net: nn.Module) -> None:
    """Load weights into a net of the same architecture.

    Raises:
        CheckpointError: the file is missing, damaged, or of another net.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: the run has not saved weights yet")
    try:
        tensors = safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path} is not a whole safetensors file: {error}") from None
    differences = compare(net.state_dict(), tensors)
    if differences:
        shown = "; ".join(differences[:3])
        more = f"; and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise CheckpointError(f"{path} holds the weights of another net: {shown}{more}")
    net.load_state_dict(tensors)


def compare(expected: dict[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    """Describe where two state dicts differ in keys or shapes, in the order of the first."""
    missing = [f"{key} is missing" for key in expected if key not in found]
    extra = [f"{key} does not belong" for key in found if key not in expected]
    shapes = [
        f"{key} is {tuple(found[key].shape)} instead of {tuple(value.shape)}"
        for key, value in expected.items()
        if key in found and found[key].shape != value.shape
    ]
    return [*shapes, *missing, *extra]
