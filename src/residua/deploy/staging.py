"""Files that get their names when all of them are written and found right, and not before."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from residua import files
from residua.errors import ConfigError


def check_free(path: Path, endings: Sequence[str], *, overwrite: bool) -> None:
    """See that files may be written.

    Raises:
        ConfigError: one exists, and is not to be overwritten.
    """
    for ending in endings:
        there = path.with_suffix(ending)
        if there.exists() and not overwrite:
            raise ConfigError(
                f"{there} exists (name another file with --out, or replace it with --overwrite)"
            )


@contextmanager
def staged(path: Path, endings: Sequence[str]) -> Iterator[Path]:
    """Give a place to write files to; they are moved to theirs if all goes well within the `with`.

    Args:
        path: of the first file.
        endings: of all files, which differ in nothing else.

    Raises:
        RunError: a file cannot be written.
    """
    with files.explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        place = tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-")
    with place as beside:
        first = Path(beside) / path.name
        yield first
        # The one that is named comes last: where it is, the others are.
        for ending in reversed(endings):
            with files.explained(path):
                first.with_suffix(ending).replace(path.with_suffix(ending))
