"""The conformance card of a network: what a paper says about it, read off the module itself.

It works on any module. What a stranger's module does not tell is "unknown".

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, table 1 and section 3.3.
    [U] Ye, Residual Learning (slides), University of Queensland: the layer table.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import nn

from residua.nets.describe import (
    Layer,
    layers,
    role_of,
    total_multiply_adds,
    total_parameters,
)
from residua.nets.preprocessing import Preprocessing
from residua.nets.shortcuts_found import Shortcut, shortcuts_found

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Card:
    """What is known of a network.

    Attributes:
        name: of the network.
        facts: line by line, name and value.
        layers: what runs, in its order.
        shortcuts: what was found beside the main path.
    """

    name: str
    facts: dict[str, str]
    layers: list[Layer]
    shortcuts: list[Shortcut] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """A line in which two cards differ; empty where a card has no such line."""

    what: str
    this: str
    other: str


def card(
    net: nn.Module,
    input_shape: Sequence[int],
    *,
    name: str = "",
    preprocessing: Preprocessing | None = None,
    initialization: str = "",
) -> Card:
    """Describe a network.

    Args:
        net: any module that takes N, C, H, W; stays as it is.
        input_shape: C, H, W of a picture.
        name: for the title.
        preprocessing: of the pictures; unknown if not given.
        initialization: of the weights, in words; unknown if not given.
    """
    rows = layers(net, input_shape)
    found = shortcuts_found(net)
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    of_norms = sum(p.numel() for norm in norms for p in norm.parameters())
    images = {"channel order": UNKNOWN, "pixel range": UNKNOWN, "mean": UNKNOWN, "std": UNKNOWN}
    if preprocessing is not None:
        told = preprocessing.rows()
        images = {
            "channel order": told["channels"],
            "pixel range": f"0 to {told['range']}",
            "mean": told["mean"],
            "std": told["std"],
        }
    facts = {
        "input": "x".join(map(str, input_shape)),
        "output": "x".join(map(str, rows[-1].output)) if rows else UNKNOWN,
        "depth": _depth(net, rows),
        "parameters": f"{total_parameters(rows):,}",
        "parameters without batch norm": f"{total_parameters(rows) - of_norms:,}",
        "multiply-adds": f"{total_multiply_adds(rows):,}",
        "stem": _stem(rows),
        "stage widths": _widths(rows),
        "stride of bottlenecks": _stride(net, rows),
        "shortcuts": _shortcuts(found),
        "shortcut option": _option(found),
        "biases": _biases(net),
        "batch norm eps": _setting(norms, "eps"),
        "batch norm momentum": _setting(norms, "momentum"),
        "initialization": initialization or UNKNOWN,
        **images,
    }
    return Card(name=name or type(net).__name__, facts=facts, layers=rows, shortcuts=found)


def differences(this: Card, other: Card) -> list[Difference]:
    """Compare two cards line by line: facts first, then layers in the order in which they run.

    Layers are compared by what they do, where they stand off or on the main path, and what they
    put out; not by their names, which libraries choose. Modules without weights are left out:
    libraries write them as functions.
    """
    result = [
        Difference(what, this.facts.get(what, ""), other.facts.get(what, ""))
        for what in {**this.facts, **other.facts}
        if this.facts.get(what) != other.facts.get(what)
    ]
    for role in ("main", "shortcut", "gate"):
        pairs = itertools.zip_longest(_weighted(this, role), _weighted(other, role))
        for number, (one, two) in enumerate(pairs, start=1):
            mine, theirs = (_line(row) if row else "" for row in (one, two))
            if mine != theirs:
                result.append(Difference(f"{role} layer {number}", mine, theirs))
    return result


def _weighted(described: Card, role: str) -> list[Layer]:
    return [row for row in described.layers if row.multiply_adds and row.role == role]


def _line(row: Layer) -> str:
    size = "x".join(map(str, row.output))
    return f"{row.kind} -> {size}, {row.parameters:,} parameters"


def _depth(net: nn.Module, rows: Sequence[Layer]) -> str:
    """Count weighted layers on the main path ([R]), and say what is not counted."""
    weighted = [row for row in rows if row.multiply_adds]
    roles = Counter(row.role for row in weighted)
    off = [f"{roles[role]} on {role}s" for role in ("shortcut", "gate") if roles[role]]
    return f"{roles['main']} weighted layers" + (f" (not counted: {', '.join(off)})" if off else "")


def _stem(rows: Sequence[Layer]) -> str:
    first = next((row.kind for row in rows if row.multiply_adds), UNKNOWN)
    pools = [row for row in rows if "pool" in row.kind.lower()]
    early = pools and len([r for r in rows[: rows.index(pools[0])] if r.multiply_adds]) == 1
    return f"{first}; {pools[0].kind}" if early else first


def _widths(rows: Sequence[Layer]) -> str:
    """List the most channels at each size that the main path passes, largest picture first."""
    most: dict[int, int] = {}
    for row in rows:
        if len(row.output) == 3 and row.role == "main" and row.output[1] > 1:
            most[row.output[1]] = max(row.output[0], most.get(row.output[1], 0))
    return ", ".join(f"{width} at {size}" for size, width in most.items()) or UNKNOWN


def _stride(net: nn.Module, rows: Sequence[Layer]) -> str:
    """Tell which convolution halves the size inside units that begin and end with a 1x1."""
    modules = dict(net.named_modules())
    found: set[str] = set()
    for name, module in modules.items():
        parts = [
            m
            for path, m in module.named_modules()
            if isinstance(m, nn.Conv2d) and role_of(path) == "main"
        ]
        kernels = [part.kernel_size for part in parts]
        if kernels == [(1, 1), (3, 3), (1, 1)] and name:
            found |= {_size(part) for part in parts if part.stride != (1, 1)}
    return ", ".join(f"on the {size}" for size in sorted(found)) or "no bottlenecks"


def _size(conv: nn.Conv2d) -> str:
    return "x".join(map(str, conv.kernel_size))


def _shortcuts(found: Sequence[Shortcut]) -> str:
    counts = Counter(shortcut.kind for shortcut in found)
    return ", ".join(f"{number} {kind}" for kind, number in counts.items()) or "none found"


def _option(found: Sequence[Shortcut]) -> str:
    """Name the option of [R] section 3.3 that the shortcuts found amount to."""
    if not found:
        return "none found"
    changing = {shortcut.kind for shortcut in found if shortcut.changes_shape}
    keeping = {shortcut.kind for shortcut in found if not shortcut.changes_shape}
    projection = any("projection" in kind for kind in changing | keeping)
    if not projection and changing <= {"zero padding", "identity"} and keeping <= {"identity"}:
        return "A"
    if keeping == {"identity"} and changing == {"projection 1x1"}:
        return "B"
    if changing | keeping == {"projection 1x1"}:
        return "C"
    return f"none of A, B, C: {', '.join(sorted(changing | keeping))}"


def _biases(net: nn.Module) -> str:
    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    biased = sum(m.bias is not None for m in convolutions)
    linear = [m for m in net.modules() if isinstance(m, nn.Linear)]
    with_bias = sum(m.bias is not None for m in linear)
    return (
        f"{biased} of {len(convolutions)} convolutions, {with_bias} of {len(linear)} linear layers"
    )


def _setting(norms: Sequence[nn.Module], name: str) -> str:
    values = sorted({str(getattr(norm, name)) for norm in norms})
    return ", ".join(values) if values else "no batch norm"
