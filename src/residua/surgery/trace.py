"""The forward pass of a net as graphs, one for training and one for evaluation.

torch.fx runs a forward once, and what the Python code decides stays decided: `self.training` above
all. So a net is traced in both modes. What has no weights (dropout of any make, stochastic depth)
and every single layer is left whole, and goes on to obey its own `training`.
"""

import inspect
import linecache
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx import Node

from residua.surgery.bridge import Shape
from residua.surgery.layers import is_unit

INPUT = "input"


class UntraceableError(Exception):
    """A forward that decides by values; the message says in which line."""


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return super().is_leaf_module(m, module_qualified_name) or is_unit(m)


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The forward of a net in one mode.

    Attributes:
        graph: of torch.fx; its modules are found by their paths in the net.
        points: its values by name: that of a module is the module's path, that of a function the
            name of what it was applied to, and its own, as "conv1/relu". A second value of the same
            name has "#2" after it.
        shapes: of the values that are tensors, where the net was run.
    """

    graph: fx.Graph
    points: dict[str, Node]
    shapes: dict[Node, Shape] = field(default_factory=dict)

    @cached_property
    def names(self) -> dict[Node, str]:
        """The names of the values."""
        return {node: name for name, node in self.points.items()}


def trace(net: nn.Module, inputs: tuple[Any, ...]) -> dict[bool, Graph]:
    """Trace a net in both modes, and take the shapes of its values in evaluation.

    Args:
        net: gets attributes for constants of its forward, and is in evaluation mode afterwards.
        inputs: an example of what it takes.

    Returns:
        The graphs of training (True) and evaluation (False).

    Raises:
        UntraceableError: its forward decides by values of tensors.
    """
    traced = {training: _trace(net.train(training), len(inputs)) for training in (True, False)}
    runner = _Shapes(net, traced[False].graph)
    try:
        with torch.no_grad():
            runner.run(*inputs)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise UntraceableError(f"its forward was traced but does not run: {reason}") from error
    traced[False].shapes.update(runner.shapes)
    return traced


def source(node: Node) -> Node | None:
    """Return the value that a value is made of in the first place; None of an input."""
    inputs = node.all_input_nodes
    first = node.args[0] if node.args else None
    while isinstance(first, Sequence) and not isinstance(first, str) and first:
        first = first[0]
    if isinstance(first, Node):
        return first
    return inputs[0] if inputs else None


def _trace(net: nn.Module, count: int) -> Graph:
    tracer = _Tracer()
    try:
        with torch.enable_grad():
            graph = tracer.trace(net, concrete_args=_rest(net, count))
    except Exception as error:
        raise UntraceableError(_explained(error)) from error
    return Graph(graph=graph, points=_named(graph))


def _rest(net: nn.Module, count: int) -> dict[str, Any] | None:
    """Return the arguments of a forward beyond those of the example, with their usual values."""
    parameters = list(inspect.signature(net.forward).parameters.values())[count:]
    usual = {
        p.name: p.default
        for p in parameters
        if p.default is not p.empty and p.kind is not p.VAR_KEYWORD
    }
    return usual or None


def _explained(error: Exception) -> str:
    """Say in which line of whose code a trace failed."""
    reason = str(error).partition("\n")[0].rstrip(".")
    ours = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(ours)]
    if not theirs:
        return f"its forward cannot be traced: {reason}"
    frame = theirs[-1]
    line = linecache.getline(frame.filename, frame.lineno or 0).strip()
    return (
        f"its forward cannot be traced at {frame.filename}, line {frame.lineno}, `{line}`: {reason}"
    )


def _named(graph: fx.Graph) -> dict[str, Node]:
    names: dict[Node, str] = {}
    points: dict[str, Node] = {}
    for node in graph.nodes:
        name = plain = _name(node, names)
        count = 1
        while name in points:
            count += 1
            name = f"{plain}#{count}"
        points[name] = node
        names[node] = name
    return points


def _name(node: Node, names: dict[Node, str]) -> str:
    match node.op:
        case "call_module" | "get_attr":
            return str(node.target)
        case "placeholder":
            return f"{INPUT}.{node.target}"
        case "output":
            return "output"
    called = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    before = source(node)
    return f"{names[before]}/{called}" if before is not None else str(called)


class _Shapes(fx.Interpreter):
    """Runs a graph and keeps the shapes of its tensors."""

    def __init__(self, net: nn.Module, graph: fx.Graph) -> None:
        super().__init__(net, graph=graph)
        self.shapes: dict[Node, Shape] = {}

    def run_node(self, n: Node) -> Any:
        value = super().run_node(n)
        if isinstance(value, Tensor) and value.is_floating_point():
            self.shapes[n] = tuple(value.shape)
        return value
