"""What a run folder says of its run, read from its record alone: config.yaml and events.jsonl."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from residua import events
from residua.errors import CheckpointError
from residua.events import Event

CONFIG = "config.yaml"


@dataclass(frozen=True)
class Record:
    """The record of one run.

    Args:
        folder: of the run.
        text: of its config.yaml.
        settings: the same, decoded.
        log: all events.
        start: the first of them.
        rows: the epochs, without those that a resumed run went through again.
        result: the last event, if the run has come to its end.
        evaluations: tests of it after that.
        windows: training errors in finer steps than epochs, where a study kept them.
    """

    folder: Path
    text: str
    settings: Mapping[str, Any]
    log: list[Event]
    start: Event
    rows: list[Event]
    result: Event | None
    evaluations: list[Event]
    windows: list[Event]

    @property
    def learning(self) -> list[Event]:
        """The training errors along the way, in the finest steps there are."""
        return self.windows or self.rows

    @property
    def until(self) -> int:
        """Iterations that were planned."""
        return self.start["until"]

    @property
    def iteration(self) -> int:
        """Iterations that are recorded."""
        return self.rows[-1]["iteration"] if self.rows else 0

    @property
    def parameters(self) -> int:
        """Weights and biases of the network, batch normalization included."""
        return sum(layer["parameters"] for layer in self.start["layers"])

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one picture, counted once."""
        return sum(layer["multiply_adds"] for layer in self.start["layers"])

    @property
    def resumes(self) -> list[Event]:
        """Every time the run went on."""
        return [event for event in self.log if event["kind"] == "resume"]

    @property
    def seconds(self) -> float:
        """Time it took, without the pauses between a stop and a resumption."""
        if self.result is not None and not self.resumes:
            return self.result["seconds"]
        total, began, last = 0.0, self.start["time"], self.start["time"]
        for event in self.log:
            if event["kind"] == "resume":
                total, began = total + last - began, event["time"]
            last = event["time"]
        return total + last - began

    @property
    def end(self) -> str:
        """Why there is no result; empty if there is one."""
        if self.result is not None:
            return ""
        last = self.log[-1]
        if last["kind"] == "stop":
            return str(last["reason"])
        return f"the record ends at iteration {self.iteration} of {self.until}"


def read(folder: Path) -> Record:
    """Read the record of a run.

    Raises:
        CheckpointError: the folder has none, or it cannot be read.
    """
    log = events.read(folder)
    start = events.first(log, "start")
    if start is None:
        raise CheckpointError(
            f"{folder} has no record of a start in {events.FILE}: train the run again"
        )
    path = folder / CONFIG
    if not path.is_file():
        raise CheckpointError(f"{folder} is not a run: it has no {CONFIG}")
    text = path.read_text()
    return Record(
        folder=folder,
        text=text,
        settings=_decode(text, path),
        log=log,
        start=start,
        rows=events.history(log),
        result=events.result(log),
        evaluations=events.evaluations(folder),
        windows=events.history(events.read(folder, events.WINDOWS))
        if (folder / events.WINDOWS).is_file()
        else [],
    )


def _decode(text: str, path: Path) -> Mapping[str, Any]:
    try:
        settings = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CheckpointError(f"{path} is not YAML: {error}") from None
    if not isinstance(settings, dict):
        raise CheckpointError(f"{path} must be a mapping of settings, got {settings!r}")
    return settings
