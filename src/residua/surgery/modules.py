"""Shortcuts around modules, for nets whose forward cannot be traced.

A module with one way in and one way out, or several that follow one another in an `nn.Sequential`,
is put into a `Bridged`, which has its place. What the forward around them decides stays its own.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn

from residua.errors import ConfigError, closest
from residua.nn.gated import GatedSum
from residua.surgery.bridge import Option, bridge, suited
from residua.surgery.candidate import Candidate
from residua.surgery.layers import is_norm, is_unit
from residua.surgery.plan import Span
from residua.surgery.record import Call


class Bridged(nn.Module):
    """`y = F(x) + g h(x)` for modules F.

    Shape:
        x, y: as F takes and gives.
    """

    def __init__(self, span: nn.Module, added: GatedSum) -> None:
        super().__init__()
        self.span = span
        self.added = added

    def forward(self, x: Tensor) -> Tensor:
        return self.added(x, self.span(x))


def candidates(
    net: nn.Module, calls: Sequence[Call], *, layers: int, option: Option
) -> list[Candidate]:
    """List modules, and stretches of sequences, with so many weight layers.

    Args:
        net: whose modules they are.
        calls: of its modules, while it ran.
        layers: of each part.
        option: for shapes that differ.
    """
    once = called_once(calls)
    most = max((call.layers for call in calls), default=0)
    found: dict[tuple[str, str], Candidate] = {}
    for name, module in net.named_modules():
        for stretch in _stretches(name, module, once, layers):
            examined = _examined(stretch, net, calls, option)
            found.setdefault((examined.first, examined.last), examined)
    ordered = sorted(found.values(), key=lambda each: (each.begin, each.end))
    return ordered if most else []


def called_once(calls: Sequence[Call]) -> dict[str, Call]:
    """Return the calls of modules that were called once, by their paths."""
    often = Counter(call.name for call in calls)
    return {call.name: call for call in calls if often[call.name] == 1}


def wrap(net: nn.Module, span: Span, added: GatedSum) -> None:
    """Put a shortcut around the modules of a span.

    Args:
        net: changed in place.
        span: whose modules stand in one sequence, or are one.
        added: the shortcut.

    Raises:
        ConfigError: the net has no such modules, or they do not follow one another.
    """
    parent, names = _place(net, span)
    inside = OrderedDict((name, parent._modules[name]) for name in names)
    whole = inside[names[0]] if len(names) == 1 else nn.Sequential(inside)  # type: ignore[arg-type]
    parts = OrderedDict(
        (name, Bridged(whole, added) if name == names[0] else child)  # type: ignore[arg-type]
        for name, child in parent._modules.items()
        if name == names[0] or name not in names
    )
    parent._modules.clear()
    parent._modules.update(parts)


def stretch_of(net: nn.Module, span: Span) -> list[str]:
    """List the paths of the modules of a span, in order.

    Raises:
        ConfigError: the net has no such modules, or they do not follow one another.
    """
    _, names = _place(net, span)
    prefix = span.first.rpartition(".")[0]
    return [f"{prefix}.{name}" if prefix else name for name in names]


def _place(net: nn.Module, span: Span) -> tuple[nn.Module, list[str]]:
    known = {name for name, _ in net.named_modules() if name}
    for name in (span.first, span.last):
        if name not in known:
            raise ConfigError(f"{span.name}: the net has no module {name}{closest(name, known)}")
    prefix, _, first = span.first.rpartition(".")
    parent, names = net.get_submodule(prefix), [first]
    if span.first != span.last:
        other, _, last = span.last.rpartition(".")
        order = list(parent._modules)
        in_one = other == prefix and _is_sequence(parent)
        if not in_one or order.index(last) < order.index(first):
            raise ConfigError(
                f"{span.name}: {span.last} does not follow {span.first} in one nn.Sequential, as "
                "it must in a net that cannot be traced"
            )
        names = order[order.index(first) : order.index(last) + 1]
    return parent, names


def _is_sequence(module: nn.Module) -> bool:
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def _stretches(
    name: str, module: nn.Module, once: dict[str, Call], layers: int
) -> list[list[Call]]:
    """List a module itself, or what stands in it if it is a sequence."""
    if _is_sequence(module):
        return _in_sequence(name, module, once, layers)
    call = once.get(name)
    fits = call is not None and call.layers == layers and not is_unit(module)
    return [[call]] if call is not None and fits else []


def _in_sequence(
    name: str, module: nn.Module, once: dict[str, Call], layers: int
) -> list[list[Call]]:
    prefix = f"{name}." if name else ""
    children = list(module.named_children())
    calls = [once.get(f"{prefix}{child}") for child, _ in children]
    found: list[list[Call]] = []
    for begin, first in enumerate(calls):
        count = 0
        for end in range(begin, len(calls)):
            call = calls[end]
            if call is None or first is None or not first.layers or count > layers:
                break
            count += call.layers
            normed = end + 1 < len(calls) and is_norm(children[end + 1][1])
            if count == layers and (call.layers or is_norm(children[end][1])) and not normed:
                found.append([each for each in calls[begin : end + 1] if each is not None])
    return found


def _examined(
    stretch: list[Call], net: nn.Module, calls: Sequence[Call], option: Option
) -> Candidate:
    first, last = stretch[0], stretch[-1]
    found = Candidate(
        first=first.name,
        last=last.name,
        x=first.x or (),
        f=last.f or (),
        begin=first.begin,
        end=last.end,
        layers=sum(call.layers for call in stretch),
        last_resort=_at_the_rim(first, last, calls),
    )
    if first.x is None or last.f is None:
        return replace(found, reason="takes or gives something else than one tensor")
    if any(call.adds for call in stretch):
        return replace(found, reason="has an addition already")
    kind = suited(option, found.x, found.f)
    inside = [net.get_submodule(call.name) for call in stretch]
    try:
        fits = bridge(kind, found.x, found.f, stride=stride(inside), vectors=linear(inside))
    except ConfigError as error:
        return replace(found, reason=str(error))
    weights = sum(p.numel() for module in inside for p in module.parameters() if p.ndim >= 2)
    if 2 * fits.weights > weights:
        heavy = f"the projection would have {fits.weights:,} weights, the layers have {weights:,}"
        return replace(found, reason=heavy)
    return replace(found, kind=kind, weights=fits.weights)


def linear(modules: Sequence[nn.Module]) -> bool:
    """Tell whether modules have linear layers and no convolutions."""
    inner = [each for module in modules for each in module.modules()]
    has = any(isinstance(each, nn.Linear) for each in inner)
    return has and not any(isinstance(each, nn.modules.conv._ConvNd) for each in inner)


def stride(modules: Sequence[nn.Module]) -> int:
    """Multiply the strides of modules that follow one another, as far as they are known."""
    product = 1
    for module in modules:
        for inner in module.modules():
            step = getattr(inner, "stride", 1)
            product *= int(step[0] if isinstance(step, tuple) else step or 1)
    return product


def _at_the_rim(first: Call, last: Call, calls: Sequence[Call]) -> bool:
    """Tell whether no weight layer comes before, or none after."""
    leaves = [call for call in calls if call.layers == 1]
    before = any(call.begin < first.begin and call.end <= first.begin for call in leaves)
    return not before or not any(call.begin > last.end for call in leaves)
