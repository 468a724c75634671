"""`residualize`: a net that was built plain, made residual without a change of what it computes.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385: a shortcut past every two layers.
    [B] the blog post "Residual networks in Torch, MNIST": "can be easily added to your existing
        networks".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from residua import runtime
from residua.errors import ConfigError, RunError
from residua.nn.gated import GatedSum
from residua.nn.modes import evaluating
from residua.surgery import modules, spans
from residua.surgery.apply import bridges
from residua.surgery.bridge import Option
from residua.surgery.candidate import Candidate, choose, left
from residua.surgery.graphnet import GraphNet, free_name, insert
from residua.surgery.layers import normalized
from residua.surgery.plan import Plan, Span, check
from residua.surgery.record import Call, copied, record, skeleton
from residua.surgery.trace import UntraceableError, trace

# Of the largest number of the output, in float32.
UNCHANGED = 1e-6
# Parts that are listed where nothing can be bridged.
SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A plan, and what was seen on the way to it.

    Attributes:
        plan: the plan.
        rows: what each of its spans is, in the same order.
        left: parts that are not bridged, with the reason of each.
        untraced: why the net could not be traced; empty if it could.
    """

    plan: Plan
    rows: tuple[Candidate, ...]
    left: tuple[str, ...]
    untraced: str = ""


def propose(
    net: nn.Module,
    example: Tensor | tuple[Any, ...],
    *,
    shortcut: Option = "B",
    layers: int = 2,
    anneal: int = 0,
) -> Proposal:
    """Find the parts of a net that a shortcut can bridge; the net stays as it is.

    A net is traced by torch.fx. Where its forward decides by values, whole modules, and stretches
    of `nn.Sequential`, are looked at instead. Parts with an addition are left alone. What is
    concatenated is not what is added: such parts can be bridged.

    Args:
        net: any module.
        example: what it takes: a tensor, or a tuple of its arguments.
        shortcut: where shapes differ; where they agree it is the identity.
        layers: weight layers that a shortcut bridges.
        anneal: updates in which the gates go from 0 to 1; 0 for gates that are learned.

    Raises:
        ShapeError: the net does not take the example.
        ConfigError: nothing can be bridged; why not is said of every part.
    """
    inputs = _inputs(example)
    _check_layers(layers)
    bare = skeleton(net)
    calls = record(bare, inputs)
    found, untraced = _candidates(bare, inputs, calls, layers, shortcut)
    chosen = choose(found)
    others = left(found, chosen)
    if not chosen:
        raise ConfigError(_nothing(net, others, untraced, layers))
    plan = Plan(
        net=type(net).__name__,
        way="modules" if untraced else "graph",
        example=tuple(tuple(each.shape) for each in tree_leaves(inputs)),
        layers=layers,
        norm=normalized(net),
        anneal=anneal,
        spans=tuple(
            Span(name=f"span{n}", first=c.first, last=c.last, shortcut=c.kind or "identity")
            for n, c in enumerate(chosen, start=1)
        ),
    )
    return Proposal(plan=plan, rows=tuple(chosen), left=tuple(others), untraced=untraced)


def residualize(
    net: nn.Module,
    example: Tensor | tuple[Any, ...],
    *,
    plan: Plan | None = None,
    shortcut: Option = "B",
    layers: int = 2,
    anneal: int = 0,
    seed: int = 0,
) -> nn.Module:
    """Add shortcuts to a copy of a net: `y = F(x) + g h(x)`, with every gate g at 0.

    So the new net computes what the old one did, until it is trained. Weight decay must not hold
    the gates at 0: see `residua.nn.gated.parameter_groups`.

    Args:
        net: any module; stays as it is.
        example: what it takes: a tensor, or a tuple of its arguments.
        plan: which shortcuts, from `propose` or an edited file; without one they are found.
        shortcut: as in `propose`.
        layers: as in `propose`.
        anneal: as in `propose`.
        seed: of the weights of projections.

    Returns:
        A net in the mode, on the device and in the type of the old one.

    Raises:
        ShapeError: the net does not take the example.
        ConfigError: nothing can be bridged, or the plan does not fit the net.
        RunError: the output is not what it was.
    """
    inputs = _inputs(example)
    if plan is None:
        plan = propose(net, inputs, shortcut=shortcut, layers=layers, anneal=anneal).plan
    made = applied(net, plan, inputs, seed=seed)
    change, largest = greatest_change(net, made, inputs)
    if not change <= UNCHANGED * max(1.0, largest):
        raise RunError(
            f"the output changed by {change:.3g} where it is {largest:.3g} at most: the forward of "
            f"{type(net).__name__} depends on more than its input and weights, and is not bridged"
        )
    return made


def applied(net: nn.Module, plan: Plan, inputs: tuple[Any, ...], *, seed: int = 0) -> nn.Module:
    """Add the shortcuts of a plan to a copy of a net; its output is not looked at.

    Raises:
        ShapeError: the net does not take the example.
        ConfigError: the plan does not fit the net.
    """
    check(plan)
    if plan.net != type(net).__name__:
        raise ConfigError(f"plan: it is for a {plan.net}, the net is a {type(net).__name__}")
    made, bare = copied(net), skeleton(net)
    calls = record(bare, inputs)
    sums: dict[str, GatedSum] = {}
    found_ones = bridges(bare, plan, inputs, calls)
    for span, (_, found) in zip(plan.spans, found_ones, strict=True):
        generator = runtime.generator(seed, "shortcut", span.name)
        shortcut = found.build(norm=plan.norm, generator=generator)
        sums[span.name] = GatedSum(shortcut, crop=found.crop, anneal=plan.anneal)
    like = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    for added in sums.values():
        added.to(device=like.device, dtype=like.dtype).train(net.training)
    if plan.way == "modules":
        for span in plan.spans:
            modules.wrap(made, span, sums[span.name])
        return made
    return _by_graph(made, plan, inputs, sums)


def greatest_change(
    net: nn.Module, other: nn.Module, example: Tensor | tuple[Any, ...]
) -> tuple[float, float]:
    """Compare two nets in evaluation: the greatest difference of their outputs, and the largest.

    What they draw at random is drawn alike. The nets are in their own modes afterwards.
    """
    inputs = _inputs(example)
    one, two = (_outputs(each, inputs) for each in (net, other))
    pairs = [(a, b) for a, b in zip(one, two, strict=True) if not torch.equal(a, b)]
    # Where both are not a number, nothing changed.
    changes = [(a - b)[~(a.isnan() & b.isnan())].abs() for a, b in pairs]
    change = max((float(each.max()) for each in changes if each.numel()), default=0.0)
    return change, max((float(a.abs().max()) for a in one if a.numel()), default=0.0)


def describe(
    net: nn.Module, example: Tensor | tuple[Any, ...], plan: Plan
) -> tuple[Candidate, ...]:
    """Say what the spans of a plan are in a net: shapes, layers, weights of the shortcuts.

    Raises:
        ShapeError: the net does not take the example.
        ConfigError: the plan does not fit the net.
    """
    check(plan)
    inputs = _inputs(example)
    bare = skeleton(net)
    return tuple(row for row, _ in bridges(bare, plan, inputs, record(bare, inputs)))


def _by_graph(
    made: nn.Module, plan: Plan, inputs: tuple[Any, ...], sums: dict[str, GatedSum]
) -> nn.Module:
    with evaluating(made):  # tracing leaves it in a mode of its own
        graphs = trace(made, inputs)
    insert(graphs, list(plan.spans), free_name(made))
    return GraphNet(made, {mode: each.graph for mode, each in graphs.items()}, sums)


def _candidates(
    bare: nn.Module,
    inputs: tuple[Any, ...],
    calls: Sequence[Call],
    layers: int,
    option: Option,
) -> tuple[list[Candidate], str]:
    try:
        graphs = trace(bare, inputs)
    except UntraceableError as error:
        return modules.candidates(bare, calls, layers=layers, option=option), str(error)
    found = spans.candidates(graphs[False], bare, layers=layers, option=option)
    return spans.also_in_training(found, graphs[True], bare), ""


def _outputs(net: nn.Module, inputs: tuple[Any, ...]) -> list[Tensor]:
    with evaluating(net), torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        # An input that a net writes over must not reach the other one so.
        given = tuple(x.clone() if isinstance(x, Tensor) else x for x in inputs)
        found = tree_leaves(net(*given))
        return [each.float() for each in found if isinstance(each, Tensor)]


def _inputs(example: Tensor | tuple[Any, ...]) -> tuple[Any, ...]:
    return example if isinstance(example, tuple) else (example,)


def _check_layers(layers: int) -> None:
    if layers < 1:
        raise ConfigError(f"layers must be at least 1, got {layers} (the papers bridge 2 or 3)")


def _nothing(net: nn.Module, others: Sequence[str], untraced: str, layers: int) -> str:
    """Say that nothing can be bridged, and why."""
    name = type(net).__name__
    shown = "".join(f"\n  {line}" for line in others[:SHOWN])
    if len(others) > SHOWN:
        shown += f"\n  and {len(others) - SHOWN} more"
    why = f"{name}: {untraced}; and " if untraced else f"{name}: "
    if not others:
        where = "of its modules" if untraced else "of its values"
        return (
            f"{why}no two {where} have {layers} weight layers between them that follow one another "
            "(--layers looks for another number)"
        )
    return f"{why}nothing can be bridged:{shown}"
