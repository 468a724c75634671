"""`residua compare`: what differs between runs, in their settings and then in their numbers."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from residua import runs
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.comparison import Comparison, compare, write_comparison
from residua.comparison.page import chance, told
from residua.comparison.settings import Setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Compare runs: residua compare RUN RUN [...].

    Prints which settings differ, what the runs came to, and how surely the numbers differ; runs
    that differ in their seed alone are one group. `residua report` writes the same page in silence.

    Attributes:
        run: folders of two runs or more, or "last"; others are compared with the first one's group.
        runs: the folder of all runs.
    """

    run: Annotated[tuple[str, ...], Positional] = ()
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Compare, print the tables, and say where the page is.

    Raises:
        CheckpointError: there is no such run, or it has not come to its end.
        ConfigError: there are fewer than two, or classifiers and detectors among them.
    """
    options = parse("compare", Options, words)
    comparison = compare([runs.find(word, options.runs) for word in options.run])
    _print(comparison)
    say(f"\n{write_comparison(options.runs, comparison)}")


def _print(comparison: Comparison) -> None:
    for group in comparison.groups:
        several = f"s {', '.join(map(str, group.seeds))}: mean ± standard deviation"
        one = f" {group.seeds[0]}"
        n = len(group.runs)
        say(f"{group.name}: n = {n} (seed{several if n > 1 else one})")
    letters = [group.letter for group in comparison.groups]
    say("")
    if comparison.settings:
        _differing("settings that differ", comparison.settings, letters)
    else:
        say("no setting differs but the seed")
    if comparison.making:
        say("")
        _differing("made with", comparison.making, letters)
    say("")
    table(
        "",
        [("numbers", False), *((letter, True) for letter in letters), ("protocol", False)],
        [[number.name, *number.cells, number.protocol] for number in comparison.numbers],
    )
    if comparison.differences:
        say("")
        _differences(comparison)
    say(f"\n{comparison.finding}")
    for caveat in comparison.caveats:
        say(f"mind: {caveat.sentence}")


def _differing(title: str, rows: Iterable[Setting], letters: Sequence[str]) -> None:
    columns = [(title, False), *((letter, False) for letter in letters)]
    table("", columns, [[row.name, *row.values] for row in rows])


def _differences(comparison: Comparison) -> None:
    number = comparison.numbers[0]
    columns = [(f"{number.name} minus that of {comparison.groups[0].letter}", False), ("n", False)]
    columns += [("points", True), ("95 % interval", True), ("p", True)]
    corrects = ["p (Holm)"] if comparison.tests > 1 else []
    rows = []
    for each in comparison.differences:
        difference, interval, p, test = told(each.contrast)
        n = f"{each.contrast.n[1]} against {each.contrast.n[0]}"
        corrected = [chance(each.corrected) for _ in corrects]
        rows.append([each.other.letter, n, difference, interval, p, *corrected, test])
    table("", [*columns, *((name, True) for name in corrects), ("test", False)], rows)
