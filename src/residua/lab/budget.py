"""From the time that a study may take to the number of updates of each of its trainings.

All trainings of a study are equally long, counted in updates, so the time is shared by what an
update of each net takes. That is predicted by the planner, from a few steps of each net, and
differs a little from one time to the next: the number is rounded, printed and recorded, and
`--updates` asks for it where the same study is wanted again.
"""

import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from residua import runtime
from residua.data.loading import Splits
from residua.errors import ConfigError
from residua.experiment import Experiment
from residua.lab.ground import Ground, Length
from residua.train.profile import Profile, profile

UNITS = {"s": 1, "m": 60, "h": 3600}
FULL = "full"
# With fewer there is nothing to see.
FEWEST = 10
# Of each training, besides its updates and its looks at pictures: files, layers, weights, the page.
SECONDS_EACH = 1.5
# Of the pictures: for the training, and where its net is looked into after it.
LOADS = 3
# Steps of small nets are short, and easily disturbed: they are tried again.
TRIES, TRY_SECONDS = 4, 3.0


@dataclass(frozen=True)
class Cost:
    """What one training takes, in seconds: of an update, and of all that comes once."""

    update: float
    once: float


def parse_budget(text: str) -> float | None:
    """Read a time such as 90s, 10m or 1h as seconds; "full" is None: the whole recipe.

    Raises:
        ConfigError: it is no time above zero.
    """
    if text == FULL:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip().lower())
    if found is None or float(found[1]) <= 0:
        raise ConfigError(
            f"budget must be a time above zero such as 1m, 10m or 1h, or full, got {text!r}"
        )
    return float(found[1]) * UNITS[found[2]]


def length(
    ground: Ground,
    plan: Sequence[Experiment],
    *,
    budget: str | None,
    updates: int | None,
    usual: Length,
    costs: Callable[[Sequence[Experiment]], Sequence[Cost]],
) -> Length:
    """Say how long every training of a study is.

    Args:
        ground: whose recipe is the longest.
        plan: all trainings.
        budget: as `parse_budget` reads it; None leaves what is usual.
        updates: of each training, which leaves no question.
        usual: where neither is given.
        costs: from trainings to what each takes.

    Raises:
        ConfigError: both are given, they make no sense, or the time is too short for the study.
    """
    if updates is not None:
        if budget is not None:
            raise ConfigError("--budget and --updates both say how long to train: give one of them")
        if updates < 2:
            raise ConfigError(f"updates must be at least 2, got {updates}")
        return Length(updates=updates, why=f"{updates:,} updates each, as was asked for")
    if budget is None:
        return usual
    seconds = parse_budget(budget)
    if seconds is None:
        return Length(updates=ground.whole, why=f"the whole recipe: {ground.recipe}")
    return _within(ground, costs(plan), seconds, budget)


def _within(ground: Ground, costs: Sequence[Cost], seconds: float, budget: str) -> Length:
    """Divide a time over trainings of equally many updates."""
    each, once = sum(cost.update for cost in costs), sum(cost.once for cost in costs)
    exact = max(0.0, seconds - once) / each
    if exact < FEWEST:
        needed = once + FEWEST * each
        raise ConfigError(
            f"a budget of {budget} is too short for {len(costs)} trainings: {FEWEST} updates of "
            f"each are predicted to take {math.ceil(needed)} s (fewer seeds or shallower nets take "
            "less; --updates says how many updates to make, however long that takes)"
        )
    found = min(rounded(exact), ground.whole)
    predicted = once + found * each
    why = (
        f"a budget of {budget} for all {len(costs)} trainings together: {found:,} updates each, "
        f"predicted to take {predicted:.0f} s here; --updates {found} repeats it anywhere"
    )
    if found == ground.whole:
        why += f" (more is not made than the whole recipe: {ground.recipe})"
    return Length(updates=found, why=why, predicted=predicted)


def rounded(updates: float) -> int:
    """Round down to two digits, so that a budget seldom means another number the next time."""
    whole = int(updates)
    step = 10 ** max(0, len(str(whole)) - 2)
    return whole // step * step


def measured(device: str) -> Callable[[Sequence[Experiment]], list[Cost]]:
    """Return what measures the costs of trainings on a device, equal nets once."""

    def costs(plan: Sequence[Experiment]) -> list[Cost]:
        began = time.perf_counter()
        splits = plan[0].load_data()
        loading = time.perf_counter() - began
        target = runtime.pick_device(device)
        known: dict[str, Cost] = {}
        for experiment in plan:
            if experiment.name not in known:
                known[experiment.name] = _cost(experiment, splits, target, loading)
        return [known[experiment.name] for experiment in plan]

    return costs


def _cost(experiment: Experiment, splits: Splits, device: torch.device, loading: float) -> Cost:
    """Predict a training from a few steps of its net: updates, looks, and the test at its end."""
    batch, net = experiment.batch_size, experiment.build_net()
    runtime.hold_freed_memory()
    tried: list[Profile] = []
    began = time.perf_counter()
    while not tried or (len(tried) < TRIES and time.perf_counter() - began < TRY_SECONDS):
        tried.append(
            profile(
                net,
                splits.train.shape,
                batch=batch,
                device=device,
                dtype=runtime.pick_dtype(experiment.precision, device),
                make_optimizer=experiment.optimizer.build,
            )
        )
    runtime.return_freed_memory()
    # Whatever else the machine does can only add to a time.
    found = min(tried, key=lambda each: each.seconds(batch))
    look = sum(unit.forward for unit in found.units(1))
    looked_at = 0 if splits.validation is None else len(splits.validation)
    per_update = look * looked_at * batch / len(splits.train)
    return Cost(
        update=found.seconds(batch) + per_update,
        once=look * len(splits.test) + LOADS * loading + SECONDS_EACH,
    )
