"""The training loop: one update after another, until the schedule ends.

It knows batches and a loss, and nothing of what they mean.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer

from residua import runtime
from residua.errors import RunError
from residua.train.parallel import unsynchronized

Terms = dict[str, Tensor]

# Below this scale a gradient that is not finite is not for want of range in float16.
SMALLEST_SCALE = 1.0


class Divisible(Protocol):
    """A batch that can be cut into equal parts."""

    def split(self, parts: int) -> Sequence[Self]:
        """Cut into parts of equal size."""
        ...


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
        parts: a batch is cut into so many, whose gradients are added up; batch norm sees one part
            at a time.
        clip: the gradient is scaled down to this L2 norm if it is longer.
        scaler: of the loss, where the gradient is float16.
        seed: called with the iteration before each update, for dropout and the like.
        mean: averages a tensor over all processes of the training.
        after_step: called once the weights have been changed.
    """

    net: nn.Module
    batches: Indexable
    loss: Callable[[nn.Module, Any], Terms]
    optimizer: Optimizer
    schedule: Rated
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext
    parts: int = 1
    clip: float | None = None
    scaler: GradScaler | None = None
    seed: Callable[[int], None] | None = None
    mean: Callable[[Tensor], Tensor] | None = None
    after_step: Callable[[], None] | None = None


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

    Returns:
        The terms of the loss, averaged over parts and processes, and the L2 norm of the gradient
        before clipping.

    Raises:
        RunError: the loss or the gradient is not a finite number (the weights are as before), or
            the optimizer did not use the rate of the schedule.
    """
    rate = task.schedule.rate(iteration)
    expected = [rate * group.get("factor", 1.0) for group in task.optimizer.param_groups]
    for group, its_rate in zip(task.optimizer.param_groups, expected, strict=True):
        group["lr"] = its_rate
    if task.seed is not None:
        task.seed(iteration)
    terms = _differentiate(task, task.batches[iteration])
    terms["gradient_norm"] = _gradient_norm(task)
    numbers = _to_numbers(terms)
    _refuse_divergence(task, iteration, rate, numbers)
    _step(task)
    used = [group["lr"] for group in task.optimizer.param_groups]
    if used != expected:
        raise RunError(
            f"iteration {iteration} used the rates {used}, but the schedule says {expected}: "
            "something else sets the optimizer's rate"
        )
    if task.after_step is not None:
        task.after_step()
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
    begun = progress.iteration
    while progress.iteration < task.schedule.until:
        terms = update(task, progress.iteration)
        if progress.iteration == begun:
            runtime.hold_freed_memory()
        for name, value in terms.items():
            progress.sums[name] = progress.sums.get(name, 0.0) + value
        progress.count += 1
        progress.iteration += 1
        after_update(terms)


def _differentiate(task: Task, batch: Any) -> Terms:
    """Leave the gradient of the mean loss of a batch in the parameters; return its terms."""
    task.optimizer.zero_grad()
    batches = [batch] if task.parts == 1 else batch.split(task.parts)
    sums: Terms = {}
    for number, part in enumerate(batches, start=1):
        last = number == len(batches)
        with nullcontext() if last else unsynchronized(task.net):
            with task.autocast():
                terms = task.loss(task.net, part)
            share = terms["loss"] / len(batches)
            (share if task.scaler is None else task.scaler.scale(share)).backward()
        for name, term in terms.items():
            sums[name] = sums.get(name, 0.0) + term.detach().float() / len(batches)
    means = torch.stack(list(sums.values()))
    if task.mean is not None:
        means = task.mean(means)
    return dict(zip(sums, means, strict=True))


def _gradient_norm(task: Task) -> Tensor:
    """Return the L2 norm of the whole gradient, and scale it down if it is above the bound."""
    if task.scaler is not None:
        task.scaler.unscale_(task.optimizer)
    parameters = [p for group in task.optimizer.param_groups for p in group["params"]]
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if task.clip is not None:
        nn.utils.clip_grads_with_norm_(parameters, task.clip, norm)
    return norm.float()


def _refuse_divergence(task: Task, iteration: int, rate: float, numbers: dict[str, float]) -> None:
    """Stop before a loss or a gradient that is not finite comes into the weights."""
    loss, norm = numbers["loss"], numbers["gradient_norm"]
    out_of_range = task.scaler is not None and task.scaler.get_scale() > SMALLEST_SCALE
    if math.isfinite(loss) and (math.isfinite(norm) or out_of_range):
        return
    what = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient's norm is {norm}"
    raise RunError(
        f"{what} at iteration {iteration}, with the rate {rate:g}; a lower schedule.lr, a longer "
        "schedule.warmup or a bound on the gradient (--clip 1) usually cures it, in a new run; the "
        "checkpoints and the best weights are from before"
    )


def _step(task: Task) -> None:
    """Step once; a gradient beyond the range of float16 is left out, and the scale lowered."""
    if task.scaler is None:
        task.optimizer.step()
    else:
        task.scaler.step(task.optimizer)
        task.scaler.update()


def _to_numbers(terms: Terms) -> dict[str, float]:
    """Bring all terms to the processor in one transfer."""
    values = torch.stack([term.detach().float() for term in terms.values()]).tolist()
    return dict(zip(terms, values, strict=True))
