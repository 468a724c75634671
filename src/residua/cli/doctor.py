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
from residua.data.doctor import Finding, examine
from residua.data.object_doctor import examine_objects
from residua.data.recognise import Layout
from residua.data.recognise_objects import (
    class_counts,
    object_sentences,
    parts_of,
    recognise_objects,
)
from residua.data.survey import Surveyed
from residua.errors import DataError, RunError

SHOWN_CLASSES = 40


@dataclasses.dataclass(frozen=True)
class Options:
    """Say what is wrong with this machine, and with a set of pictures: residua doctor [FOLDER].

    Attributes:
        folder: of pictures in class folders, a VOC tree, or a COCO folder or file; without it the
            machine alone is looked at.
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
    findings = list[Finding]() if options.folder is None else _examined(options.folder)
    if found.faults:
        raise RunError("; ".join(found.faults))
    serious = [finding.sentence for finding in findings if finding.serious]
    if serious:
        raise DataError("; ".join(serious))
    say("nothing serious was found")


def _examined(folder: Path) -> list[Finding]:
    """Examine a set of pictures, with objects or in class folders, and print what was found."""
    config = recognise_objects(folder)
    if config is not None:
        objects = examine_objects(config)
        if objects.surveyed is not None:
            say("\n" + "\n".join(object_sentences(objects.surveyed)[:2]))
            _print_objects(objects.surveyed)
        findings = objects.findings
    else:
        examined = examine(folder)
        if examined.layout is not None:
            say("")
            _print_counts(examined.layout)
        findings = examined.findings
    for finding in findings:
        if not finding.serious:
            say(f"- {finding.sentence}")
    return findings


def _print_objects(found: Surveyed) -> None:
    """Print how many objects every class has in every part."""
    parts = parts_of(found)
    counts = [class_counts(part) for part in parts.values()]
    rows = [
        [name, *(f"{count[label]:,}" for count in counts)]
        for label, name in enumerate(found.survey.classes[:SHOWN_CLASSES])
    ]
    if len(found.survey.classes) > SHOWN_CLASSES:
        more = f"and {len(found.survey.classes) - SHOWN_CLASSES} more"
        rows.append([more, *("" for _ in parts)])
    rows.append(["all", *(f"{sum(count):,}" for count in counts)])
    table("objects", [("class", False), *((name, True) for name in parts)], rows)


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
