"""The page of kept studies: what `residua lab` trained or looked at, with the records of it.

A study lies in `lab/NAME` among the records: `compared.json` and the records of its trainings, or
the numbers of a look inside networks, and figures.
"""

import json
import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from residua.report.compared import FILE, Row, kept, rows_of
from residua.report.record import Record
from residua.reproduce.kept import (
    entry,
    environment_of,
    files_of,
    pictures,
    title,
    took,
)
from residua.reproduce.markdown import code, table

LAB = "lab"
ABOUT = """# Studies

What was made here with `residua lab` and kept: the papers' experiments at a length that is said,
not at theirs. Their errors are no reproductions of a table; what can be compared is the order of
the settings. Every number rests on the records that are listed below it. [Studies](../studies.md)
says how they are made, [seeing inside](../inside.md) what is looked at.
"""
# What results have, and how it is called; the first is what trainings are told apart by.
OF_CLASSIFIERS = {"test_error": "test error %", "train_error": "training error %"}
OF_DETECTORS = {"test_map": "test mAP@.5 %"}


def headings(records: Path) -> dict[str, str]:
    """List the findings of all kept studies by the headings of their sections."""
    return {_heading(folder, told): told["finding"] for folder, told in _studies(records)}


def page(records: Path, way: str) -> str:
    """Write the page.

    Args:
        records: the folder of kept records.
        way: from the page to it.
    """
    lines = [ABOUT]
    for folder, told in _studies(records):
        place = f"{way}/{folder.relative_to(records).as_posix()}"
        lines += [f"## {_heading(folder, told)}", "", f"{_sentence(told['finding'])}", ""]
        for picture in sorted(folder.glob("*.svg")):
            lines += [f"![{folder.name}, {picture.stem}]({place}/{picture.name})", ""]
        is_comparison = (folder / FILE).is_file()
        lines += _comparison(folder, place) if is_comparison else _look(folder, told, place)
    return "\n".join(lines)


def _studies(records: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Find the folders of studies, and what each says of itself."""
    for folder in sorted(path for path in (records / LAB).glob("*") if path.is_dir()):
        for path in [folder / FILE, *sorted(folder.glob("*.json"))]:
            told = json.loads(path.read_text()) if path.is_file() else {}
            if "finding" in told:
                yield folder, told
                break


def _heading(folder: Path, told: dict[str, Any]) -> str:
    """Name a study by its folder, which no other has, and by what it is about."""
    return f"{folder.name}: {told['title']}" if told.get("title") else folder.name


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _comparison(folder: Path, place: str) -> list[str]:
    """Tell of trainings: the numbers, how they were made, and the record of each."""
    sweep, _ = kept(folder)
    rows = rows_of(sweep)
    papers = list(dict.fromkeys(column for row in rows for column in row.entry.paper))
    runs = [run for row in rows for run in row.runs]
    names = (
        OF_DETECTORS if any("test_map" in (run.result or {}) for run in runs) else OF_CLASSIFIERS
    )
    told = [*reversed(names.values()), "smallest to largest", "parameters"]
    columns = [("setting", False), *((name, True) for name in ("n", *told))]
    columns += [(f"paper, {name}", True) for name in papers]
    numbers = [
        [*_numbers(row, names), *(row.entry.paper.get(name, "") for name in papers)] for row in rows
    ]
    above = [f"{sweep.source} {' '.join(sweep.notes)}".strip(), ""] if sweep.source else []
    also = ", ".join(f"[{each}]({place}/{each})" for each in _also(folder))
    facts = {
        "how long": re.sub(r"--[a-z-]+(?: \d+)?", lambda found: code(found[0]), sweep.why),
        "command": _all(code(str(run.start["command"])) for run in runs if "command" in run.start),
        "pictures": _all(_pictures(run) for run in runs),
        **_environments([run.start["environment"] for run in runs]),
        "files": also,
    }
    first, title = next(iter(names.items()))
    listed = [_run(run, first, f"{place}/{'/'.join(run.folder.parts[-2:])}") for run in runs]
    heads = ("training", False), ("seed", True), (title, True), ("took", True)
    rest = ("settings", False), ("files", False)
    return [
        *table(columns, numbers),
        "",
        *above,
        *_facts(facts),
        *table([*heads, *rest], listed),
        "",
    ]


def _look(folder: Path, told: dict[str, Any], place: str) -> list[str]:
    """Tell of a look inside networks: at which runs, how, and where the numbers are."""
    runs = [Path(run) for network in told.get("networks", []) for run in network["folders"]]
    facts = {
        "of": str(told.get("n", "")),
        "runs": ", ".join(_named(run, folder.parents[1]) for run in runs),
        "command": code(told["command"]),
        **_environments([told["environment"]]),
        "files": ", ".join(f"[{each}]({place}/{each})" for each in _also(folder)),
    }
    return _facts(facts)


def _named(run: Path, records: Path) -> str:
    """Name a run, with the way to its record if that is kept."""
    is_kept = records.joinpath(*run.parts[-2:], "config.yaml").is_file()
    return f"[{title(run)}]({entry(run)})" if is_kept else title(run)


def _also(folder: Path) -> list[str]:
    return [path.name for path in sorted(folder.glob("*.json"))]


def _numbers(row: Row, names: Iterable[str]) -> list[str]:
    """Tell of the results of a setting; of the first of the names also the range."""
    first, *_ = told = [row.values(name) for name in names]
    return [
        row.entry.name,
        str(len(row.finished)),
        *map(_spread, reversed(told)),
        f"{min(first):.2f} to {max(first):.2f}" if len(first) > 1 else "",
        f"{row.runs[0].parameters:,}",
    ]


def _spread(values: Sequence[float]) -> str:
    """Say a value, or mean ± standard deviation of several."""
    if not values:
        return "no result"
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}"


def _run(run: Record, name: str, place: str) -> list[str]:
    number = run.end if run.result is None else f"{run.result[name]:.2f}"
    return [
        str(run.start["recipe"]),
        str(run.start["seed"]),
        number,
        took(run.seconds),
        f"digest {run.start['digest']}",
        files_of(run.folder, place),
    ]


def _pictures(run: Record) -> str:
    batches = f"{run.start['until']:,} updates, batches of {run.start.get('batch_size')}"
    return f"{pictures(run.start)}; {batches}"


def _environments(found: Sequence[Any]) -> dict[str, str]:
    told = [environment_of(each) for each in found]
    return {name: _all(each[name] for each in told) for name in told[0]} if told else {}


def _all(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def _facts(facts: dict[str, str]) -> list[str]:
    rows = [[name, text] for name, text in facts.items() if text]
    return [*table([("what", False), ("", False)], rows), ""]
