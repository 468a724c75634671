"""`residua lab degradation`: plain, residual and other networks of several depths."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated

from tyro.conf import arg

from residua import runtime
from residua.cli.options import parse
from residua.cli.screen import Screen, say
from residua.cli.studies.lasting import Trainings, begin, going_on, is_whole, manner, show, smoke
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train plain and residual networks of several depths and draw them: residua lab degradation.

    Attributes:
        trainings: on what, how long, how often, and where.
        depths: weighted layers, each 6n+2; by default 20, 56 and 110 on digits, else 20 and 56.
        families: of plain, resnet, preresnet (pre-activation) and highway.
    """

    trainings: Annotated[Trainings, arg(name="")] = dataclasses.field(
        default_factory=lambda: Trainings(seeds=1)
    )
    depths: tuple[int, ...] = ()
    families: tuple[Family, ...] = FAMILIES


def main(words: Sequence[str]) -> None:
    """Train, and print the table and where the page is."""
    options = parse("lab degradation", Options, words)
    if options.trainings.seeds < 1 or not options.families:
        raise ConfigError("a study needs at least one seed, one depth and one family")
    runtime.set_threads(options.trainings.threads)
    whole = is_whole("degradation", options.trainings)
    on = ground(options.trainings.data, whole=whole)
    usual = USUAL if options.trainings.data == "digits" else None
    plan = _plan(options, on, USUAL, whole=whole)
    folder, found = begin("degradation", options.trainings, on, plan, usual)
    plan = _plan(options, on, found, whole=whole)
    plan = smoke(plan) if options.trainings.smoke else plan
    with Screen() as screen, going_on(folder):
        _, results = degradation(
            plan, into=folder, manner=manner(options.trainings.device, screen), length=found
        )
    named = [(f"{r.folder.parent.name} {r.folder.name}", r) for r in results]
    show("networks of several depths", named)
    say(str(folder / "report.html"))


def _plan(options: Options, on: Ground, length: Length, *, whole: bool) -> list[Experiment]:
    """List the trainings; those of a whole recipe are as long as that."""
    seeds = range(options.trainings.seeds)
    if whole:
        depths = options.depths or (POST_DEPTHS if options.trainings.data == "mnist" else SHALLOW)
        return as_published(depths, seeds, data=options.trainings.data, families=options.families)
    depths = options.depths or ((20, 56, 110) if options.trainings.data == "digits" else SHALLOW)
    return experiments(depths, seeds, on=on, families=options.families, updates=length.updates)
