"""What the spans of a plan are in a net: the plan may have been edited, and nothing is believed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import nn
from torch.fx import Node

from residua.errors import ConfigError
from residua.surgery import modules, spans
from residua.surgery.bridge import Bridge, bridge
from residua.surgery.candidate import Candidate
from residua.surgery.flow import Flow, flow, strides
from residua.surgery.graphnet import resolve
from residua.surgery.plan import Plan, Span
from residua.surgery.record import Call
from residua.surgery.trace import Graph, UntraceableError, source, trace


def bridges(
    bare: nn.Module, plan: Plan, inputs: tuple[Any, ...], calls: Sequence[Call]
) -> list[tuple[Candidate, Bridge]]:
    """Find every span of a plan in a net, and the shortcut that fits it.

    Args:
        bare: the net; gets attributes for constants of its forward.
        plan: the plan.
        inputs: an example of what it takes.
        calls: of its modules with this example.

    Raises:
        ConfigError: the net has no such span, or the shortcut does not fit it.
    """
    if plan.way == "modules":
        once = modules.called_once(calls)
        return [_around_modules(bare, span, once) for span in plan.spans]
    try:
        graphs = trace(bare, inputs)
    except UntraceableError as error:
        raise ConfigError(f"plan: way is graph, but {error} (try way: modules)") from error
    flows = {mode: flow(graph, bare) for mode, graph in graphs.items()}
    for span in plan.spans:
        _closed(span, graphs[True], flows[True], "in training")
    return [_in_graph(span, graphs[False], flows[False]) for span in plan.spans]


def _in_graph(span: Span, traced: Graph, of: Flow) -> tuple[Candidate, Bridge]:
    start, end = _closed(span, traced, of, "in evaluation")
    for name, node in (("x", start), ("F(x)", end)):
        if node not in traced.shapes:
            raise ConfigError(f"{span.name}: {name}, {traced.names[node]}, is no tensor of numbers")
    reason = spans.obstacle(start, end, of, traced)
    if reason:
        raise ConfigError(f"{span.name}: {reason}")
    found = spans.described(start, end, of, traced)
    stride = strides(of, start, end, source)
    vectors = spans.linear(start, end, of)
    try:
        fits = bridge(span.shortcut, found.x, found.f, stride=stride, vectors=vectors)
    except ConfigError as error:
        raise ConfigError(f"{span.name}, from {span.first} to {span.last}: {error}") from None
    return replace(found, kind=span.shortcut, weights=fits.weights), fits


def _closed(span: Span, traced: Graph, of: Flow, where: str) -> tuple[Node, Node]:
    """Find x and F(x), and see that F(x) is a function of x alone."""
    start, end = resolve(span, traced)
    node: Node | None = end
    while node is not None and node is not start:
        node = of.dominator.get(node)
    if node is None or start is end:
        raise ConfigError(
            f"{span.name}: {where}, {span.last} does not depend on what {span.first} takes, or not "
            "on it alone, so it is no F(x) of it"
        )
    return start, end


def _around_modules(bare: nn.Module, span: Span, once: dict[str, Call]) -> tuple[Candidate, Bridge]:
    names = modules.stretch_of(bare, span)
    missing = next((name for name in names if name not in once), None)
    if missing is not None:
        raise ConfigError(f"{span.name}: {missing} is not called, or more often than once")
    stretch = [once[name] for name in names]
    x, f = stretch[0].x, stretch[-1].f
    if x is None or f is None:
        raise ConfigError(f"{span.name}: takes or gives something else than one tensor")
    inside = [bare.get_submodule(name) for name in names]
    stride, vectors = modules.stride(inside), modules.linear(inside)
    try:
        fits = bridge(span.shortcut, x, f, stride=stride, vectors=vectors)
    except ConfigError as error:
        raise ConfigError(f"{span.name}, from {span.first} to {span.last}: {error}") from None
    found = Candidate(
        first=span.first,
        last=span.last,
        x=x,
        f=f,
        begin=stretch[0].begin,
        end=stretch[-1].end,
        layers=sum(call.layers for call in stretch),
        kind=span.shortcut,
        weights=fits.weights,
    )
    return found, fits
