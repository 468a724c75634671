"""`residua doctor`: what is wrong with this machine, or with a folder of pictures."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from residua import machine
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.data.doctor import Examination, examine
from residua.data.recognise import Layout
from residua.errors import DataError, RunError

SHOWN_CLASSES = 40


@dataclasses.dataclass(frozen=True)
class Options:
    """Say what is wrong with this machine, and with a folder of pictures: residua doctor [FOLDER].

    Attributes:
        folder: of pictures; without it the machine alone is looked at.
        runs: the folder of all runs.
    """

    folder: Annotated[Path | None, Positional] = None
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Print what was found; something serious ends in an error.

    Raises:
        RunError: trainings cannot work on this machine.
        DataError: the folder should not be trained on as it is.
    """
    options = parse("doctor", Options, words)
    found = machine.check(options.runs)
    rows = [[name, value] for name, value in found.facts.items()]
    table("this machine", [("", False), ("", False)], rows)
    for sentence in found.remarks:
        say(f"- {sentence}")
    examined = None if options.folder is None else examine(options.folder)
    if examined is not None:
        _print(examined)
    if found.faults:
        raise RunError("; ".join(found.faults))
    serious = [f.sentence for f in examined.findings if f.serious] if examined else []
    if serious:
        raise DataError("; ".join(serious))
    say("nothing serious was found")


def _print(examined: Examination) -> None:
    if examined.layout is not None:
        say("")
        _print_counts(examined.layout)
    for finding in examined.findings:
        if not finding.serious:
            say(f"- {finding.sentence}")


def _print_counts(layout: Layout) -> None:
    """Print how many pictures every class has in every part."""
    parts = list(layout.parts)
    counts = [Counter(layout.parts[part].labels) for part in parts]
    rows = [
        [name, *(f"{count[label]:,}" for count in counts)]
        for label, name in enumerate(layout.classes[:SHOWN_CLASSES])
    ]
    if len(layout.classes) > SHOWN_CLASSES:
        rows.append([f"and {len(layout.classes) - SHOWN_CLASSES} more", *("" for _ in parts)])
    rows.append(["all", *(f"{count.total():,}" for count in counts)])
    headings = ["pictures" if part == "all" else part for part in parts]
    columns = [("class", False), *((heading, True) for heading in headings)]
    say(f"{layout.root}: {layout.kind}")
    table("pictures", columns, rows)
