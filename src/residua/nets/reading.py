"""Files of weights, read without ever running what is in them.

safetensors and Caffe files hold arrays alone. PyTorch's are read with `weights_only=True`, and
pickles of arrays (detectron2's model zoo) by an unpickler that knows NumPy arrays and nothing else.
"""

import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from residua import unpickle
from residua.errors import CheckpointError
from residua.nets.caffe import read_caffemodel

PREFIXES = ("module.", "model.", "_orig_mod.", "backbone.bottom_up.", "backbone.", "encoder.")
WRAPPERS = ("state_dict", "model", "model_state_dict", "net", "weights")


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read named arrays, and the metadata that only safetensors files have.

    Wrappers such as {"state_dict": ...} are taken off.

    Raises:
        CheckpointError: there is no such file, it is damaged, or it holds more than arrays.
    """
    if path.is_dir():
        raise CheckpointError(
            f"{path} is a folder, not a file of weights: a run has its own in {path}/weights"
        )
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    match path.suffix:
        case ".safetensors":
            return _safetensors(path)
        case ".caffemodel":
            return read_caffemodel(path), {}
        case ".pkl":
            return _named(_pickle(path), path), {}
        case _:
            return _named(_torch(path), path), {}


def _safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return state, file.metadata() or {}
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a safetensors file, or damaged: {error}") from None


def _torch(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        # PyTorch's own words go on to say how to run what is in the file.
        foreign = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f" (it asks for {foreign[1]})" if foreign else ""
        raise CheckpointError(
            f"{path} holds more than arrays{what}, or is damaged or no file of PyTorch, and is not "
            "read: ask for the state dict alone, as safetensors or from "
            "torch.save(net.state_dict())"
        ) from None


def _pickle(path: Path) -> object:
    try:
        return unpickle.arrays(path)
    except unpickle.FAULTS as error:
        raise CheckpointError(
            f"{path} holds more than NumPy arrays, or is damaged, and is not read: {error}"
        ) from None


def _named(content: object, path: Path) -> dict[str, Tensor]:
    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path} holds no named arrays but a {type(content).__name__}")
    state: dict[str, Tensor] = {}
    for name, value in content.items():
        if isinstance(value, np.ndarray):
            state[str(name)] = torch.from_numpy(np.ascontiguousarray(value))
        elif isinstance(value, Tensor):
            state[str(name)] = value.detach()
    if not state:
        raise CheckpointError(f"{path} holds no arrays")
    return state


def without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take off prefixes that all names share, such as the "module." of a wrapper."""
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in state):
            return without_prefix({name.removeprefix(prefix): v for name, v in state.items()})
    return state
