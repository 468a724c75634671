"""The layers of a network as it runs: output sizes, parameters and multiply-adds of any module.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, table 1 (counts a multiply-add once).
    [U] Ye, Residual Learning (slides), University of Queensland: the arithmetic of output sizes.
"""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from residua.nets.resnet import GlobalAverage
from residua.nn.frozen import FrozenNorm
from residua.nn.frugal import FrugalReLU

Role = Literal["main", "shortcut", "gate"]

# Names of submodules, ours and those of other libraries, that are off the main path.
OFF_PATH: dict[str, Role] = {
    "shortcut": "shortcut",
    "downsample": "shortcut",
    "skip": "shortcut",
    "gate": "gate",
    "carry": "gate",
}

WORDS: dict[type[nn.Module], str] = {
    GlobalAverage: "global average pool",
    nn.BatchNorm2d: "batch norm",
    FrozenNorm: "frozen batch norm",
    nn.ReLU: "relu",
    FrugalReLU: "relu",
}

KEEP_SHAPE = (nn.BatchNorm2d, nn.ReLU, nn.Dropout)


@dataclass(frozen=True)
class Layer:
    """One row of the layer table.

    Attributes:
        name: dotted path of the module.
        kind: what it does, such as "conv 3x3, 64, /2".
        output: C, H, W, or the length of a vector.
        parameters: trainable numbers of its own; zero where it runs a second time.
        multiply_adds: of one image; convolutions and linear layers alone count, as in [R].
        role: "main", or "shortcut" or "gate" for what is off the main path.
        input: C, H, W, or the length of a vector.
        arithmetic: how the height follows from the input's, by the formula of [U]; may be empty.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int
    role: Role = "main"
    input: tuple[int, ...] = ()
    arithmetic: str = ""


def layers(net: nn.Module, input_shape: Sequence[int]) -> list[Layer]:
    """Run a copy of a network on one image without numbers in it, and list what ran.

    Modules without parts of their own, or with parameters of their own, are layers; identities are
    left out. The network itself, its mode and its buffers stay as they are. A module that cannot
    run without numbers runs on zeros.

    Args:
        net: any module that takes N, C, H, W.
        input_shape: C, H, W.
    """
    try:
        return _run(_without_numbers(net), torch.empty(1, *input_shape, device="meta"))
    except (RuntimeError, NotImplementedError):
        tensor = next(iter(net.parameters()), torch.empty(0))
        return _run(copy.deepcopy(net), torch.zeros(1, *input_shape, device=tensor.device))


def total_parameters(rows: Sequence[Layer]) -> int:
    """Add up the trainable numbers of a layer table."""
    return sum(row.parameters for row in rows)


def total_multiply_adds(rows: Sequence[Layer]) -> int:
    """Add up the multiply-adds of a layer table, for one image."""
    return sum(row.multiply_adds for row in rows)


def role_of(name: str) -> Role:
    """Tell from the dotted path of a module whether it is off the main path."""
    for part in reversed(name.split(".")):
        if part in OFF_PATH:
            return OFF_PATH[part]
    return "main"


def _without_numbers(net: nn.Module) -> nn.Module:
    """Copy a module onto the meta device without ever copying its storage."""
    memo: dict[int, Any] = {}
    for parameter in net.parameters():
        empty = torch.empty_like(parameter, device="meta")
        memo[id(parameter)] = nn.Parameter(empty, requires_grad=False)
    for buffer in net.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(net, memo)


def _run(net: nn.Module, images: Tensor) -> list[Layer]:
    rows: list[Layer] = []
    counted: set[int] = set()
    for name, module in net.named_modules():
        if type(module) in KEEP_SHAPE:
            module.forward = _same  # batch norm without numbers is slow, and changes no shape
        is_leaf = next(module.children(), None) is None and not isinstance(module, nn.Identity)
        if is_leaf or next(module.parameters(recurse=False), None) is not None:
            module.register_forward_hook(_recorder(name, rows, counted))
    with torch.no_grad():
        net.eval()(images)
    return rows


def _same(x: Tensor) -> Tensor:
    return x


def _recorder(name: str, rows: list[Layer], counted: set[int]) -> Callable[..., None]:
    def record(module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
        if not isinstance(output, Tensor):
            return
        x = inputs[0] if inputs and isinstance(inputs[0], Tensor) else output
        own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
        counted.update(map(id, own))
        rows.append(
            Layer(
                name=name,
                kind=kind(module),
                output=tuple(output.shape[1:]),
                parameters=sum(p.numel() for p in own),
                multiply_adds=_multiply_adds(module, output),
                role=role_of(name),
                input=tuple(x.shape[1:]),
                arithmetic=_arithmetic(module, x, output),
            )
        )

    return record


def _multiply_adds(module: nn.Module, output: Tensor) -> int:
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear):
        return math.prod(output.shape[1:]) * math.prod(module.weight.shape[1:])
    return 0


def _both(value: Any) -> tuple[Any, Any]:
    return value if isinstance(value, tuple) else (value, value)


def _size(value: Any) -> str:
    return "x".join(map(str, _both(value)))


def kind(module: nn.Module) -> str:
    """Say in the paper's words what a module does: "conv 3x3, 64, /2", "linear, 10"."""
    text = WORDS.get(type(module), type(module).__name__)
    match module:
        case nn.Conv2d():
            stride, _ = _both(module.stride)
            groups = f", {module.groups} groups" if module.groups != 1 else ""
            text = f"conv {_size(module.kernel_size)}, {module.out_channels}"
            text += (f", /{stride}" if stride != 1 else "") + groups
        case nn.Linear():
            text = f"linear, {module.out_features}"
        case nn.MaxPool2d() | nn.AvgPool2d():
            word = "max" if isinstance(module, nn.MaxPool2d) else "average"
            text = f"{word} pool {_size(module.kernel_size)}, /{_both(module.stride)[0]}"
        case nn.AdaptiveAvgPool2d():
            text = f"average pool to {_size(module.output_size)}"
        case nn.Dropout():
            text = f"dropout {module.p:g}"
    return text


def _arithmetic(module: nn.Module, x: Tensor, output: Tensor) -> str:
    """Write `floor((N + 2P - D(F - 1) - 1) / S) + 1` with its numbers, for the height ([U])."""
    if not isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) or x.ndim != 4:
        return ""
    kernel, stride = _both(module.kernel_size)[0], _both(module.stride)[0]
    padding, dilation = _both(module.padding)[0], _both(getattr(module, "dilation", 1))[0]
    word = "ceil" if getattr(module, "ceil_mode", False) else "floor"
    inner = f"{x.shape[2]} + 2*{padding} - {dilation}*({kernel} - 1) - 1"
    return f"{word}(({inner}) / {stride}) + 1 = {output.shape[2]}"
