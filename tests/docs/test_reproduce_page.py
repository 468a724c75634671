"""docs/reproduce.md: its commands that need no data are run, its words are those of the code."""

import re
import shlex
import shutil
from pathlib import Path
from typing import get_args

import pytest

from residua.cli.dispatch import main
from residua.cli.reproduce import ORDER
from residua.reproduce.tables import tables
from residua.reproduce.verdict import SINGLE, Verdict

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "reproduce.md").read_text()
COMMANDS = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
    for line in block.splitlines()
]


def test_every_verdict_is_explained_and_shown():
    explained = re.findall(r"^\| ([a-z ]+) \| (?!when|---)", TEXT, flags=re.MULTILINE)
    assert set(explained) - {"verdict"} == set(get_args(Verdict)) == set(ORDER)
    assert f"{SINGLE} points for a single one" in TEXT


def test_every_table_that_is_named_exists():
    named = {word for words in COMMANDS for word in words if re.match(r"he20\d\d\.", word)}
    assert named
    assert named <= tables().keys()


@pytest.mark.parametrize("words", [w for w in COMMANDS if w[0] == "residua"], ids=" ".join)
def test_every_command_is_understood_and_what_trains_nothing_is_run(words, tmp_path, capsys):
    shutil.copytree(ROOT / "records", tmp_path / "records")
    shown = {"--list", "--show"} & set(words)
    assert main([*words[1:], *([] if shown else ["--show"])]) == 0
    text = capsys.readouterr().out
    assert "reproduced" in text or "not run" in text
