"""`residua lab identity`: plain and residual blocks fit the identity, and functions close to it."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from residua import runs, runtime
from residua.cli.options import parse
from residua.cli.screen import Counter, say, table
from residua.lab.identity import IdentityConfig, fit_identity, page, quick
from residua.report.identity import KINDS, IdentityStudy, count, finding, number, sentences


@dataclasses.dataclass(frozen=True)
class Options:
    """Let plain and residual blocks fit near-identity functions: residua lab identity.

    Attributes:
        layers: weighted layers of the blocks.
        width: of every layer.
        small: size of the map that is added to the identity, against an input of size 1.
        iterations: updates of each block.
        rates: learning rates; of each block the best one counts.
        seeds: trainings of each block, with seeds counting up from 0.
        smoke: two updates of few blocks.
        threads: of the processor; by default all cores.
        runs: the folder of all runs.
    """

    layers: tuple[int, ...] = IdentityConfig.layers
    width: int = IdentityConfig.width
    small: float = IdentityConfig.small
    iterations: int = IdentityConfig.iterations
    rates: tuple[float, ...] = IdentityConfig.rates
    seeds: int = IdentityConfig.seeds
    smoke: bool = False
    threads: int | None = None
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Train, and print the table and where the page is."""
    options = parse("lab identity", Options, words)
    runtime.set_threads(options.threads)
    config = IdentityConfig(
        layers=tuple(sorted(set(options.layers))),
        width=options.width,
        small=options.small,
        iterations=options.iterations,
        rates=options.rates,
        seeds=options.seeds,
    )
    config = quick(config) if options.smoke else config
    config.check()
    with Counter(len(KINDS) * len(config.layers)) as counter:
        study = fit_identity(config, progress=lambda _done, _total: counter.advance(1))
    _print(study)
    folder = runs.create(options.runs, "lab", "identity")
    say(str(page(folder, study)))


def _print(study: IdentityStudy) -> None:
    rows = [
        [fit.target, str(fit.layers), fit.kind, number(fit.end), count(fit.reaches(study.level))]
        for fit in sorted(study.fits, key=lambda fit: (fit.target, fit.layers, fit.kind))
    ]
    columns = [("target", False), ("layers", True), ("block", False), ("loss", True)]
    columns.append((f"updates to {number(study.level)}", True))
    table(f"medians of n = {study.seeds} seeds", columns, rows)
    say(finding(study))
    for sentence in sentences(study):
        say(sentence)
