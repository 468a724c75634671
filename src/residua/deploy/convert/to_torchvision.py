"""The weights of a net by torchvision's names, with a card beside: for nets torchvision has too.

Sources:
    [V] torchvision.models.resnet and torchvision.models.vgg, whose names and computation these are.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from residua import files
from residua.errors import CheckpointError, ConfigError
from residua.nets.convert import to_theirs
from residua.nets.imagenet import ImagenetConfig
from residua.nets.infer import infer
from residua.nets.vgg import VGG, VggConfig
from residua.nets.weights import compare

HAS = (
    "resnet18, 34, 50, 101 and 152, wide_resnet50_2 and 101_2, vgg16 and vgg19, all for pictures "
    "in colour"
)
OTHERS = "--to pt2, onnx, openvino or safetensors"


def to_torchvision(net: nn.Module, path: Path, *, card: Mapping[str, Any] | None = None) -> None:
    """Write a state dict that a net of torchvision loads, and the card beside it as JSON.

    The card also says which net: `torchvision` is its name in `torchvision.models`.

    Args:
        net: of ours.
        path: of the state dict; the card has the same name with .json.
        card: what pictures the net takes, and the names of its classes.

    Raises:
        ConfigError: torchvision has no such net.
        RunError: a file cannot be written.
    """
    state = their_state(net)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    told = {**(card or {}), "torchvision": name_of(state)}
    files.write(path.with_suffix(".json"), json.dumps(told, indent=1) + "\n")
    files.write(path, buffer.getvalue())


def their_state(net: nn.Module) -> dict[str, Tensor]:
    """Return the weights of a net of ours by torchvision's names.

    Raises:
        ConfigError: torchvision has no such net.
    """
    try:
        state = to_theirs(net, "torchvision_vgg" if isinstance(net, VGG) else "torchvision")
    except CheckpointError as error:
        raise _none(str(error)) from None
    name_of(state)
    return {name: value.detach().contiguous() for name, value in state.items()}


def name_of(state: Mapping[str, Tensor]) -> str:
    """Tell which net of torchvision has these weights.

    Raises:
        ConfigError: none has.
    """
    try:
        config = infer(state)
    except CheckpointError as error:
        raise _none(str(error)) from None
    name = _name(config)
    faults = compare(_empty(name, state).state_dict(), dict(state))
    if faults:
        raise _none(f"it is no {name}, where {'; '.join(faults[:2])}")
    return name


def theirs(name: str, state: Mapping[str, Tensor]) -> nn.Module:
    """Build the net of torchvision that has these weights, in eval mode."""
    net = _empty(name, state).to_empty(device="cpu")
    net.load_state_dict(dict(state))
    return net.eval()


def _empty(name: str, state: Mapping[str, Tensor]) -> nn.Module:
    from torchvision.models import get_model, list_models

    if name not in list_models():
        raise _none(f"it has no {name}")
    last = "fc.weight" if "fc.weight" in state else "classifier.6.weight"
    with torch.device("meta"):
        return get_model(name, weights=None, num_classes=len(state[last]))


def _name(config: object) -> str:
    if isinstance(config, VggConfig):
        return f"vgg{config.depth}"
    if isinstance(config, ImagenetConfig) and config.widen == 1:
        return f"resnet{config.depth}"
    if isinstance(config, ImagenetConfig) and config.widen == 2:
        return f"wide_resnet{config.depth}_2"
    raise _none(f"it has none with the widths of {config}")


def _none(reason: str) -> ConfigError:
    return ConfigError(
        f"torchvision has no such net: {reason} (it has {HAS}, with the stride on the 3x3 "
        f"convolution; for this net there is {OTHERS})"
    )
