"""`residua verify-resume`: does a training that was stopped end as one that was not?"""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

from residua import interruption, runtime
from residua.cli.options import parse_with_experiment
from residua.cli.screen import say
from residua.cli.train import named
from residua.errors import RunError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train a recipe twice, straight and with two stops, and compare bit for bit.

    residua verify-resume [RECIPE | FOLDER OF PICTURES | CONFIG.yaml | module:function] [options]

    Attributes:
        updates: of each training; the schedule is scaled to it.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
    """

    updates: int = 60
    threads: int | None = None
    device: str = "auto"


def main(words: Sequence[str]) -> None:
    """Compare, and say what differs.

    Raises:
        RunError: something differs.
    """
    experiment, others = named(words)
    options, experiment = parse_with_experiment("verify-resume", Options, experiment, others)
    runtime.set_threads(options.threads)
    shortened = experiment.lasting(options.updates)
    with tempfile.TemporaryDirectory(prefix="residua-") as root:
        found = interruption.compare(shortened, root=Path(root), device=options.device)
    stops = " and ".join(f"after {iteration} by {how}" for iteration, how in found.stopped)
    if found.differences:
        raise RunError(
            f"stopped {stops}, {experiment.name} differs: {'; '.join(found.differences)}"
        )
    say(
        f"{experiment.name}: {found.updates} updates straight, and stopped {stops}, "
        "end in equal bits: weights, all of the state, results.csv and test errors"
    )
