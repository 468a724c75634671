"""Recomputation of activations: a backward pass that runs stretches of the forward pass again.

Between forward and backward only the input of a recomputed segment is kept. Weights and batch-norm
statistics come out as without recomputation, bit for bit: the second forward draws the same random
numbers, in the same precision, and leaves running statistics alone.

Sources:
    [C] Chen et al., Training Deep Nets with Sublinear Memory Cost, arXiv:1604.06174.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules.batchnorm import _NormBase

from residua.errors import ConfigError
from residua.train.resident import Bound


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Units of a chain that are run again in the backward pass.

    Attributes:
        chain: name of an `nn.Sequential` of the net, as in `chains`.
        start: first unit.
        stop: the unit after the last.
        inner: where segments inside this one begin when it is run again, after `start`; without
            them all that its units save is held at once.
    """

    chain: str
    start: int
    stop: int
    inner: tuple[int, ...] = ()


def chains(net: nn.Module) -> dict[str, list[nn.Module]]:
    """Find the outermost sequences of a net by name, each as the list of units that it applies.

    A sequence within a sequence counts as its units, unless a hook is on it.
    """
    found: dict[str, list[nn.Module]] = {}
    for name, module in net.named_modules():
        outer = any(name.startswith(f"{known}.") or known == "" for known in found)
        if not outer and _is_open(module):
            found[name] = _units(module)
    return found


@contextmanager
def instead(net: nn.Module, forwards: dict[str, Callable[[Tensor], Tensor]]) -> Iterator[nn.Module]:
    """Let sequences of a net, by name, run as the given functions; undone at the end."""
    modules = [net.get_submodule(name) for name in forwards]
    for module, forward in zip(modules, forwards.values(), strict=True):
        module.forward = forward
    try:
        yield net
    finally:
        for module in modules:
            del module.__dict__["forward"]


class Recomputed(nn.Module):
    """The same function as a net, with less memory in training.

    In eval mode or without gradients it is the net itself.

    Args:
        net: shared, not copied; hooks on its units run again with them.
        segments: which units to run again.
        bound: on what the process holds of main memory; looked at in every segment, when its first
            and its second forward pass are done.
    """

    def __init__(
        self, net: nn.Module, segments: Sequence[Segment], bound: Bound | None = None
    ) -> None:
        super().__init__()
        self.net = net
        self.bound = bound
        self._forwards: dict[str, Callable[[Tensor], Tensor]] = {}
        known = chains(net)
        for name in dict.fromkeys(segment.chain for segment in segments):
            if name not in known:
                raise ConfigError(f"the net has no sequence {name!r} to recompute")
            own = [segment for segment in segments if segment.chain == name]
            self._forwards[name] = _forward(known[name], own, bound, segments[-1])

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and torch.is_grad_enabled()):
            return self.net(x)
        if self.bound is not None:
            self.bound.begin()
        with instead(self.net, self._forwards):
            return self.net(x)


def _is_open(module: nn.Module) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
    return type(module) is nn.Sequential and not any(hooks)


def _units(module: nn.Module) -> list[nn.Module]:
    if not _is_open(module):
        return [module]
    # `children` would leave out a module that stands in the sequence a second time.
    return [unit for child in module._modules.values() if child for unit in _units(child)]


def _forward(
    units: Sequence[nn.Module], segments: Sequence[Segment], bound: Bound | None, last: Segment
) -> Callable[[Tensor], Tensor]:
    """Make the function that applies units, those of segments to be run again."""
    pieces: list[Callable[[Tensor], Tensor]] = []
    at = 0
    for segment in sorted(segments, key=lambda segment: segment.start):
        if not at <= segment.start < segment.stop <= len(units):
            raise ConfigError(
                f"segments of {segment.chain!r} must follow one another within its {len(units)} "
                f"units, got {segment.start} to {segment.stop} after {at}"
            )
        again = _forward_again(units, segment, bound)
        work = _Work(units[segment.start : segment.stop], again, bound)
        pieces += [*units[at : segment.start], work]
        if segment is last and bound is not None:
            # What follows is kept whole, without another look.
            pieces.append(_passed(bound.clear))
        at = segment.stop
    return _applied([*pieces, *units[at:]])


def _forward_again(
    units: Sequence[nn.Module], segment: Segment, bound: Bound | None
) -> Callable[[Tensor], Tensor]:
    """Make what a segment runs in the backward pass: its units, in segments of their own."""
    starts = (segment.start, *segment.inner, segment.stop)
    groups = [units[start:stop] for start, stop in pairwise(starts)]
    # The last group is differentiated at once: to run it a third time would save nothing.
    return _applied([*(_Work(group, _applied(group), bound) for group in groups[:-1]), *groups[-1]])


def _passed(do: Callable[[], None]) -> Callable[[Tensor], Tensor]:
    """Make the function that does something and returns what it gets."""

    def same(x: Tensor) -> Tensor:
        do()
        return x

    return same


def _applied(functions: Sequence[Callable[[Tensor], Tensor]]) -> Callable[[Tensor], Tensor]:
    def apply(x: Tensor) -> Tensor:
        for function in functions:
            x = function(x)
        return x

    return apply


class _Work:
    """A stretch of units: run without a graph now, and `again` with one in the backward pass."""

    def __init__(
        self,
        units: Sequence[nn.Module],
        again: Callable[[Tensor], Tensor],
        bound: Bound | None,
    ) -> None:
        self.now = _applied(units)
        self.again = again
        self.bound = bound
        self.modules = [module for unit in units for module in unit.modules()]
        unique = {id(p): p for unit in units for p in unit.parameters()}
        self.parameters = list(unique.values())

    def __call__(self, x: Tensor) -> Tensor:
        y = _Twice.apply(self, x, *(p for p in self.parameters if p.requires_grad))
        self.look()
        return y

    def look(self) -> None:
        """Keep the bound, if there is one."""
        if self.bound is not None:
            self.bound.keep()


class _Twice(torch.autograd.Function):
    """Run a stretch without a graph; in the backward pass run it again and differentiate it."""

    @staticmethod
    def forward(  # type: ignore[bad-override]
        ctx: Any, work: _Work, x: Tensor, *parameters: Tensor
    ) -> Tensor:
        ctx.work = work
        ctx.parameters = parameters
        ctx.autocast = _autocast(x.device.type)
        version, random = x._version, _random_states(x.device)
        # Each weight is used once here: its cast need not outlive the unit.
        with ctx.autocast(cache_enabled=False):
            y = work.now(x)
        if x._version != version:
            raise ConfigError(
                f"{type(work.modules[0]).__name__} writes over its input, which recomputation has "
                "to keep: let the segment begin before the module in front of it"
            )
        # States are kept only if something was drawn, which takes 5 kB on the processor.
        same = all(map(torch.equal, random, _random_states(x.device)))
        ctx.random = random[:0] if same else random
        ctx.save_for_backward(x)
        return y

    @staticmethod
    @once_differentiable
    def backward(  # type: ignore[bad-override]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        (saved,) = ctx.saved_tensors
        x = saved.detach().requires_grad_(ctx.needs_input_grad[1])
        with ExitStack() as stack:
            stack.enter_context(torch.enable_grad())
            stack.enter_context(statistics_held(ctx.work.modules))
            stack.enter_context(_replayed(x.device, ctx.random))
            stack.enter_context(ctx.autocast())
            y = ctx.work.again(x)
        ctx.work.look()
        wanted = [x, *ctx.parameters] if x.requires_grad else list(ctx.parameters)
        # Segments within this one do their second forward here, and hold their statistics there.
        found = torch.autograd.grad(y, wanted, gradients, allow_unused=True)
        return None, *(found if x.requires_grad else (None, *found))


@contextmanager
def statistics_held(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Keep normalizations from moving their running statistics; they normalize as before."""
    held = [m for m in modules if isinstance(m, _NormBase) and m.training and m.track_running_stats]
    for module in held:
        module.track_running_stats = False
    try:
        yield
    finally:
        for module in held:
            module.track_running_stats = True


def _autocast(kind: str) -> Callable[..., AbstractContextManager[object]]:
    """Make a function that makes the precision of this moment again."""
    enabled, dtype = torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)
    cached = torch.is_autocast_cache_enabled()

    def again(*, cache_enabled: bool = cached) -> AbstractContextManager[object]:
        return torch.autocast(kind, dtype, enabled=enabled, cache_enabled=cache_enabled)

    return again


def _random_states(device: torch.device) -> list[Tensor]:
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return states


def _set_random_states(device: torch.device, states: Sequence[Tensor]) -> None:
    torch.set_rng_state(states[0])
    if len(states) > 1:
        torch.cuda.set_rng_state(states[1], device)


@contextmanager
def _replayed(device: torch.device, states: Sequence[Tensor]) -> Iterator[None]:
    """Draw from earlier states of the generators, and put them back as they were."""
    if not states:
        yield
        return
    now = _random_states(device)
    _set_random_states(device, states)
    try:
        yield
    finally:
        _set_random_states(device, now)
