"""Networks with their weights: save one with its card, load one from us or from elsewhere."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import safetensors.torch
from torch import Tensor, nn

from residua import files
from residua.config import decode, encode
from residua.errors import CheckpointError, ConfigError
from residua.nets.catalogue import NetConfig, find
from residua.nets.convert import CONVENTIONS, from_theirs, origin_of
from residua.nets.infer import infer
from residua.nets.preprocessing import Preprocessing
from residua.nets.reading import read, without_prefix

METADATA_KEY = "residua"
# Arrays that belong to the pictures and not to the net lie in the file under this prefix.
BESIDE = "preprocessing."


@dataclass(frozen=True)
class Contents:
    """What a file of weights holds, before it is known what is done with it.

    Attributes:
        path: of the file.
        state: the arrays of the net, by the names in the file.
        card: what the file says beside them.
    """

    path: Path
    state: dict[str, Tensor]
    card: dict[str, Any]

    @property
    def config(self) -> NetConfig:
        """Which net they are of, by the card or by the names.

        Raises:
            CheckpointError: neither says it.
            ConfigError: the card is of a net that was handed over in Python, or is not understood.
        """
        if self.card.get("net", {}).get("kind") == "given":
            raise ConfigError(
                f"{self.path} holds weights of a net that was handed over in Python "
                f"({self.card['net'].get('type')}), which its card cannot rebuild"
            )
        return _config_of(self.card, without_prefix(self.state))


@dataclass(frozen=True)
class Loaded:
    """A network with weights, in eval mode, and what belongs to them.

    Attributes:
        net: the network.
        config: its settings; None for a module that was handed over.
        preprocessing: of the pictures; None where the file does not say.
        origin: the library the weights are from.
        card: what the file says beside the weights.
    """

    net: nn.Module
    config: NetConfig | None
    preprocessing: Preprocessing | None
    origin: str
    card: dict[str, Any]


def save(
    net: nn.Module,
    path: str | Path,
    *,
    config: object | None = None,
    preprocessing: Preprocessing | None = None,
    card: dict[str, Any] | None = None,
    beside: dict[str, Tensor] | None = None,
) -> None:
    """Write the weights of a network as safetensors, with what is needed to use them.

    Args:
        net: any module.
        path: of the file; must end in .safetensors.
        config: settings that build the net, so that `load` needs nothing else.
        preprocessing: of the pictures that it was trained on.
        card: anything else worth keeping that JSON can hold.
        beside: arrays that the pictures are prepared with.

    Raises:
        ConfigError: the name of the file ends otherwise.
        RunError: it could not be written; an older file of that name is as it was.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ConfigError(
            f"{path}: weights are saved as safetensors (end the name in .safetensors)"
        )
    facts: dict[str, Any] = {**(card or {})}
    if config is not None:
        facts["net"] = encode(config)
    if preprocessing is not None:
        facts["preprocessing"] = encode(preprocessing)
    tensors = {name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    for name, value in (beside or {}).items():
        tensors[BESIDE + name] = value.detach().cpu().contiguous()
    content = safetensors.torch.save(unshared(tensors), {METADATA_KEY: json.dumps(facts)})
    files.write(path, content)


def load(
    path: str | Path,
    net: str | NetConfig | nn.Module | None = None,
    *,
    head: bool = True,
) -> Loaded:
    """Read weights from a file and build, or fill, the network that they are of.

    Files of ours say which network that is. Others are recognised by the names in them
    (torchvision, timm, MSRA's Caffe release, Detectron, detectron2, akamaster), converted, and
    bound to the preprocessing that they were trained with.

    Args:
        path: .safetensors, .pth, .pt, .th, .pkl of NumPy arrays, or .caffemodel.
        net: name, settings, or a module that is filled; found out if not given.
        head: whether the last linear layer must come along; without it, that of the new net stays.

    Raises:
        CheckpointError: no such file, more than arrays in it, unknown origin, or another net.
        ConfigError: no network has that name.
    """
    return fitted(contents(path), net, head=head)


def contents(path: str | Path) -> Contents:
    """Read what a file of weights holds.

    Raises:
        CheckpointError: no such file, it is damaged, or it holds more than arrays.
    """
    path = Path(path)
    everything, metadata = read(path)
    return Contents(path, apart(everything)[0], card_of(metadata, path))


def fitted(
    found: Contents, net: str | NetConfig | nn.Module | None = None, *, head: bool = True
) -> Loaded:
    """Build, or fill, the network that weights are of, as `load` does."""
    path, written, card = found.path, found.state, found.card
    state = without_prefix(written)
    config, module = _target(net, card, state)
    if _is_ours(written, module):
        origin, preprocessing, state = "residua", preprocessing_of(card), written
        if not head:
            own = {n: v for n, v in module.state_dict().items() if n.startswith("head.")}
            state = {n: v for n, v in written.items() if not n.startswith("head.")} | own
    else:
        origin = origin_of(state)
        preprocessing = CONVENTIONS[origin].preprocessing
        state = from_theirs(state, module, head=head)
    fill(module, state, path)
    return Loaded(module.eval(), config, preprocessing, origin, card)


def card_of(metadata: dict[str, str], path: Path) -> dict[str, Any]:
    """Return what a file of weights says beside the weights.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        return json.loads(metadata.get(METADATA_KEY, "{}"))
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path}: its card is damaged: {error}") from None


def apart(state: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Part what a file holds into weights, and arrays that the pictures are prepared with."""
    beside = {name: value for name, value in state.items() if name.startswith(BESIDE)}
    weights = {name: value for name, value in state.items() if name not in beside}
    return weights, {name.removeprefix(BESIDE): value for name, value in beside.items()}


def _target(
    net: str | NetConfig | nn.Module | None, card: dict[str, Any], state: dict[str, Tensor]
) -> tuple[NetConfig | None, nn.Module]:
    if isinstance(net, nn.Module):
        return None, net
    if isinstance(net, str):
        config = find(net)
    elif net is not None:
        config = net
    else:
        config = _config_of(card, state)
    return config, config.build()


def _config_of(card: dict[str, Any], state: dict[str, Tensor]) -> NetConfig:
    if "net" in card and card["net"].get("kind") != "given":
        return decode(cast("type[NetConfig]", NetConfig), card["net"], where="card")
    if "stem.conv.weight" in state:
        raise CheckpointError(
            "recognised weights of Residua; missing is the card that says of which net: name it"
        )
    return infer(state)


def _is_ours(state: dict[str, Tensor], module: nn.Module) -> bool:
    ours = module.state_dict().keys()
    return len(ours & state.keys()) * 2 > min(len(ours), len(state))


def preprocessing_of(card: dict[str, Any]) -> Preprocessing | None:
    """Return what pictures the weights of a card were trained on; None if it does not say."""
    facts = card.get("preprocessing")
    return decode(Preprocessing, facts, where="card") if facts else None


def fill(module: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Put arrays into a module that has a place for each of them.

    Raises:
        CheckpointError: names or shapes differ; the first that do are listed.
    """
    faults = compare(module.state_dict(), state)
    if faults:
        more = f"; and {len(faults) - 4} more" if len(faults) > 4 else ""
        raise CheckpointError(f"{path} is of another net: {'; '.join(faults[:4])}{more}")
    module.load_state_dict(state)


def compare(expected: dict[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    """Say where two state dicts differ in names or shapes."""
    faults = [f"{name} is missing" for name in expected if name not in found]
    faults += [f"{name} has no place" for name in found if name not in expected]
    faults += [
        f"{name} is {tuple(found[name].shape)}, the net has {tuple(value.shape)}"
        for name, value in expected.items()
        if name in found and found[name].shape != value.shape
    ]
    return faults


def unshared(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors that share memory, which safetensors refuses."""
    seen: set[int] = set()
    result: dict[str, Tensor] = {}
    for name, value in tensors.items():
        shared = value.data_ptr() in seen and value.numel() > 0
        result[name] = value.clone() if shared else value
        seen.add(value.data_ptr())
    return result
