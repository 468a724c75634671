"""The course of a training in finer steps than epochs, where there are few of these.

A short training on many pictures ends after an epoch or two. Its training error is then kept too as
means over windows of updates, in a file of its own beside the record of the run.
"""

from pathlib import Path

from residua import events
from residua.events import Event, Listener

# Points of a curve: with at least so many epochs these are enough, else there are twice as many
# windows.
ENOUGH = 25
# The error of fewer updates would be mostly chance.
SMALLEST = 4


class Windows:
    """Listens to a run, and writes the mean training error of every window.

    A window in which the run was stopped begins anew where it goes on.

    Args:
        listen: is told of all that is heard.
    """

    def __init__(self, listen: Listener | None = None) -> None:
        self._listen = listen
        self._folder = Path()
        self._log: events.Log | None = None
        self._every = 0
        self._errors: list[float] = []

    def __call__(self, event: Event) -> None:
        """Hear of one event."""
        match event["kind"]:
            case "opened":
                self._folder = Path(event["folder"])
            case "start" | "resume":
                self._begin(event)
            case "update" if self._log is not None:
                self._add(event, self._log)
        if self._listen is not None:
            self._listen(event)

    def _begin(self, event: Event) -> None:
        start = events.first(events.read(self._folder), "start") or event
        epochs = start["until"] / start["every"]
        if epochs >= ENOUGH:
            return
        self._every = max(SMALLEST, start["until"] // (2 * ENOUGH))
        self._log = events.Log(self._folder, file=events.WINDOWS)
        if event["kind"] == "resume":
            self._log.write("resume", iteration=event["iteration"])

    def _add(self, event: Event, log: events.Log) -> None:
        self._errors.append(event["error"])
        iteration = event["iteration"]
        if iteration % self._every == 0:
            mean = sum(self._errors) / len(self._errors)
            log.write("epoch", iteration=iteration, train_error=mean)
            self._errors.clear()
