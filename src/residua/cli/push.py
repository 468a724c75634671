"""`residua push`: give a run away through the Hugging Face Hub."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from residua import events, runs
from residua.cli.options import parse
from residua.cli.screen import say
from residua.deploy import hub


@dataclasses.dataclass(frozen=True)
class Options:
    """Give a run away: residua push RUN OWNER/NAME [--public].

    Settings, record, weights and a card are pushed to a repository of the Hugging Face Hub, which
    is private unless told otherwise; checkpoints and pages are not.

    Attributes:
        run: the folder of the run, or "last".
        repository: OWNER/NAME; it is made if there is none.
        public: let all see it, if it is made now.
        runs: the folder of all runs.
    """

    run: Annotated[str, Positional]
    repository: Annotated[str, Positional]
    public: bool = False
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Push, and say what was given away and where it is.

    Raises:
        CheckpointError: there is no such run, or it has no weights.
        ConfigError: the name is none, or huggingface_hub is missing.
        RunError: the hub did not take it.
    """
    options = parse("push", Options, words)
    folder = runs.find(options.run, options.runs)
    result = events.result(events.read(folder)) or {}
    shown = len(result.get("mistakes", ())) + len(result.get("found", {}).get("drawn", ()))
    if shown:
        say(f"the record shows {shown} of the test images, with mistakes")
    address = hub.push(folder, options.repository, public=options.public)
    for name in hub.held(folder):
        say(f"{name}: {(folder / name).stat().st_size / 1e6:,.1f} MB")
    say(address)
