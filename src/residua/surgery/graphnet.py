"""A traced net with shortcuts: the modules of the old one, and its forward written out anew."""

import linecache
from collections.abc import Callable
from typing import Any

from torch import Tensor, fx, nn
from torch.fx import Node

from residua.errors import ConfigError, closest
from residua.nn.gated import GatedSum
from residua.surgery.plan import Span
from residua.surgery.trace import Graph, source


class GraphNet(nn.Module):
    """A net by its graphs, one for training and one for evaluation.

    Modules, parameters and buffers have the paths that they have in the net it was made of; added
    shortcuts are called as in the plan, below the name that `shortcuts_at` tells.

    Args:
        net: whose parts are taken over, not copied.
        graphs: of training (True) and evaluation (False).
        shortcuts: by name.
    """

    def __init__(
        self, net: nn.Module, graphs: dict[bool, fx.Graph], shortcuts: dict[str, GatedSum]
    ) -> None:
        super().__init__()
        for name, child in net.named_children():
            self.add_module(name, child)
        for name, parameter in net.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        kept = net.state_dict().keys()
        for name, buffer in net.named_buffers(recurse=False):
            self.register_buffer(name, buffer, persistent=name in kept)
        for name, constant in vars(net).items():
            if isinstance(constant, Tensor):
                self.register_buffer(name, constant, persistent=False)
        self.shortcuts_at = free_name(net)
        self.add_module(self.shortcuts_at, nn.ModuleDict(shortcuts))
        for hook in net._forward_pre_hooks.values():
            self.register_forward_pre_hook(hook)
        self.code = {mode: graph.python_code("self").src for mode, graph in graphs.items()}
        self._forwards = {mode: _compiled(graph, mode) for mode, graph in graphs.items()}
        self.training = net.training

    def forward(self, *inputs: Any) -> Any:
        return self._forwards[self.training](self, *inputs)


def free_name(net: nn.Module) -> str:
    """Find a name for the shortcuts that nothing in a net has."""
    name = "shortcuts"
    while hasattr(net, name):
        name = f"added_{name}"
    return name


def insert(graphs: dict[bool, Graph], spans: list[Span], place: str) -> None:
    """Put shortcuts into both graphs of a net.

    Args:
        graphs: changed in place.
        spans: where they go.
        place: path of the module that holds the shortcuts.
    """
    for traced in graphs.values():
        sums: dict[Node, Node] = {}
        ends = [(span, *resolve(span, traced)) for span in spans]
        for span, start, end in ends:
            with traced.graph.inserting_after(end):
                made = traced.graph.call_module(
                    f"{place}.{span.name}", (sums.get(start, start), end)
                )
            end.replace_all_uses_with(made, delete_user_cb=lambda user, made=made: user is not made)
            sums[end] = made


def resolve(span: Span, traced: Graph) -> tuple[Node, Node]:
    """Find x and F(x) of a span.

    Raises:
        ConfigError: the net has no such values.
    """
    for name in (span.first, span.last):
        if name not in traced.points:
            raise ConfigError(f"{span.name}: the net has no {name}{closest(name, traced.points)}")
    start = source(traced.points[span.first])
    if start is None:
        raise ConfigError(f"{span.name}: {span.first} takes nothing that could be added")
    return start, traced.points[span.last]


def _compiled(graph: fx.Graph, mode: bool) -> Callable[..., Any]:
    """Make a function of a graph; tracebacks show its lines."""
    code = graph.python_code("self")
    name = f"<forward in {'training' if mode else 'evaluation'} {id(graph):x}>"
    linecache.cache[name] = (len(code.src), None, code.src.splitlines(keepends=True), name)
    namespace: dict[str, Any] = dict(code.globals)
    exec(compile(code.src, name, "exec"), namespace)
    return namespace["forward"]
