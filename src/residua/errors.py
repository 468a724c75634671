"""The exceptions of Residua.

    ResiduaError
    ├── ConfigError (ValueError)   a setting or argument does not fit           exit code 2
    ├── ShapeError (ValueError)    a tensor has another shape than expected     exit code 2
    ├── DataError                  a file is missing, damaged or not readable   exit code 3
    ├── CheckpointError            a checkpoint is missing or does not fit      exit code 4
    └── RunError                   a run diverged, was interrupted, or lost its disk  exit code 5

A message holds the value that was given, the rule it breaks, and what to do about it.

What is odd but stops nothing is a `DataWarning`; the command line shows it as one line.
"""

import difflib
from collections.abc import Iterable
from typing import ClassVar


class ResiduaError(Exception):
    """Any failure that Residua explains in a sentence; `exit_code` is that of the command."""

    exit_code: ClassVar[int] = 1


class ConfigError(ResiduaError, ValueError):
    """A setting, name or argument does not fit; the message begins with what was given."""

    exit_code = 2


class ShapeError(ResiduaError, ValueError):
    """A tensor has another shape than the one expected; the message shows both."""

    exit_code = 2


class DataError(ResiduaError):
    """A file or data set is missing, damaged or malformed; the message names it."""

    exit_code = 3


class DataWarning(UserWarning):
    """Data are used although something about them is not as expected; the message says what."""


class CheckpointError(ResiduaError):
    """A checkpoint is missing, incomplete or of another net; it lists the first odd keys."""

    exit_code = 4


class RunError(ResiduaError):
    """A run stopped before its end; the message names its folder and how to resume."""

    exit_code = 5


def closest(name: str, known: Iterable[str]) -> str:
    """Say which known names resemble a wrong one: " (did you mean a or b?)", or nothing."""
    matches = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f" (did you mean {' or '.join(matches)}?)" if matches else ""
