"""Finds a command's module by its name, and answers errors with sentences."""

import importlib
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from residua.errors import DataWarning, ResiduaError, closest

COMMANDS = {
    "train": "train a network (without a name: ResNet-20 on handwritten digits)",
    "evaluate": "test the network of a run, on its own test pictures or on others",
    "export": "write the net of a run as a file for other systems: pt2, ONNX, OpenVINO, ...",
    "predict": "name what is on pictures, or find objects on them, with the network of a run",
    "optimize": "find the fastest engine for the network of a run, and write it with a loader",
    "serve": "show pictures to the network of a run on a web page, or by programs",
    "deepen": "make the net of a run deeper without changing what it computes, and train it on",
    "slim": "leave out the residual blocks that the net of a run misses least, and train it on",
    "show": "layer table of a network: output sizes, parameters, multiply-adds",
    "list": "all recipes and networks",
    "doctor": "what is wrong with this machine, or with a folder of pictures",
    "verify-resume": "stop a training, go on, and compare with one that was not stopped",
    "residualize": "add shortcuts to a net that was built without them",
    "lab": "experiments to look at: lab degradation",
    "report": "write the page of a run again, or one page of several runs",
    "compare": "what differs between runs: settings, numbers, and how surely",
    "push": "give a run away through the Hugging Face Hub",
    "pull": "take a run over from the Hugging Face Hub",
    "reproduce": "a table of a paper, beside what runs here came to, with a verdict",
}

HELP = """Residua: residual networks you can trust.

usage: residua COMMAND [...]      residua COMMAND --help

{commands}

  --version     print the version
  --debug       after any command: show the traceback of an error
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 fine, 2 wrong usage or settings, 3 data, 4 checkpoint, 5 the run failed, 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        with _warnings_as_lines():
            return _run(words)
    except ResiduaError as error:
        if debug:
            traceback.print_exc()
        _say(f"residua: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        _say("residua: stopped")
        return 130
    except Exception as error:
        if debug:
            traceback.print_exc()
        _say(f"residua: unexpected {type(error).__name__}: {error} (--debug shows where)")
        return 5


def _run(words: list[str]) -> int:
    if not words or words[0] in {"-h", "--help", "help"}:
        _show_help()
        return 0
    if words[0] == "--version":
        from importlib import metadata

        sys.stdout.write(f"residua {metadata.version('residua')}\n")
        return 0
    name, *rest = words
    if name not in COMMANDS:
        hint = closest(name, COMMANDS) or f" (there are {', '.join(COMMANDS)})"
        _say(f"residua: no command is called {name}{hint}")
        return 2
    command = importlib.import_module(f"residua.cli.{name.replace('-', '_')}")
    try:
        command.main(rest)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 2
    return 0


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Show warnings about data as sentences, each once, without the place in our code."""
    told: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("default", DataWarning)
        show = warnings.showwarning

        def shown(message: Warning | str, category: type[Warning], *where: Any) -> None:
            if not issubclass(category, DataWarning):
                show(message, category, *where)
            elif str(message) not in told:
                told.add(str(message))
                _say(f"residua: {message}")

        warnings.showwarning = shown  # type: ignore[assignment]
        yield


def _show_help() -> None:
    width = max(map(len, COMMANDS))
    lines = (f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items())
    sys.stdout.write(HELP.format(commands="\n".join(lines)))


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
