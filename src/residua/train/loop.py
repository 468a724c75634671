"""The training loop: one update after another, until the schedule ends.

It knows batches and a loss, and nothing of what they mean.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from residua.errors import RunError

Terms = dict[str, Tensor]


class Indexable(Protocol):
    """`batches[i]` is the batch of iteration i."""

    def __getitem__(self, iteration: int) -> Any:
        """Return the batch of an iteration."""


class Rated(Protocol):
    """A schedule: the learning rate as a pure function of the iteration."""

    @property
    def until(self) -> int:
        """Iterations in all."""

    def rate(self, iteration: int) -> float:
        """Return the learning rate of one update."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is trained, on what, and how.

    Args:
        net: in the memory format and on the device of the batches.
        batches: `batches[i]` is the batch of iteration i.
        loss: from net and batch to named scalars; "loss" is differentiated, all are averaged.
        optimizer: of the net's parameters.
        schedule: its `rate(i)` is what the optimizer must use in iteration i.
        autocast: makes the context in which the loss is computed.
    """

    net: nn.Module
    batches: Indexable
    loss: Callable[[nn.Module, Any], Terms]
    optimizer: Optimizer
    schedule: Rated
    autocast: Callable[[], AbstractContextManager[object]]


@dataclass
class Progress:
    """How far a training has come: the next iteration, and sums since the last report."""

    iteration: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def means(self) -> dict[str, float]:
        """Return the mean of every term since the last call, and start anew."""
        means = {name: total / self.count for name, total in self.sums.items()}
        self.sums.clear()
        self.count = 0
        return means


def update(task: Task, iteration: int) -> dict[str, float]:
    """Make one update of the weights: `w <- w - rate(i) * direction(gradient of the loss)`.

    A group of parameters that has a `factor` is updated with that times the rate.

    Raises:
        RunError: the loss is not a finite number (the weights are as before), or the optimizer did
            not use the rate of the schedule.
    """
    rate = task.schedule.rate(iteration)
    expected = [rate * group.get("factor", 1.0) for group in task.optimizer.param_groups]
    for group, its_rate in zip(task.optimizer.param_groups, expected, strict=True):
        group["lr"] = its_rate
    with task.autocast():
        terms = task.loss(task.net, task.batches[iteration])
    task.optimizer.zero_grad()
    terms["loss"].backward()
    numbers = _to_numbers(terms)
    if not math.isfinite(numbers["loss"]):
        raise RunError(
            f"the loss is {numbers['loss']} at iteration {iteration}, with the rate {rate:g}; a "
            "lower schedule.lr or a longer schedule.warmup usually cures it, in a new run"
        )
    task.optimizer.step()
    used = [group["lr"] for group in task.optimizer.param_groups]
    if used != expected:
        raise RunError(
            f"iteration {iteration} used the rates {used}, but the schedule says {expected}: "
            "something else sets the optimizer's rate"
        )
    return numbers


def fit(task: Task, progress: Progress, after_update: Callable[[dict[str, float]], None]) -> None:
    """Train from where `progress` stands to the end of the schedule.

    Args:
        task: what to train.
        progress: advanced in place; hand in a restored one to resume.
        after_update: called with the terms of each update once `progress` holds it; what it raises
            ends the training.

    Raises:
        RunError: as `update` says.
    """
    task.net.train()
    while progress.iteration < task.schedule.until:
        terms = update(task, progress.iteration)
        for name, value in terms.items():
            progress.sums[name] = progress.sums.get(name, 0.0) + value
        progress.count += 1
        progress.iteration += 1
        after_update(terms)


def _to_numbers(terms: Terms) -> dict[str, float]:
    """Bring all terms to the processor in one transfer."""
    values = torch.stack([term.detach().float() for term in terms.values()]).tolist()
    return dict(zip(terms, values, strict=True))
