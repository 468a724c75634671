"""`residua report`: the page of a run written again, or of several runs one page."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from residua import report, runs
from residua.cli.options import parse
from residua.cli.screen import say


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Write the page of a run again, or one page of several: residua report RUN [RUN ...].

    The page of several runs is that of `residua compare`, which prints its tables too.

    Attributes:
        run: folders of runs, or "last".
        runs: the folder of all runs.
    """

    run: Annotated[tuple[str, ...], Positional] = ("last",)
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Write the page and say where it is.

    Raises:
        CheckpointError: there is no such run, or one of several has not come to its end.
        ConfigError: there are classifiers and detectors among several.
    """
    options = parse("report", Options, words)
    folders = [runs.find(word, options.runs) for word in options.run or ("last",)]
    say(str(report.write(folders[0]) if len(folders) == 1 else _several(folders, options.runs)))


def _several(folders: Sequence[Path], root: Path) -> Path:
    from residua.comparison import compare, write_comparison

    return write_comparison(root, compare(folders))
