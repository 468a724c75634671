"""`residua deepen`: a run goes on with a deeper net that starts as the function it has learned."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from residua import runs, runtime
from residua.cli.options import parse
from residua.cli.screen import Screen, say, table
from residua.lab.deepening import Deepening, DeepenPlan, deepen_run
from residua.nets.deepened import DeepenedConfig


@dataclasses.dataclass(frozen=True)
class Options:
    """Make the net of a run deeper and train it on: residua deepen RUN [--blocks 2].

    The new blocks start as the identity, so the deeper net starts as the function that was learned.
    The result is a new run.

    Attributes:
        run: the folder of the run, or "last".
        blocks: new blocks at the end of each stage: one number, or one for each stage.
        after: names of blocks that each get one behind them, in place of --blocks.
        updates: of the training that follows; by default half of the run's.
        lr: its highest rate, which falls along a cosine; by default half of the run's.
        seed: of the new weights and the training; by default that of the run.
        smoke: cut the training to two small updates.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    run: Annotated[str, Positional] = "last"
    blocks: tuple[int, ...] = (1,)
    after: tuple[str, ...] = ()
    updates: int | None = None
    lr: float | None = None
    seed: int | None = None
    smoke: bool = False
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Deepen, train, and print what became of it and where the page of the new run is."""
    options = parse("deepen", Options, words)
    runtime.set_threads(options.threads)
    plan = DeepenPlan(
        blocks=options.blocks,
        after=options.after,
        updates=options.updates,
        lr=options.lr,
        seed=options.seed,
        smoke=options.smoke,
    )
    folder = runs.find(options.run, options.runs)
    with Screen() as screen:
        found = deepen_run(folder, plan, root=options.runs, device=options.device, listen=screen)
    _print(found)
    say(str(found.result.page))


def _print(found: Deepening) -> None:
    before = "no result" if found.before is None else f"{found.before:.2f}"
    rows = [
        ["weighted layers", *map(str, found.depths)],
        ["parameters", *(f"{count:,}" for count in found.parameters)],
        ["test error %", before, f"{found.result.test_error:.2f}"],
    ]
    table(
        f"deepened ({found.result.test_count:,} test images)",
        [("", False), ("before", True), ("after", True)],
        rows,
    )
    net = found.net
    what = f"one of the family {net.kind}"
    if isinstance(net, DeepenedConfig):
        what = f"none of the family {net.net.kind}: its settings name the blocks that were added"
    elif hasattr(net, "depth"):
        what += f", of depth {net.depth}"
    say(
        f"the net is {what}\n"
        f"at insertion the outputs changed by at most {found.change:.1e}; after training, test "
        f"error {before} to {found.result.test_error:.2f} %"
    )
