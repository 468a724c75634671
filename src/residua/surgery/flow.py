"""What depends on what in a traced net: dominators, depth, and what is bridged already.

A value `a` dominates `b` if every path from the input to `b` passes `a`: then b is a function of a
alone, which is what `y = F(x) + h(x)` asks of its F.

Sources:
    [D] Cooper, Harvey and Kennedy, A Simple, Fast Dominance Algorithm, 2001; a graph without
        cycles needs one pass.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.fx import Node

from residua.surgery.layers import counts, is_unit, writes_over
from residua.surgery.trace import Graph

ADDITIONS: tuple[object, ...] = (operator.add, operator.iadd, torch.add, "add", "add_")
PRODUCTS: tuple[object, ...] = (operator.mul, operator.imul, torch.mul, "mul", "mul_")
CONCATENATIONS: tuple[object, ...] = (torch.cat, torch.concat, torch.concatenate)
MATRIX_PRODUCTS: tuple[object, ...] = (
    *(nn.functional.linear, nn.functional.conv1d, nn.functional.conv2d, nn.functional.conv3d),
    *(torch.conv1d, torch.conv2d, torch.conv3d),
)
SAME_MEMORY: tuple[object, ...] = (torch.flatten, "flatten", "view", "reshape", "squeeze")


@dataclass(frozen=True, kw_only=True)
class Flow:
    """The values of a net that come from its input.

    Attributes:
        index: place of every value in the order of their computation.
        dominator: the last value, before it, that every path to it passes; None of an input.
        depth: weight layers on the longest path to it.
        layers: the values that count as weight layers, in order.
        added: values within a part that an addition joins with its shortcut, and that addition.
        gates: values that only say what others are multiplied with.
        leading: values on which a weight layer depends.
        module: of a value that a module gives.
    """

    index: dict[Node, int]
    dominator: dict[Node, Node | None]
    depth: dict[Node, int]
    layers: list[Node]
    added: dict[Node, Node]
    gates: frozenset[Node]
    leading: frozenset[Node]
    module: dict[Node, nn.Module]

    def region(self, a: Node, b: Node) -> list[Node]:
        """List the values on paths from a, which dominates b, to b: those of F, without a."""
        return _region(a, b, self.index)

    def overwritten(self, node: Node) -> Node | None:
        """Find what may write over a value after it was computed; None if nothing does."""
        for user in node.users:
            if self._writes(user):
                return user
            if self._same_memory(user) and (found := self.overwritten(user)) is not None:
                return found
        return None

    def _writes(self, user: Node) -> bool:
        module = self.module.get(user)
        if module is not None:
            return writes_over(module)
        if user.kwargs.get("inplace"):
            return True
        if isinstance(user.target, str):
            return user.op == "call_method" and user.target.endswith("_")
        return getattr(user.target, "__name__", "") in {"iadd", "imul", "isub"}

    def _same_memory(self, user: Node) -> bool:
        module = self.module.get(user)
        if module is not None:
            name = type(module).__name__
            return "Drop" in name or "Depth" in name or name in {"Identity", "Flatten"}
        return user.target in SAME_MEMORY or "drop" in str(getattr(user.target, "__name__", ""))


def flow(traced: Graph, net: nn.Module) -> Flow:
    """Follow the input of a net through its graph."""
    modules = dict(net.named_modules())
    called = {n: modules[str(n.target)] for n in traced.points.values() if n.op == "call_module"}
    index: dict[Node, int] = {}
    dominator: dict[Node, Node | None] = {}
    for place, node in enumerate(traced.graph.nodes):
        before = _before(node, index)
        if node.op == "placeholder" or before:
            index[node] = place
            dominator[node] = _common(before, dominator, index) if before else None
    gates = _gates(index, dominator)
    layers = [n for n in index if n not in gates and _is_layer(n, called.get(n))]
    return Flow(
        index=index,
        dominator=dominator,
        depth=_depths(index, dominator, gates, set(layers)),
        layers=layers,
        added=_added(index, dominator, called),
        gates=frozenset(gates),
        leading=_leading(index, layers),
        module=called,
    )


def _before(node: Node, index: dict[Node, int]) -> list[Node]:
    """List what a value is computed from, of what comes from the input."""
    return [each for each in node.all_input_nodes if each in index]


def _common(
    nodes: list[Node], dominator: dict[Node, Node | None], index: dict[Node, int]
) -> Node | None:
    """Find the last value that every path to each of some values passes ([D])."""
    found: Node | None = nodes[0]
    for node in nodes[1:]:
        other: Node | None = node
        while found is not other and found is not None and other is not None:
            if index[found] > index[other]:
                found = dominator[found]
            else:
                other = dominator[other]
        if found is not other:
            return None
    return found


def _region(a: Node, b: Node, index: dict[Node, int]) -> list[Node]:
    found, queue = {b}, [b]
    while queue:
        for node in _before(queue.pop(), index):
            if node is not a and node not in found:
                found.add(node)
                queue.append(node)
    return sorted(found, key=index.__getitem__)


def _is_layer(node: Node, module: nn.Module | None) -> bool:
    if module is not None:
        return counts(module)
    return node.target in MATRIX_PRODUCTS


def _gates(index: dict[Node, int], dominator: dict[Node, Node | None]) -> dict[Node, Node]:
    """Find what x is multiplied with in `x s(x)`: no layer of the way, nor to be bridged."""
    found: dict[Node, Node] = {}
    for node in index:
        before = _before(node, index)
        top = dominator[node]
        if node.target in PRODUCTS and len(before) == 2 and top in before:
            inner = _region(top, node, index)[:-1]
            found.update(dict.fromkeys(inner, top))
    return found


def _leading(index: dict[Node, int], layers: list[Node]) -> frozenset[Node]:
    """Find what the weight layers depend on."""
    found: set[Node] = set()
    inner = set(layers)
    for node in reversed(index):
        if node in inner or node in found:
            found.update(_before(node, index))
    return frozenset(found)


def _depths(
    index: dict[Node, int],
    dominator: dict[Node, Node | None],
    gates: dict[Node, Node],
    layers: set[Node],
) -> dict[Node, int]:
    depth: dict[Node, int] = {}
    for node in index:
        if node in gates:
            depth[node] = depth[gates[node]]
        else:
            before = (depth[each] for each in _before(node, index))
            depth[node] = max(before, default=0) + (node in layers)
    return depth


def _added(
    index: dict[Node, int],
    dominator: dict[Node, Node | None],
    modules: dict[Node, nn.Module],
) -> dict[Node, Node]:
    """Find what stands between a value and an addition that joins two ways from it."""
    found: dict[Node, Node] = {}
    for node in index:
        top = dominator[node]
        if top is not None and _joins(node, index, modules.get(node)):
            for inner in _region(top, node, index):
                found.setdefault(inner, node)
    return found


def _joins(node: Node, index: dict[Node, int], module: nn.Module | None) -> bool:
    """Tell whether a value is a sum of two; a layer that takes two values may be one.

    A layer with several matrices of its own, such as a transformer's, has additions inside.
    """
    if module is not None:
        return len(_before(node, index)) > 1 or not is_unit(module)
    return node.target in ADDITIONS and len(_before(node, index)) > 1


def concatenations(flow: Flow) -> Iterable[Node]:
    """List the values that are concatenations of others."""
    return [node for node in flow.index if node.target in CONCATENATIONS]


def strides(flow: Flow, a: Node, b: Node, before: Callable[[Node], Node | None]) -> int:
    """Multiply the strides on the way from a to b; 1 where they are not known."""
    product, node = 1, b
    while node is not a:
        module = flow.module.get(node)
        stride = getattr(module, "stride", 1) if module is not None else _pooling(node)
        product *= stride[0] if isinstance(stride, tuple) else int(stride or 1)
        found = before(node)
        if found is None:
            return 1
        node = found
    return product


def _pooling(node: Node) -> int:
    """Read the stride off a call of a pooling function."""
    if "pool" not in getattr(node.target, "__name__", ""):
        return 1
    given = [node.kwargs.get("stride"), *node.args[2:3], node.kwargs.get("kernel_size")]
    for each in (*given, *node.args[1:2]):
        size = each[0] if isinstance(each, Sequence) and each else each
        if isinstance(size, int):
            return size
    return 1
