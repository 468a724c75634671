"""The shortcuts of any module: ours by their class, a stranger's by the names that libraries use.

A stranger's identity shortcut has no module: it shows only in a block that has an attribute such as
`downsample` and leaves it empty, as torchvision's and timm's blocks do.
"""

from dataclasses import dataclass

from torch import nn

from residua.nn.blocks import GatedBlock, HighwayBlock, ResidualBlock, StochasticBlock
from residua.nn.shortcuts import FixedProjection, Scale, ZeroPad

OURS = (ResidualBlock, StochasticBlock, GatedBlock)
ATTRIBUTES = ("downsample", "shortcut", "skip")


@dataclass(frozen=True)
class Shortcut:
    """One shortcut.

    Attributes:
        name: dotted path of the block.
        kind: "identity", "zero padding", "projection 1x1", "projection 2x2", "fixed matrix", ...
        changes_shape: whether size or channels change along it.
    """

    name: str
    kind: str
    changes_shape: bool


def shortcuts_found(net: nn.Module) -> list[Shortcut]:
    """List the shortcuts of a module, in the order in which its blocks were made."""
    found: list[Shortcut] = []
    for name, block in net.named_modules():
        if isinstance(block, HighwayBlock):
            kind = "carry gate" if block.carry is not None else "carry 1 - T"
            found.append(Shortcut(name, kind, changes_shape=False))
            continue
        if not isinstance(block, OURS) and not _is_stranger(block):
            continue
        attribute = "shortcut" if isinstance(block, OURS) else _attribute(block)
        connect = getattr(block, attribute)
        kind = _kind(connect)
        if isinstance(block, GatedBlock):
            kind += ", gated"
        found.append(Shortcut(name, kind, changes_shape=_changes(connect, block)))
    return found


def _attribute(block: nn.Module) -> str:
    return next((name for name in ATTRIBUTES if hasattr(block, name)), "")


def _is_stranger(block: nn.Module) -> bool:
    """Tell whether a block of another library has a shortcut, empty or not, beside convolutions."""
    attribute = _attribute(block)
    if not attribute or not isinstance(getattr(block, attribute), nn.Module | None):
        return False
    return any(isinstance(child, nn.Conv2d | nn.Linear) for child in block.children())


def _kind(connect: nn.Module | None) -> str:
    if connect is None:
        return "identity"
    kinds: dict[type[nn.Module], str] = {
        ZeroPad: "zero padding",
        nn.AvgPool2d: "average",
        FixedProjection: "fixed matrix",
        Scale: "constant scaling",
        nn.Dropout: "dropout",
    }
    parts = [kinds[type(module)] for module in connect.modules() if type(module) in kinds]
    convolutions = [m for m in connect.modules() if isinstance(m, nn.Conv2d)]
    parts += ["projection " + "x".join(map(str, conv.kernel_size)) for conv in convolutions]
    if any(isinstance(module, nn.Linear) for module in connect.modules()):
        parts.append("projection")
    if parts:
        return ", ".join(parts)
    empty = not list(connect.modules())[1:] or all(
        isinstance(m, nn.Identity | nn.Sequential) for m in connect.modules()
    )
    return (
        "identity"
        if empty and isinstance(connect, nn.Identity | nn.Sequential)
        else (f"a module of its own ({type(connect).__name__})")
    )


def _changes(connect: nn.Module | None, block: nn.Module) -> bool:
    if connect is None:
        return False
    for module in connect.modules():
        if isinstance(module, ZeroPad) and (module.extra_channels or module.stride > 1):
            return True
        if isinstance(module, nn.Conv2d):
            same = module.in_channels == module.out_channels and module.stride == (1, 1)
            return not same
        if isinstance(module, FixedProjection):
            rows, columns = module.matrix.shape
            return rows != columns or module.stride > 1
    custom = type(connect).__name__ not in ("Identity", "Sequential", "Dropout", "Scale")
    strides = [m.stride for m in block.modules() if isinstance(m, nn.Conv2d)]
    return custom and any(stride != (1, 1) for stride in strides)
