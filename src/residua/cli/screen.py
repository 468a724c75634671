"""What a training looks like in a terminal: plan, progress bar, one line per epoch elsewhere."""

import os
import sys
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from residua.events import Event

# Columns that the layer table needs with the arithmetic of its output sizes.
WIDE = 140


def console() -> Console:
    """Make a console as wide as the terminal, and as wide as need be where there is none."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=1000)


def say(text: str) -> None:
    """Print a line; once the reader is gone (as after `| head`) go on in silence."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def table(title: str, columns: Iterable[tuple[str, bool]], rows: Iterable[Iterable[str]]) -> None:
    """Print a table; each column is a heading and whether it holds numbers."""
    drawn = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading, numeric in columns:
        drawn.add_column(heading, justify="right" if numeric else "left", header_style="dim")
    for row in rows:
        drawn.add_row(*row)
    target = console()
    with target.capture() as captured:
        target.print(drawn)
    say("\n".join(line.rstrip() for line in captured.get().splitlines()))


class Screen:
    """Listens to a run and shows it.

    Args:
        settings: of the experiment, as plain values; what is unusual in them is told with the plan.
    """

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        self._settings = settings or {}
        self._live = console().is_terminal
        self._bar: Progress | None = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event["kind"]:
            case "start":
                self.describe(event)
                self._begin(event["until"], 0)
            case "resume":
                say(f"going on after iteration {event['iteration']}")
                _say_memory(event)
                self._begin(event["until"], event["iteration"])
            case "update":
                self._advance(event)
            case "epoch":
                self._epoch(event)

    def describe(self, start: Event, *, layer_table: bool = False) -> None:
        """Print what is about to be trained: network, data, machine and plan."""
        parameters = sum(layer["parameters"] for layer in start["layers"])
        multiply_adds = sum(layer["multiply_adds"] for layer in start["layers"])
        train, validation, test = start["sizes"]
        chosen = f"{validation:,} to choose with" if validation else "none to choose with"
        objects = f" ({start['objects'][0]:,} objects)" if "objects" in start else ""
        machine = start["environment"]
        say(
            f"{start['recipe']}: {parameters:,} parameters, {multiply_adds / 1e6:,.1f} M "
            f"multiply-adds per image of {'x'.join(map(str, start['shape']))}\n"
            f"{train:,} images to learn from{objects}, {chosen}, {test:,} to test on; "
            f"{len(start['classes'])} classes\n"
            f"{machine['device']}, {machine['threads']} threads, {machine['precision']}"
        )
        _say_memory(start)
        if layer_table:
            layers_table(start["layers"])
        table(
            "plan",
            [("iterations", True), ("epochs", True), ("images", True), ("rate", False)],
            _phases(start, self._settings),
        )
        from residua.report.manner import manner

        for told in manner(self._settings, processes=machine.get("processes", 1)):
            say(told)

    def _begin(self, until: int, done: int) -> None:
        if not self._live:
            return
        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[state]}"),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task("", total=until, completed=done, rate="", state="")

    def _advance(self, event: Event) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=event["iteration"])

    def _epoch(self, event: Event) -> None:
        state = _state(event)
        rate = f"{event['images_per_second']:,.0f} images/s"
        if self._bar is not None:
            self._bar.update(self._task, rate=rate, state=state)
        else:
            say(f"epoch {event['epoch']:5.1f}  iteration {event['iteration']:6d}  {rate}  {state}")


def _state(epoch: Event) -> str:
    """Say how far a training has come: losses and errors, or the mAP of a detector."""
    parts = [f"loss {epoch['train_loss']:.3f}"]
    for name, form in (
        ("train_error", "error {:.1f} %"),
        ("validation_error", "validation {:.1f} %"),
        ("validation_map", "validation mAP@.5 {:.1f} %"),
    ):
        if name in epoch:
            parts.append(form.format(epoch[name]))
    return "  ".join(parts)


def _say_memory(event: Event) -> None:
    if "memory" in event:
        say(event["memory"]["sentence"])


def layers_table(layers: Iterable[dict[str, Any]]) -> None:
    """Print the layer table of a network; how sizes follow from sizes only where there is room."""
    columns = [("layer", False), ("kind", False), ("output", False)]
    columns += [("parameters", True), ("multiply-adds", True), ("height", False)]
    rows = [
        [
            layer["name"],
            layer["kind"],
            "x".join(map(str, layer["output"])),
            f"{layer['parameters']:,}",
            f"{layer['multiply_adds']:,}",
            layer["arithmetic"],
        ]
        for layer in layers
    ]
    narrow = console().width < WIDE
    table("layers", columns[:-1] if narrow else columns, (r[:-1] if narrow else r for r in rows))
    if narrow:
        say(f"(a terminal of {WIDE} columns shows how the sizes follow from one another)")


def _phases(start: Event, settings: Mapping[str, Any]) -> Iterator[list[str]]:
    """Say iterations, epochs, images and rate of every phase, whatever the batches of its step."""
    sizes = settings.get("step_batches") or (start["batch_size"],)
    steps = settings["schedule"]["parts"] if len(sizes) > 1 else []
    ends = list(accumulate(step["until"] for step in steps))
    count, shown = start["sizes"][0], 0
    for phase in start["plan"]:
        images = (phase["stop"] - phase["start"]) * sizes[bisect(ends, phase["start"])]
        yield [
            f"{phase['start']:,} to {phase['stop']:,}",
            f"{shown / count:.1f} to {(shown + images) / count:.1f}",
            f"{images:,}",
            _rate(phase),
        ]
        shown += images


def _rate(phase: dict[str, Any]) -> str:
    first, last = phase["first_rate"], phase["last_rate"]
    if phase.get("open"):
        return f"{first:g} at first ({phase['what']})"
    return f"{first:g}" if first == last else f"{first:.4g} to {last:.4g} ({phase['what']})"


class Counter:
    """A bar for work on a known number of pictures; where there is no terminal it is silent.

    It is drawn where errors are, so that standard output holds results alone.

    Args:
        total: pictures.
        shown: False for no bar at all.
    """

    def __init__(self, total: int, *, shown: bool = True) -> None:
        target = Console(stderr=True)
        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=target,
            transient=True,
            redirect_stdout=False,
            disable=not (shown and target.is_terminal),
        )
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def advance(self, count: int) -> None:
        """Say that so many more are done."""
        self._bar.advance(self._task, count)
