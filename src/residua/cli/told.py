"""Answers as they come: a line for each picture, or a file that grows."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from residua import files
from residua.cli.screen import say
from residua.deploy.answers import Form, Record
from residua.errors import ConfigError

SUFFIXES = (".csv", ".jsonl")


class Answer(NamedTuple):
    """What is said of one picture: as data, and in lines for a person."""

    record: Record
    lines: list[str]


Tell = Callable[[Iterable[Answer]], None]


def check(out: Path | None) -> None:
    """Refuse a file of another kind.

    Raises:
        ConfigError: its name ends otherwise than in .csv or .jsonl.
    """
    if out is not None and out.suffix not in SUFFIXES:
        raise ConfigError(f"--out must name a file that ends in {' or '.join(SUFFIXES)}, got {out}")


@contextmanager
def telling(out: Path | None, form: Form) -> Iterator[Tell]:
    """Give what tells answers: prints them, or writes them to a file that ends up whole.

    Args:
        out: .csv or .jsonl; None to print.
        form: the columns of a .csv.

    Raises:
        RunError: the file could not be written.
    """
    if out is None:
        yield _print
        return
    begun = False
    try:
        with files.growing(out) as write:
            begun = True
            if out.suffix == ".csv":
                write(_csv([form.columns]))
                yield lambda answers: write(_csv(_rows(answers, form)))
            else:
                yield lambda answers: write("".join(map(_line, answers)))
    except BaseException:
        if begun:
            say(f"what was answered until then: {files.unfinished(out)}")
        raise


def _print(answers: Iterable[Answer]) -> None:
    for each in answers:
        for line in each.lines:
            say(line)


def _rows(answers: Iterable[Answer], form: Form) -> Iterator[Iterable[Any]]:
    for each in answers:
        yield from form.rows(each.record)


def _line(answer: Answer) -> str:
    return json.dumps(answer.record, ensure_ascii=False) + "\n"


def _csv(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
