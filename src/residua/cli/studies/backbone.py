"""`residua lab backbone`: the same detector on a residual trunk and on VGG-16."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from residua import runtime
from residua.cli.options import parse
from residua.cli.screen import Screen, say, table
from residua.cli.studies.lasting import SMOKE, going_on, manner
from residua.lab.backbone import backbones, experiments
from residua.lab.ground import Length
from residua.lab.sweep import Study, agreed, known, opened, record
from residua.outcome import DetectionResult
from residua.report.backbone import finding, gain

NAME, DATA = "backbone", "scenes"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train one detector on two small trunks, on made scenes, and print the difference.

    residua lab backbone

    Attributes:
        seeds: trainings of each, with seeds counting up from 0; their trunks are trained once.
        into: the folder of the study; what has ended there is not trained again.
        smoke: cut every training to two small updates.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    seeds: int = 1
    into: Path | None = None
    smoke: bool = False
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Train, and print the table, the difference and where the page is."""
    options = parse("lab backbone", Options, words)
    plan = experiments(options.seeds)
    runtime.set_threads(options.threads)
    plan = [each.smoke() for each in plan] if options.smoke else plan
    folder = _folder(options, plan[0].schedule.until)
    with Screen() as screen, going_on(folder):
        found = backbones(plan, into=folder, manner=manner(options.device, screen))
    rows = [_row(name, result) for name, results in found.items() for result in results]
    columns = [("backbone", False), ("seed", True), ("mAP@.5 %", True), ("seconds", True)]
    table("one detector, two backbones", columns, rows)
    gained = gain(*({each.seed: each.test_map for each in some} for some in found.values()))
    say(f"{finding(gained)}; in the paper +3.2 on VOC 2007")
    say(str(folder / "report.html"))


def _folder(options: Options, updates: int) -> Path:
    """Find the folder of the study, and record what it is."""
    length = SMOKE if options.smoke else Length(updates=updates, why="as long as the recipe")
    there = known(options.into, NAME)
    agreed(options.into, there, data=DATA, budget=None, updates=length.updates)
    folder = opened(options.into, options.runs, NAME)
    if there is None:
        record(folder, Study(study=NAME, data=DATA, budget=None, length=length))
    return folder


def _row(name: str, result: DetectionResult) -> list[str]:
    return [name, str(result.seed), f"{result.test_map:.1f}", f"{result.seconds:.0f}"]
