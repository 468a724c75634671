"""`residua slim`: a run goes on without the residual functions that its net misses least."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from residua import runs, runtime
from residua.cli.options import parse
from residua.cli.screen import Screen, say, table
from residua.lab.slimming import Slimming, SlimPlan, slim_run


@dataclasses.dataclass(frozen=True)
class Options:
    """Leave out the residual blocks that a net misses least, and train it on: residua slim RUN.

    Blocks are ranked by the error without them on validation pictures, never on the test part. The
    result is a new run.

    Attributes:
        run: the folder of the run, or "last".
        budget: points that the error may rise by before the training that follows.
        share: of the blocks that keep the shape, left out at most.
        rerank: rank those that are left anew after each; slower, and better.
        pictures: to choose with, at most; of the training part where there is no validation part.
        updates: of the training that follows; by default a tenth of the run's.
        lr: its highest rate, which falls along a cosine; by default a tenth of the run's.
        batch: pictures at a time when the time is measured.
        seed: of the pictures to choose with and the training; by default that of the run.
        distill: let the net as it was teach the slimmer one, beside the labels.
        smoke: cut the training to two small updates.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    run: Annotated[str, Positional] = "last"
    budget: float | None = None
    share: float | None = None
    rerank: bool = True
    pictures: int = 2000
    updates: int | None = None
    lr: float | None = None
    batch: int = 1
    seed: int | None = None
    distill: bool = True
    smoke: bool = False
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Rank, leave out, train, and print what became of it and where the page of the new run is."""
    options = parse("slim", Options, words)
    runtime.set_threads(options.threads)
    share = options.share
    if share is None and options.budget is None:
        share = SlimPlan().share
    plan = SlimPlan(
        budget=options.budget,
        share=share,
        rerank=options.rerank,
        pictures=options.pictures,
        updates=options.updates,
        lr=options.lr,
        batch=options.batch,
        seed=options.seed,
        distill=options.distill,
        smoke=options.smoke,
    )
    folder = runs.find(options.run, options.runs)
    with Screen() as screen:
        found = slim_run(folder, plan, root=options.runs, device=options.device, listen=screen)
    _print(found, options.batch)
    say(f"{found.page}\n{found.result.page}")


def _print(found: Slimming, batch: int) -> None:
    slimmed = found.slimmed
    before, after = slimmed.before, slimmed.after
    alone = {cost.name: cost.error for cost in slimmed.first}
    rows = [
        [cost.name, f"{alone[cost.name]:.2f}", f"{cost.error:.2f}"] for cost in slimmed.left_out
    ]
    say(f"\nleft out, in this order, by the error on {found.chosen_with}:")
    table(
        f"{before.error:.2f} % with all blocks",
        [("block", False), ("% without it", True), ("% without those above too", True)],
        rows,
    )
    say("")
    test = "no result" if found.before is None else f"{found.before:.2f}"
    pairs = [
        ("residual blocks", f"{before.blocks}", f"{after.blocks}"),
        ("parameters", f"{before.parameters:,}", f"{after.parameters:,}"),
        ("multiply-adds", f"{before.multiply_adds:,}", f"{after.multiply_adds:,}"),
        (
            f"ms per picture (batch {batch}, float32, measured in turns)",
            f"{before.milliseconds:.2f}",
            f"{after.milliseconds:.2f}",
        ),
        (
            f"test error % ({found.result.test_count:,} images; after training)",
            test,
            f"{found.result.test_error:.2f}",
        ),
    ]
    table("slimmed", [("", False), ("before", True), ("after", True)], pairs)
