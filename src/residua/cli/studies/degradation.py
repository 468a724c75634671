"""`residua lab degradation`: plain, residual and other networks of several depths."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from residua import runtime
from residua.cli.options import parse
from residua.cli.screen import Screen, say
from residua.cli.studies.lasting import begin, going_on, is_whole, manner, show, smoke
from residua.errors import ConfigError
from residua.experiment import Experiment
from residua.lab.degradation import (
    FAMILIES,
    POST_DEPTHS,
    SHALLOW,
    USUAL,
    Family,
    as_published,
    degradation,
    experiments,
)
from residua.lab.ground import Ground, Length, ground


@dataclasses.dataclass(frozen=True)
class Options:
    """Train plain and residual networks of several depths and draw them: residua lab degradation.

    Attributes:
        data: digits, mnist, cifar10, or a folder of pictures in classes.
        depths: weighted layers, each 6n+2; by default 20, 56 and 110 on digits, else 20 and 56.
        families: of plain, resnet, preresnet (pre-activation) and highway.
        budget: time for all trainings together: 1m, 10m, 1h, or full for the whole recipe.
        updates: of each training, in place of a budget.
        seeds: trainings of each network, with seeds counting up from 0.
        into: the folder of the study; what has ended there is not trained again.
        smoke: cut every training to two small updates.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    data: str = "digits"
    depths: tuple[int, ...] = ()
    families: tuple[Family, ...] = FAMILIES
    budget: str | None = None
    updates: int | None = None
    seeds: int = 1
    into: Path | None = None
    smoke: bool = False
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Train, and print the table and where the page is."""
    options = parse("lab degradation", Options, words)
    if options.seeds < 1 or not options.families:
        raise ConfigError("a study needs at least one seed, one depth and one family")
    runtime.set_threads(options.threads)
    whole = is_whole("degradation", options)
    on = ground(options.data, whole=whole)
    usual = USUAL if options.data == "digits" else None
    plan = _plan(options, on, USUAL, whole=whole)
    folder, found = begin("degradation", options, on, plan, usual)
    plan = _plan(options, on, found, whole=whole)
    plan = smoke(plan) if options.smoke else plan
    with Screen() as screen, going_on(folder):
        _, results = degradation(plan, into=folder, manner=manner(options, screen), length=found)
    named = [(f"{r.folder.parent.name} {r.folder.name}", r) for r in results]
    show("networks of several depths", named)
    say(str(folder / "report.html"))


def _plan(options: Options, on: Ground, length: Length, *, whole: bool) -> list[Experiment]:
    """List the trainings; those of a whole recipe are as long as that."""
    seeds = range(options.seeds)
    if whole:
        depths = options.depths or (POST_DEPTHS if options.data == "mnist" else SHALLOW)
        return as_published(depths, seeds, data=options.data, families=options.families)
    depths = options.depths or ((20, 56, 110) if options.data == "digits" else SHALLOW)
    return experiments(depths, seeds, on=on, families=options.families, updates=length.updates)
