"""Leave out the residual functions that a trained net misses least.

Sources:
    [V] Veit et al., Residual Networks Behave Like Ensembles of Relatively Shallow Networks,
        arXiv:1605.06431, sections 4.1 and 4.2: deleting one block changes little, and many the more
        the more are deleted.
"""

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from torch import nn

from residua.errors import ConfigError
from residua.nets.blocks_of import blocks_of, bypassed, without
from residua.nets.describe import layers, total_multiply_adds
from residua.surgery.latency import milliseconds

Measure = Callable[[nn.Module], float]
Tune = Callable[[nn.Module], None]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What leaving out one residual function costs.

    Attributes:
        name: of the block.
        error: of the net without it, in percent.
    """

    name: str
    error: float


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a net is worth and what it costs.

    Attributes:
        error: as measured, in percent.
        blocks: residual functions in it.
        parameters: trainable numbers.
        multiply_adds: of one input; None if they were not counted.
        milliseconds: of one input, at the batch size measured; None if it was not measured.
    """

    error: float
    blocks: int
    parameters: int
    multiply_adds: int | None = None
    milliseconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Slimmed:
    """A net without the residual functions that it missed least.

    Attributes:
        net: the slimmer net, a copy.
        left_out: names of blocks, in the order in which they were left out, with the error before
            any tuning that followed.
        first: what each block costs alone, cheapest first.
        before: the net that was given.
        after: the slimmer one, tuned.
    """

    net: nn.Module
    left_out: tuple[Cost, ...]
    first: tuple[Cost, ...]
    before: Standing
    after: Standing

    @property
    def names(self) -> tuple[str, ...]:
        """The blocks that were left out."""
        return tuple(each.name for each in self.left_out)


def rank(net: nn.Module, measure: Measure, names: Iterable[str] | None = None) -> list[Cost]:
    """Measure a net with each of its residual functions left out, and sort; cheapest first.

    Args:
        net: is as before afterwards.
        measure: of the error, in percent; nothing the net is later tested on.
        names: of blocks; by default all that keep the shape of what comes in.

    Raises:
        ConfigError: the net has no such blocks, or a name is that of none.
    """
    costs: list[Cost] = []
    for name in candidates(net) if names is None else names:
        with bypassed(net, [name]):
            costs.append(Cost(name=name, error=measure(net)))
    return sorted(costs, key=lambda cost: cost.error)


def candidates(net: nn.Module) -> tuple[str, ...]:
    """Name the residual blocks that keep the shape of what comes in, in the order of depth.

    Raises:
        ConfigError: there is none.
    """
    names = tuple(each.name for each in blocks_of(net, foreign=True) if each.keeps_shape)
    if not names:
        raise ConfigError(
            f"{type(net).__name__} has no residual block that could be left out: only where a "
            "shortcut passes its input on does a net go on without F (plain nets and those with "
            "gates have none)"
        )
    return names


def slim(  # noqa: PLR0913 -- what is measured, how far to go, and in which way
    net: nn.Module,
    measure: Measure,
    *,
    budget: float | None = None,
    most: int | None = None,
    rerank: bool = True,
    tune: Tune | None = None,
    input_shape: Sequence[int] | None = None,
    batch: int = 1,
) -> Slimmed:
    """Leave out residual functions, cheapest first, for as long as an error budget allows.

    When the budget is passed, the net is tuned, if `tune` is given, and measured again; if it is
    still passed, the last function comes back and nothing more is left out. Once everything is
    decided the net is tuned, unless that was the last thing that happened to it.

    Args:
        net: stays as it is.
        measure: of the error, in percent; nothing the net is later tested on.
        budget: points that the error may rise by; without it `most` decides alone.
        most: functions to leave out at most.
        rerank: rank those that are left anew after each; without it the first ranking is followed.
        tune: trains a net in place.
        input_shape: C, H, W, for which multiply-adds are counted and the time is measured.
        batch: inputs at a time when the time is measured.

    Raises:
        ConfigError: no block can be left out, the budget is below zero, or `most` is not between 1
            and the number of blocks that can be.
    """
    known = candidates(net)
    check(budget, most, len(known))
    work = _Work(copy.deepcopy(net), measure, tune)
    base = work.error
    limit = math.inf if budget is None else base + budget
    first = rank(work.net, measure)
    ranking, gone, count = list(first), list[Cost](), most or len(known)
    while len(gone) < count:
        cost = ranking.pop(0)
        if not rerank and gone:
            with bypassed(work.net, [cost.name]):
                cost = Cost(name=cost.name, error=measure(work.net))
        if not work.leave_out(cost, limit):
            break
        gone.append(cost)
        if rerank and len(gone) < count:
            ranking = rank(work.net, measure)
    work.settle()
    nets = [net, work.net]
    times: Sequence[float | None] = [None, None]
    if input_shape is not None:
        times = milliseconds(nets, input_shape, batch=batch)
    before, after = (
        _standing(each, error, input_shape, time)
        for each, error, time in zip(nets, (base, work.error), times, strict=True)
    )
    return Slimmed(
        net=work.net, left_out=tuple(gone), first=tuple(first), before=before, after=after
    )


def check(budget: float | None, most: int | None, known: int) -> None:
    """Refuse a budget or a number of blocks without sense.

    Raises:
        ConfigError: neither is given, the budget is below zero, or `most` is not in [1, known].
    """
    if budget is None and most is None:
        raise ConfigError(
            "how far to go is not said: give a budget of error, or a number of blocks"
        )
    if budget is not None and not 0 <= budget < math.inf:
        raise ConfigError(f"the budget is points of error, at least 0, got {budget:g}")
    if most is not None and not 1 <= most <= known:
        raise ConfigError(
            f"the net has {known} residual functions that can be left out, got {most} to leave out"
        )


class _Work:
    """The net that is being slimmed, and its error."""

    def __init__(self, net: nn.Module, measure: Measure, tune: Tune | None) -> None:
        self.net = net
        self.measure = measure
        self.tune = tune
        self.error = measure(net)
        self.is_tuned = True

    def leave_out(self, cost: Cost, limit: float) -> bool:
        """Leave a function out if the error stays below a limit, if need be by tuning."""
        slimmer = without(self.net, [cost.name])
        error, is_tuned = cost.error, False
        if error > limit and self.tune is not None:
            self.tune(slimmer)
            error, is_tuned = self.measure(slimmer), True
        if error > limit:
            return False
        self.net, self.error, self.is_tuned = slimmer, error, is_tuned
        return True

    def settle(self) -> None:
        """Tune the net unless it is tuned."""
        if self.tune is not None and not self.is_tuned:
            self.tune(self.net)
            self.error = self.measure(self.net)


def _standing(
    net: nn.Module, error: float, input_shape: Sequence[int] | None, time: float | None
) -> Standing:
    counted = None if input_shape is None else total_multiply_adds(layers(net, input_shape))
    return Standing(
        error=error,
        blocks=len(blocks_of(net, foreign=True)),
        parameters=sum(parameter.numel() for parameter in net.parameters()),
        multiply_adds=counted,
        milliseconds=time,
    )
