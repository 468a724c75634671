"""`residua optimize`: the net of a run in its fastest form."""

import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional

from residua import runs, runtime
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.deploy.engines.candidate import CANDIDATES, Candidate, Kind, Number
from residua.deploy.optimize import Optimized
from residua.deploy.optimize_run import optimize_run
from residua.deploy.task import OptimizePlan
from residua.errors import ConfigError
from residua.report.optimize import Row, accuracies, speeds, speedups, verdict


@dataclasses.dataclass(frozen=True)
class Options:
    """Find the fastest engine for the net of a run on this machine: residua optimize RUN.

    Every engine that is installed is made, compared with the net on the run's validation pictures,
    and timed in turns with the others. The fastest that keeps the budget is written to a folder
    that `residua predict` and `residua serve` take, with a loader that needs no Residua.

    Attributes:
        run: the folder of the run, or "last".
        batch: numbers of pictures at a time that matter; the fastest is chosen over all of them.
        budget: points of error that an engine may cost.
        engines: to try: eager, compiled (torch.compile, up to a minute for each number of pictures
            and precision), onnxruntime, openvino; by default all that are installed.
        precisions: to try: float32, bfloat16, int8; by default all.
        pictures: to compare on, at most: of the validation part, or where the run has none of the
            training part.
        rounds: of the measurement.
        memory: start each engine in a process of its own too, to measure its memory.
        weights: best or last; by default those that the run was tested with.
        into: the folder to write; by default a new one below runs/optimized.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
    """

    run: Annotated[str, Positional] = "last"
    batch: tuple[int, ...] = (1, 32)
    budget: float = 0.5
    engines: tuple[Kind, ...] = ()
    precisions: tuple[Number, ...] = ()
    pictures: int = 2000
    rounds: int = 10
    memory: bool = True
    weights: Literal["best", "last"] | None = None
    into: Path | None = None
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Try all engines, and print a table and where the page is."""
    options = parse("optimize", Options, words)
    runtime.set_threads(options.threads)
    plan = OptimizePlan(
        budget=options.budget,
        batch_sizes=options.batch,
        engines=chosen(options.engines, options.precisions),
        rounds=options.rounds,
        device=options.device,
        alone=options.memory,
    )
    plan.check()
    folder = runs.find(options.run, options.runs)
    into = options.into
    if into is None:
        into = runs.create(options.runs, "optimized", f"{folder.parent.name}_{folder.name}")
    if any(each.kind == "compiled" for each in plan.engines):
        say("torch.compile takes up to a minute for each precision and number of pictures")
    try:
        found, page = optimize_run(
            folder,
            plan,
            into,
            weights=options.weights,
            pictures=options.pictures,
            listen=_tell,
        )
    except BaseException:
        if options.into is None:
            with suppress(OSError):
                into.rmdir()  # if nothing came into it
        raise
    _print(found, plan)
    say(f"{found.folder}\n{page}")


def chosen(kinds: Sequence[Kind], precisions: Sequence[Number]) -> tuple[Candidate, ...]:
    """List the engines that were asked for.

    Raises:
        ConfigError: none computes in these precisions.
    """
    found = tuple(
        each
        for each in CANDIDATES
        if (not kinds or each.kind in kinds) and (not precisions or each.precision in precisions)
    )
    if not found:
        raise ConfigError(
            f"{' and '.join(kinds)} cannot compute in {' or '.join(precisions)} (there are "
            f"{', '.join(each.name for each in CANDIDATES)})"
        )
    return found


def _tell(row: Row) -> None:
    """Say what became of an engine, before it is timed."""
    if row.status in {"failed", "absent", "inaccurate"}:
        say(f"{row.name}: {verdict(row)}")
    else:
        say(f"{row.name}: agrees with the net on {row.agreement:.2f} % of the pictures")


def _print(found: Optimized, plan: OptimizePlan) -> None:
    reference = found.rows[0]
    columns = [("engine", False)]
    for size in plan.batch_sizes:
        columns += [(f"ms, batch {size}", True), ("times", True)]
    columns += [("pictures/s", True), ("memory MB", True)]
    columns += [("agrees %", True), ("error %", True), ("change", True), ("", False)]
    rows = [
        [row.name, *speeds(row, reference, plan.batch_sizes), *accuracies(row), _word(row)]
        for row in found.rows
        if row.milliseconds
    ]
    table(f"\nmedians of {plan.rounds} rounds", columns, rows)
    picked = next(row for row in found.rows if row.status == "picked")
    times = " and ".join(f"{ratio:.1f}" for ratio in speedups(picked, reference))
    say(f"\npicked: {picked.name}, {times} times as fast as the net as it is in PyTorch")


def _word(row: Row) -> str:
    return {"picked": "picked", "inaccurate": "above the budget"}.get(row.status, "")
