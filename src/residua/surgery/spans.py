"""Parts of a traced net that a shortcut could bridge.

A part begins where a value x goes into its first weight layer and ends after the normalization of
its last, before the activation, as in He et al., arXiv:1512.03385, figure 2; or in a concatenation.
"""

from dataclasses import replace

from torch import nn
from torch.fx import Node

from residua.errors import ConfigError
from residua.surgery.bridge import Option, bridge, suited
from residua.surgery.candidate import Candidate
from residua.surgery.flow import Flow, concatenations, flow, strides
from residua.surgery.layers import is_norm
from residua.surgery.trace import Graph, source


def candidates(traced: Graph, net: nn.Module, *, layers: int, option: Option) -> list[Candidate]:
    """List the parts in which so many weight layers follow one another.

    Args:
        traced: the net in evaluation, with shapes.
        net: whose modules it calls.
        layers: of each part.
        option: for shapes that differ.
    """
    of = flow(traced, net)
    ends = [_end(node, of) for node in of.layers] + list(concatenations(of))
    found: list[Candidate] = []
    for end in sorted(ends, key=of.index.__getitem__):
        start = _start(end, of, layers)
        if start is not None and {start, end} <= traced.shapes.keys():
            found.append(_examined(start, end, of, traced, option))
    return found


def also_in_training(found: list[Candidate], traced: Graph, net: nn.Module) -> list[Candidate]:
    """Refuse the parts that are not there in training, or have other layers then.

    Args:
        found: in evaluation.
        traced: the net in training.
        net: whose modules it calls.
    """
    of = flow(traced, net)
    return [each if _same(each, traced, of) else _gone(each) for each in found]


def _same(found: Candidate, traced: Graph, of: Flow) -> bool:
    if not {found.first, found.last} <= traced.points.keys():
        return not found.kind
    start, end = source(traced.points[found.first]), traced.points[found.last]
    node: Node | None = end
    while node is not None and node is not start:
        node = of.dominator.get(node)
    if node is None:
        return False
    inside = set(of.region(node, end))
    return sum(layer in inside for layer in of.layers) == found.layers


def _gone(found: Candidate) -> Candidate:
    return replace(found, kind=None, reason="is another part in training")


def described(start: Node, end: Node, of: Flow, traced: Graph) -> Candidate:
    """Describe the part between two values, the first of which dominates the second."""
    region = of.region(start, end)
    inside = set(region)
    takers = [node for node in region if source(node) is start]
    takers.sort(key=lambda node: (node.op != "call_module", of.index[node]))
    names = traced.names
    return Candidate(
        first=names[takers[0]] if takers else "",
        last=names[end],
        x=traced.shapes[start],
        f=traced.shapes[end],
        begin=of.index[region[0]],
        end=of.index[end],
        layers=sum(node in inside for node in of.layers),
        last_resort=of.depth[start] == 0 or end not in of.leading,
    )


def obstacle(start: Node, end: Node, of: Flow, traced: Graph) -> str:
    """Say why a part cannot be bridged, whatever the shortcut; empty if it can."""
    for node in of.region(start, end):
        module = of.module.get(node)
        fixed = module is not None and type(module).__name__.startswith("Adaptive")
        if fixed and node not in of.gates:
            return f"{traced.names[node]} pools to a fixed size"
    writer = of.overwritten(start)
    if writer is not None:
        return f"{traced.names[writer]} writes over x"
    return ""


def linear(start: Node, end: Node, of: Flow) -> bool:
    """Tell whether the weight layers of a part are linear ones, whose channels come last."""
    inside = set(of.region(start, end))
    inner = [of.module.get(node) for node in of.layers if node in inside]
    return bool(inner) and all(isinstance(module, nn.Linear) for module in inner)


def _examined(start: Node, end: Node, of: Flow, traced: Graph, option: Option) -> Candidate:
    found = described(start, end, of, traced)
    reason = _standing(start, end, of, traced) or obstacle(start, end, of, traced)
    if not reason and not found.first:
        reason = "nothing takes x alone"
    if reason:
        return replace(found, reason=reason)
    kind = suited(option, found.x, found.f)
    stride = strides(of, start, end, source)
    try:
        fits = bridge(kind, found.x, found.f, stride=stride, vectors=linear(start, end, of))
    except ConfigError as error:
        return replace(found, reason=str(error))
    inside = _weights(start, end, of)
    if 2 * fits.weights > inside:
        heavy = f"the projection would have {fits.weights:,} weights, the layers have {inside:,}"
        return replace(found, reason=heavy)
    return replace(found, kind=kind, weights=fits.weights)


def _standing(start: Node, end: Node, of: Flow, traced: Graph) -> str:
    """Name the addition that bridges a part, or some of it, already."""
    for node in of.region(start, end):
        if node in of.added:
            return f"has an addition already, {traced.names[of.added[node]]}"
    return ""


def _weights(start: Node, end: Node, of: Flow) -> int:
    modules = {of.module[node] for node in of.region(start, end) if node in of.module}
    return sum(p.numel() for m in modules for p in m.parameters() if p.ndim >= 2)


def _end(layer: Node, of: Flow) -> Node:
    """Go on to the normalization of a layer, if that is all that takes its output."""
    users = list(layer.users)
    if len(users) == 1 and (module := of.module.get(users[0])) is not None and is_norm(module):
        return users[0]
    return layer


def _start(end: Node, of: Flow, layers: int) -> Node | None:
    """Find the last value from which a number of weight layers lead to another; None if none."""
    start = of.dominator[end]
    while start is not None and of.depth[end] - of.depth[start] < layers:
        start = of.dominator[start]
    if start is None or of.depth[end] - of.depth[start] != layers:
        return None
    return start
