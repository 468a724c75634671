"""What the README shows is run: quickly here, in full where RESIDUA_README=full is set."""

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from residua.cli.dispatch import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FULL = os.environ.get("RESIDUA_README") == "full"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands():
    lines = "".join(blocks("sh")).splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


def test_the_two_commands_open_the_readme():
    assert commands()[:2] == [["make", "train"], ["make", "test"]]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert {"train", "test", "check", "bench", "clean", "install"} <= set(targets)


@pytest.mark.timeout(1800)
def test_every_command_of_the_readme_runs(monkeypatch, tmp_path, capsys):
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    ours = [words for words in commands() if words[0] == "residua"]
    assert len(ours) >= 9
    for _, *words in ours:
        # A detector takes minutes: bench/scenes.py trains it in full.
        whole = FULL and "detection.scenes" not in words
        shorten = words[0] in {"train", "lab"} and "--dry-run" not in words and not whole
        assert main([*words, *(["--smoke"] if shorten else [])]) == 0, words
    text = capsys.readouterr().out
    assert "test error" in text
    assert "seven.png: " in text
    if FULL:
        assert "seven.png: 7" in text


def test_every_other_command_is_make_or_pip():
    others = {words[0] for words in commands()} - {"residua"}
    assert others == {"make", "pip"}


@pytest.mark.parametrize("code", blocks("python"))
def test_every_python_example_runs(code, capsys):
    exec(compile(code, "README.md", "exec"), {})
    assert re.search(r"runs/|residua", capsys.readouterr().out)


def test_every_link_into_the_repository_leads_somewhere():
    for target in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
