"""Trains what is missing of a recipe, goes on with what is half done, and leaves the rest alone.

Runs are told apart by their settings without seed, claims and the place of the pictures. What is
trained has the settings of the runs that are there already, so that their numbers may be summed up;
what has other settings is neither counted, nor gone on with, nor touched. What another process is
at work on is left to it.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from residua import execute
from residua.data.views import Views, Whole
from residua.detection_experiment import AnyExperiment
from residua.reproduce import responded
from residua.reproduce.cell import RESPONSE
from residua.reproduce.effort import Effort, placed
from residua.reproduce.evidence import Found, found, resumable
from residua.reproduce.later import look_again
from residua.reproduce.same import configuration
from residua.train.parallel import World


@dataclasses.dataclass(frozen=True)
class Step:
    """A training to begin, or to go on with.

    Attributes:
        seed: of the training.
        folder: of the run that stopped; None to begin one.
    """

    seed: int
    folder: Path | None


def complete(
    recipe: AnyExperiment,
    effort: Effort,
    world: World,
    *,
    looks: Iterable[tuple[str, Views]] = (),
    pictures: tuple[int, int] | None = None,
) -> list[Path]:
    """Train and test a recipe until there are as many finished runs as are wanted.

    Args:
        recipe: what to do.
        effort: how often, how long and where.
        world: the processes that share the work.
        looks: metrics and protocols that its runs shall be tested under.
        pictures: learned from and tested on, where the data set does not say.

    Returns:
        Runs that would count, and that another process is at work on.
    """
    there = found(recipe, effort.roots, pictures) if world.leads else []
    target = world.told(target_of(recipe, effort, there) if world.leads else recipe)
    steps = world.told(steps_to(target, effort, there) if world.leads else [])
    left = world.told(_others(target, effort, there) if world.leads else [])
    for step in steps:
        _carry_out(step, target, effort)
    for folder, views in world.told(_unlooked(recipe, target, effort, looks, world)):
        if views is None:
            responded.look(folder, world)
        else:
            look_again(folder, views, world)
    return left


def target_of(recipe: AnyExperiment, effort: Effort, there: Sequence[Found]) -> AnyExperiment:
    """Return what is trained: as the runs that are there, where they are as in the recipe.

    Of several configurations it is the one with most finished runs, then with most at all. A budget
    is for what has not as many whole runs as are wanted.
    """
    wanted = effort.wanted(recipe)
    groups: dict[str, list[Found]] = {}
    for run in there:
        if not run.differences and (run.finished or run.busy or _ours(run, effort)):
            groups.setdefault(run.configuration, []).append(run)
    if not groups:
        return wanted
    most = max(groups.values(), key=lambda runs: (sum(r.finished for r in runs), len(runs)))
    seeds = {run.seed for run in most if run.finished}
    if wanted.schedule.until != recipe.schedule.until and len(seeds) < effort.seeds:
        return wanted
    data: Any = recipe.data
    settings = dataclasses.replace(most[0].experiment, claims=recipe.claims, data=data)
    return placed(settings, effort.data)


def steps_to(target: AnyExperiment, effort: Effort, there: Sequence[Found]) -> list[Step]:
    """List what is to be trained: what is half done first, then the smallest new seeds."""
    alike = [run for run in there if run.configuration == configuration(target)]
    finished = {run.seed for run in alike if run.finished}
    taken = {run.seed for run in alike if run.busy} - finished
    half: dict[int, Found] = {}
    for run in alike:
        if run.seed not in finished | taken and _ours(run, effort):
            best = half.setdefault(run.seed, run)
            half[run.seed] = max(best, run, key=lambda each: each.record.iteration)
    steps = [Step(seed, half[seed].folder) for seed in sorted(half)]
    known = finished | taken | {*half}
    steps += [Step(seed, None) for seed in range(effort.seeds + len(known)) if seed not in known]
    return steps[: max(0, effort.seeds - len(finished | taken))]


def _others(target: AnyExperiment, effort: Effort, there: Sequence[Found]) -> list[Path]:
    """List what others are at work on, where there are not as many finished runs as are wanted."""
    alike = [run for run in there if run.configuration == configuration(target)]
    enough = len({run.seed for run in alike if run.finished}) >= effort.seeds
    return [] if enough else [run.folder for run in alike if run.busy]


def _ours(run: Found, effort: Effort) -> bool:
    """Tell whether a run can be gone on with: it has a checkpoint, and is no kept record."""
    return resumable(run) and effort.runs in run.folder.parents


def _carry_out(step: Step, target: AnyExperiment, effort: Effort) -> None:
    device, listen, page = effort.device, effort.listen, effort.page
    if step.folder is not None:
        execute.resume(step.folder, device=device, listen=listen, page=page)
        return
    experiment = dataclasses.replace(target, seed=step.seed)
    execute.run(experiment, root=effort.runs, device=device, listen=listen, page=page)


def _unlooked(
    recipe: AnyExperiment,
    target: AnyExperiment,
    effort: Effort,
    looks: Iterable[tuple[str, Views]],
    world: World,
) -> list[tuple[Path, Views | None]]:
    """List which runs have not been tested under which protocols, each once.

    None stands for a look at their responses.
    """
    if not world.leads:
        return []
    listed = [
        run
        for run in found(recipe, [effort.runs])
        if run.finished and run.configuration == configuration(target)
    ]
    todo: dict[tuple[Path, Views | None], None] = {}
    for metric, views in looks:
        for run in listed:
            later = metric == RESPONSE or views != Whole()
            if later and run.number(metric, views) is None:
                todo[run.folder, None if metric == RESPONSE else views] = None
    return list(todo)
