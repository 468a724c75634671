"""A run goes on without the residual functions that its net misses least.

Sources:
    [V] Veit et al., Residual Networks Behave Like Ensembles of Relatively Shallow Networks,
        arXiv:1605.06431, section 4.1.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from residua import events, execute, outcome, runs, runtime
from residua.data.loading import Pictures
from residua.errors import ConfigError
from residua.evaluate import scores
from residua.nets.slimmed import SlimmedConfig, slimmer
from residua.recipes.continued import continued, save_start, settings_of
from residua.report.slimming import Side, SlimmingRecord, write_slimming
from residua.surgery.slim import Slimmed, Standing, candidates, check, slim


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlimPlan:
    """How a run is slimmed.

    Attributes:
        budget: points that the error on the pictures that are chosen with may rise by, before the
            training that follows.
        share: of the residual functions, left out at most; in (0, 1].
        rerank: rank those that are left anew after each.
        pictures: to choose with, at most: of the validation part, or where the run has none of the
            training part.
        updates: of the training that follows; by default a tenth of the run's.
        lr: its highest rate; by default a tenth of the run's.
        batch: pictures at a time when the time is measured.
        seed: of the pictures and of the training; by default that of the run.
        distill: let the run's net teach the slimmer one beside the labels.
        smoke: cut the training to two small updates.
    """

    budget: float | None = None
    share: float | None = 0.2
    rerank: bool = True
    pictures: int = 2000
    updates: int | None = None
    lr: float | None = None
    batch: int = 1
    seed: int | None = None
    distill: bool = True
    smoke: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slimming:
    """What came of it.

    Attributes:
        net: settings of the slimmer net.
        slimmed: what was left out, and both nets before the training that followed; the errors are
            of the pictures that were chosen with, the times in float32.
        chosen_with: these pictures, in words.
        before: test error of the run, in percent; None if it has no result.
        result: of the training that followed.
        page: about all of it.
    """

    net: SlimmedConfig
    slimmed: Slimmed
    chosen_with: str
    before: float | None
    result: outcome.Result
    page: Path


def slim_run(
    folder: Path,
    plan: SlimPlan,
    *,
    root: Path = Path("runs"),
    device: str = "auto",
    listen: events.Listener | None = None,
) -> Slimming:
    """Slim the net of a run, and train it on in a new run.

    Args:
        folder: of the run.
        plan: what to do.
        root: the folder of all runs.
        device: where to measure and train.
        listen: called with every event of the training.

    Raises:
        ConfigError: the net has nothing that can be left out, or the plan has no sense.
    """
    trained = runs.load(folder)
    old, seed = settings_of(trained), trained.experiment.seed if plan.seed is None else plan.seed
    names = candidates(trained.net)
    most = count(plan, len(names))
    images, words = pictures_to_choose_with(trained, plan.pictures, seed)
    place = runtime.pick_device(device)
    net = trained.net.to(place).to(memory_format=torch.channels_last)
    slimmed = slim(
        net,
        error_on(trained, images, place),
        budget=plan.budget,
        most=most,
        rerank=plan.rerank,
        input_shape=trained.shape,
        batch=plan.batch,
    )
    if not slimmed.left_out:
        best = slimmed.first[0]
        raise ConfigError(
            f"the budget of {plan.budget:g} points allows nothing to be left out: the cheapest "
            f"block, {best.name}, takes the error from {slimmed.before.error:.2f} to "
            f"{best.error:.2f} % on {words}"
        )
    config = slimmer(old, slimmed.names)
    start = runs.create(root, "surgery", f"{trained.experiment.name}_slimmed")
    save_start(slimmed.net, config, trained, start / "start.safetensors")
    experiment = continued(
        trained, "slimmed", config, start / "start.safetensors", updates=plan.updates, lr=plan.lr
    )
    experiment = dataclasses.replace(experiment, seed=seed)
    if plan.distill:
        teacher = start / "teacher.safetensors"
        save_start(trained.net, old, trained, teacher)
        loss = dataclasses.replace(experiment.loss, teacher=str(teacher))
        experiment = dataclasses.replace(experiment, loss=loss)
    experiment = experiment.smoke() if plan.smoke else experiment
    known = outcome.recorded(folder)
    found = Slimming(
        net=config,
        slimmed=slimmed,
        chosen_with=words,
        before=known.test_error if isinstance(known, outcome.Result) else None,
        result=execute.run(experiment, root=root, device=device, listen=listen),
        page=start / "report.html",
    )
    write_slimming(
        start,
        _record(found, str(folder), names, plan.batch),
        environment=runtime.environment(place, torch.float32),
        command=runtime.command_line(),
    )
    return found


def count(plan: SlimPlan, known: int) -> int | None:
    """Say how many of the functions that can be left out a plan leaves out at most.

    Raises:
        ConfigError: the share or the budget has no sense, or neither is given.
    """
    if plan.share is not None and not 0 < plan.share <= 1:
        raise ConfigError(f"share is of all residual functions, in (0, 1], got {plan.share:g}")
    most = None if plan.share is None else min(known, max(1, round(plan.share * known)))
    check(plan.budget, most, known)
    return most


def pictures_to_choose_with(trained: runs.TrainedNet, most: int, seed: int) -> tuple[Pictures, str]:
    """Take pictures that the net is not tested on, and say which they are.

    Raises:
        ConfigError: fewer than one is wanted.
    """
    if most < 1:
        raise ConfigError(f"at least 1 picture is needed to choose with, got {most}")
    splits = trained.experiment.load_data()
    part, words = splits.validation, "validation pictures"
    if part is None:
        part, words = splits.train, "training pictures (the run has none to choose with)"
    if len(part) > most:
        order = torch.randperm(len(part), generator=runtime.generator(seed, "choose blocks"))
        part = part.select(order[:most].sort().values)
    return part, f"{len(part):,} {words}"


def error_on(
    trained: runs.TrainedNet, images: Pictures, device: torch.device
) -> Callable[[nn.Module], float]:
    """Return what measures the error of a net like that of a run, in percent."""
    dtype = runtime.pick_dtype(trained.experiment.precision, device)
    here, normalize = images.to(device), trained.normalize.to(device)

    def measure(net: nn.Module) -> float:
        return scores(net, here, normalize, dtype=dtype).top1_error

    return measure


def _record(found: Slimming, run: str, names: Sequence[str], batch: int) -> SlimmingRecord:
    slimmed = found.slimmed
    alone = {cost.name: cost.error for cost in slimmed.first}
    return SlimmingRecord(
        title=f"{run} without {len(slimmed.left_out)} of its residual functions",
        chosen_with=found.chosen_with,
        whole=slimmed.before.error,
        alone={name: alone[name] for name in names},
        left_out={cost.name: cost.error for cost in slimmed.left_out},
        before=_side(slimmed.before, found.before),
        after=_side(slimmed.after, found.result.test_error),
        batch=batch,
        test_count=found.result.test_count,
        run=str(found.result.folder),
    )


def _side(standing: Standing, test_error: float | None) -> Side:
    assert standing.multiply_adds is not None
    assert standing.milliseconds is not None
    return Side(
        test_error=test_error,
        blocks=standing.blocks,
        parameters=standing.parameters,
        multiply_adds=standing.multiply_adds,
        milliseconds=standing.milliseconds,
    )
