"""The append-only record of a run: one JSON object per line, and reading it back.

Kinds of events:
    start    environment, command, sizes of the data, plan, layer table; of a detector its "task"
    resume   the iteration at which a stopped run went on
    epoch    means over the updates since the last one, and the error (of a detector the mAP) on the
             validation images
    stop     why a run ended early
    result   the error on the test images, with the confusion matrix and the mistakes; of a detector
             the mAP by every rule, with the pictures that have most mistakes

Tests after the end of a run have a file of their own, with events of the kind "evaluation", so that
the record of the training stays as it was.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from residua import files
from residua.errors import CheckpointError

Event = dict[str, Any]
Listener = Callable[[Event], None]

FILE = "events.jsonl"
EVALUATIONS = "evaluations.jsonl"
# Training errors in finer steps than epochs, where a study keeps them.
WINDOWS = "windows.jsonl"


class Log:
    """Writes the events of one run, and tells a listener of them as they happen.

    A last line that a crash cut short is taken out first, so that the next one starts anew.

    Args:
        folder: of the run.
        listen: called with every event; the command line draws its progress from them.
        file: its name in the folder.
        silent: neither write nor tell anything, as in all but one of several processes.
    """

    def __init__(
        self,
        folder: Path,
        listen: Listener | None = None,
        file: str = FILE,
        *,
        silent: bool = False,
    ) -> None:
        self.path = folder / file
        self._listen = listen
        self._silent = silent
        if silent:
            return
        written = self.path.read_bytes() if self.path.exists() else b""
        if written and not written.endswith(b"\n"):
            files.write(self.path, written[: written.rfind(b"\n") + 1])

    def write(self, kind: str, **values: object) -> None:
        """Record an event and tell the listener."""
        if self._silent:
            return
        event = {"kind": kind, "time": round(time.time(), 3), **values}
        files.append(self.path, json.dumps(event))
        self._notify(event)

    def tell(self, kind: str, **values: object) -> None:
        """Tell the listener of something too frequent to record, such as each update."""
        self._notify({"kind": kind, **values})

    def _notify(self, event: Event) -> None:
        if self._listen is not None and not self._silent:
            self._listen(event)


def read(folder: Path, file: str = FILE) -> list[Event]:
    """Read the events of a run; a last line that a crash cut short is left out.

    Raises:
        CheckpointError: there is no record in this folder, or a line in its middle is damaged.
    """
    path = folder / file
    if not path.is_file():
        raise CheckpointError(f"{folder} is not a run: it has no {file}")
    lines = path.read_text().splitlines()
    events = []
    for number, line in enumerate(lines, start=1):
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number < len(lines):
                raise CheckpointError(f"{path}, line {number} is damaged: {error}") from None
    return events


def evaluations(folder: Path) -> list[Event]:
    """Read the tests of a run after its end; none if there was no such test."""
    return read(folder, EVALUATIONS) if (folder / EVALUATIONS).is_file() else []


def first(events: list[Event], kind: str) -> Event | None:
    """Return the first event of a kind."""
    return next((event for event in events if event["kind"] == kind), None)


def history(events: list[Event]) -> list[Event]:
    """List the epochs of a run, without those that a resumed run went through again."""
    rows: list[Event] = []
    for event in events:
        if event["kind"] == "resume":
            rows = [row for row in rows if row["iteration"] <= event["iteration"]]
        elif event["kind"] == "epoch":
            rows.append(event)
    return rows


def result(events: list[Event]) -> Event | None:
    """Return the result of a run that has come to its end."""
    return next((event for event in reversed(events) if event["kind"] == "result"), None)
