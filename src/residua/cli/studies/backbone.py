"""`residua lab backbone`: the same detector on a residual trunk and on VGG-16."""

import dataclasses
import statistics
from collections.abc import Sequence
from pathlib import Path

from residua import runtime
from residua.cli.options import parse
from residua.cli.screen import Screen, say, table
from residua.errors import ConfigError
from residua.lab.backbone import backbones, experiments
from residua.outcome import DetectionResult


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train one detector on two small trunks, on made scenes, and print the difference.

    residua lab backbone

    Attributes:
        seeds: trainings of each, with seeds counting up from 0; their trunks are trained once.
        smoke: cut every training to two small updates.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    seeds: int = 1
    smoke: bool = False
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Train, and print the table and the difference."""
    options = parse("lab backbone", Options, words)
    if options.seeds < 1:
        raise ConfigError(f"a study needs at least one seed, got {options.seeds}")
    runtime.set_threads(options.threads)
    plan = experiments(range(options.seeds))
    if options.smoke:
        plan = {name: [each.smoke() for each in some] for name, some in plan.items()}
    with Screen() as screen:
        found = backbones(plan, root=options.runs, device=options.device, listen=screen)
    rows = [_row(name, result) for name, results in found.items() for result in results]
    columns = [("backbone", False), ("seed", True), ("mAP@.5 %", True), ("seconds", True)]
    table("one detector, two backbones", columns, rows)
    residual, vgg = (statistics.mean(r.test_map for r in results) for results in found.values())
    gain = residual - vgg
    say(f"difference {gain:+.1f} points (n = {options.seeds}); the paper: +3.2 on VOC 2007")
    for results in found.values():
        say("\n".join(str(result.page) for result in results))


def _row(name: str, result: DetectionResult) -> list[str]:
    return [name, str(result.seed), f"{result.test_map:.1f}", f"{result.seconds:.0f}"]
