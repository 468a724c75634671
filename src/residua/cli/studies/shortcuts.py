"""`residua lab shortcuts`: every shortcut of the two papers on one network."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from residua import runtime
from residua.cli.options import parse
from residua.cli.studies.lasting import compare, is_whole
from residua.lab.ground import ground
from residua.lab.shortcuts import shortcuts


@dataclasses.dataclass(frozen=True)
class Options:
    """Train one residual network with every shortcut of the papers: residua lab shortcuts.

    Attributes:
        data: digits, mnist, cifar10, or a folder of pictures in classes.
        depth: weighted layers, 6n+2; 110 in the paper.
        budget: time for all trainings together: 1m, 10m, 1h, or full for the whole recipe.
        updates: of each training, in place of a budget.
        seeds: trainings of each setting, with seeds counting up from 0.
        into: the folder of the study; what has ended there is not trained again.
        smoke: cut every training to two small updates.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    data: str = "digits"
    depth: int = 56
    budget: str | None = None
    updates: int | None = None
    seeds: int = 3
    into: Path | None = None
    smoke: bool = False
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Train, and print the table and where the page is."""
    options = parse("lab shortcuts", Options, words)
    runtime.set_threads(options.threads)
    on = ground(options.data, "2016", whole=is_whole("shortcuts", options))
    compare(shortcuts(on, options.depth), options, on)
