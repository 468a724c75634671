"""`residua pull`: take a run over from the Hugging Face Hub."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from residua.cli.options import parse
from residua.cli.screen import say
from residua.deploy import hub
from residua.deploy.predictor import Classifier


@dataclasses.dataclass(frozen=True)
class Options:
    """Take a run over that somebody has pushed: residua pull OWNER/NAME [FOLDER].

    It becomes a run like those trained here: predict, evaluate and serve take it. Nothing of it is
    executed, and files that could be are not fetched.

    Attributes:
        repository: OWNER/NAME.
        folder: that it becomes; by default OWNER/NAME in the folder of all runs.
        revision: branch, tag or commit; by default the newest.
        runs: the folder of all runs.
    """

    repository: Annotated[str, Positional]
    folder: Annotated[Path | None, Positional] = None
    revision: str | None = None
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Pull, and say what it is and where.

    Raises:
        CheckpointError: what is there is no run that can be used.
        ConfigError: the name is none, the folder is there, or huggingface_hub is missing.
        RunError: the hub did not give it.
    """
    options = parse("pull", Options, words)
    to = options.folder or options.runs / options.repository
    found = hub.pull(options.repository, to, revision=options.revision)
    what = "names" if isinstance(found, Classifier) else "finds"
    number = len(found.classes)
    say(
        f"{what} {number:,} {'class' if number == 1 else 'classes'}: {', '.join(found.classes[:9])}"
        f"{', ...' if number > 9 else ''}"
    )
    say(str(to))
