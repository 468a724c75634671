"""The commands of docs/studies.md are commands: their options are those of the studies."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from residua.cli.lab import STUDIES
from residua.cli.options import parse

TEXT = (Path(__file__).parents[2] / "docs" / "studies.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
LINES = [line for line in "".join(BLOCKS).splitlines() if line.strip()]


def test_there_are_commands():
    assert len(LINES) >= 6


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_the_page_is_understood(line):
    program, lab, study, *words = shlex.split(line, comments=True)
    assert (program, lab) == ("residua", "lab")
    assert study in STUDIES
    module = importlib.import_module(f"residua.cli.studies.{study}")
    options = parse(f"lab {study}", module.Options, words)
    for name, value in zip(words[::2], words[1::2], strict=False):
        if name == "--data":
            assert options.trainings.data == value
