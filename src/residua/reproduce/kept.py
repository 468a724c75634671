"""The page of kept records: of each its seed, code version and command, and where its files are."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from residua import events
from residua.report import record
from residua.report.record import Record
from residua.reproduce import responded
from residua.reproduce.given import FOLDER
from residua.reproduce.markdown import code, slug, table

ABOUT = """# Records of runs

What is kept of the runs that the [results](../results.md) rest on: settings, events and epochs; no
weights. A run is trained again by its command with the code of its version, or by
`residua train config.yaml`.
"""
NAMES = {
    "test_error": "test error",
    "top5_error": "top-5 test error",
    "test_map": "test mAP@.5",
}


def page(records: Path, way: str) -> str:
    """Write the page.

    Args:
        records: the folder of kept records.
        way: from the page to it.
    """
    lines = [ABOUT]
    for path in sorted(records.glob("*/*/config.yaml")):
        found = record.read(path.parent)
        lines += _section(path.parent, _facts(found), _files(path.parent, records, way))
    for path in sorted((records / FOLDER).glob(f"*/{events.EVALUATIONS}")):
        facts = {
            f"{name}, test {number}": text
            for number, event in enumerate(events.evaluations(path.parent), start=1)
            for name, text in _tested(event).items()
        }
        lines += _section(path.parent, facts, _files(path.parent, records, way))
    return "\n".join(lines)


def title(folder: Path) -> str:
    """Name a run by its recipe and its own name."""
    return " ".join(folder.parts[-2:])


def entry(folder: Path) -> str:
    """Lead to a run on this page; its name is the last two parts of its path."""
    return f"runs.md#{slug(title(folder))}"


def pictures(start: Mapping[str, Any]) -> str:
    """Say how many pictures were learned from, held out if any, and tested on."""
    learned, held, tested = start["sizes"]
    words = [f"{learned:,} to learn from", f"{held:,} to look at meanwhile"][: 2 if held else 1]
    return f"{', '.join(words)}{',' if held else ''} and {tested:,} to test on"


def took(seconds: float) -> str:
    """Say a time in the unit that shows it."""
    return f"{seconds:,.0f} seconds" if seconds < 120 else f"{seconds / 60:,.0f} minutes"


def files_of(folder: Path, place: str) -> str:
    """List the files of a record, with the way to them."""
    names = ("config.yaml", "events.jsonl", "results.csv", events.WINDOWS, events.EVALUATIONS)
    names += (responded.FILE,)
    return ", ".join(f"[{name}]({place}/{name})" for name in names if (folder / name).is_file())


def _section(folder: Path, facts: dict[str, str], files: str) -> list[str]:
    rows = [[name, text] for name, text in (facts | {"files": files}).items() if text]
    return [f"## {title(folder)}", "", *table([("what", False), ("", False)], rows), ""]


def _files(folder: Path, records: Path, way: str) -> str:
    return files_of(folder, f"{way}/{folder.relative_to(records).as_posix()}")


def _facts(found: Record) -> dict[str, str]:
    result = found.result or {}
    return {
        **{
            name: f"{result[key]:.2f} %, n = 1"
            for key, name in NAMES.items()
            if result.get(key) is not None
        },
        "tested": _tested_on(result),
        **way_of(found),
        "later tests": "; ".join(_evaluation(event) for event in found.evaluations),
    }


def way_of(found: Record) -> dict[str, str]:
    """Say how a run came about: seed, command, code, machine, updates, time; in Markdown."""
    start = found.start
    return {
        "seed": str(start["seed"]),
        "command": code(start["command"]) if "command" in start else "",
        **environment_of(start["environment"]),
        "settings": f"config.yaml, digest {start['digest']}",
        "updates": f"{found.iteration:,} of {found.until:,}, batches of {start.get('batch_size')}",
        "pictures": pictures(start),
        "took": f"{took(found.seconds)}, began {_day(start['time'])}",
        "ended": found.end,
    }


def environment_of(known: Mapping[str, Any]) -> dict[str, str]:
    """Name code, versions and machine of a record."""
    version, changed = str(known.get("code") or ""), ""
    if version.endswith("+"):
        version, changed = version[:-1], ", changed after that commit"
    processes = known.get("processes", 1)
    threads = known.get("threads")
    counted = threads and f"{threads} thread{'' if threads == 1 else 's'}"
    machine = [known.get("processor"), counted, known.get("device")]
    machine += [known.get("precision"), *([f"{processes} processes"] if processes > 1 else [])]
    return {
        "code": f"residua {known.get('residua')}, commit {version}{changed}",
        "versions": f"torch {known.get('torch')}, Python {known.get('python')}",
        "machine": ", ".join(str(part) for part in machine if part is not None),
    }


def _tested(event: Mapping[str, Any]) -> dict[str, str]:
    return {
        "result": _evaluation(event),
        "weights": f"{event['weights']} ({event['origin']}), sha256 {event['sha256']}",
        "tested": f"{event['count']:,} pictures",
        "command": code(event["command"]),
        **environment_of(event["environment"]),
    }


def _evaluation(event: Mapping[str, Any]) -> str:
    errors = [
        f"{name} error {event[key]:.2f} %"
        for key, name in (("top1_error", "top-1"), ("top5_error", "top-5"))
        if event.get(key) is not None
    ]
    return f"{', '.join(errors)} ({event.get('protocol', '')})"


def _tested_on(result: Mapping[str, Any]) -> str:
    if not result:
        return "not yet"
    return f"{result.get('test_count', 0):,} pictures, {result.get('protocol', '')}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %B %Y")
