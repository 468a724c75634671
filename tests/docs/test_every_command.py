"""Every command that a page of the documentation shows is understood by that command itself.

A command runs up to the moment at which its words are parsed, and no further. What trains nothing,
or quickly, is run by the tests of single pages.
"""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import torch
import tyro

import residua
from boxed import voc
from pictured import class_folders
from residua.cli.dispatch import COMMANDS, main
from residua.nets.imagenet import ImagenetConfig

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
}
# What a page leaves to the reader.
STANDS_FOR = {
    "FOLDER": "./pictures",
    "PATH": "./my_voc",
    "TABLE": "he2015.table6",
    "MODULE:ATTR": "torchvision:resnet18",
    "FILE": "net.safetensors",
    "NET": "cifar.resnet20",
    "my_package.recipes:mine": "mine_of_a_reader:mine",
}


class Understood(BaseException):
    """Ends a command whose words were parsed."""


def lines(text):
    """List what is to be typed, from blocks, from indented lines and from sentences."""
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    typed = [line for block in blocks for line in block.splitlines()]
    typed += re.findall(r"^    (residua .*)$", text, flags=re.MULTILINE)
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    typed += [" ".join(code.split()) for code in re.findall(r"`(residua [^`]*)`", prose)]
    typed += [" ".join(code.split()) for code in re.findall(r"`(torchrun [^`]*)`", prose)]
    return list(dict.fromkeys(typed))


def words_of(line):
    """Return what follows `residua`; None if it is no command of ours."""
    words = shlex.split(line, comments=True)
    if words[:1] == ["residua"]:
        return words[1:]
    if "torchrun" in words and "residua" in words:
        return words[words.index("residua") + 1 :]
    return None


def commands():
    found = {}
    for page, text in PAGES.items():
        for line in lines(text):
            words = words_of(line)
            if words is not None:
                found.setdefault(tuple(words), page)
    return found


FOUND = commands()
WHOLE = [words for words in FOUND if len(words) > 1]


@pytest.fixture
def reader(monkeypatch, tmp_path):
    """What a reader would have: pictures, a VOC tree, weights, a run's settings, a recipe."""
    class_folders(tmp_path / "pictures", {"a": 12, "b": 12})
    things = {f"{i:03d}": [("dog", (3, 3, 20, 20))] for i in range(12)}
    voc(tmp_path / "my_voc", things)
    net = residua.resnet18(num_classes=3)
    residua.save(net, tmp_path / "net.safetensors", config=ImagenetConfig(depth=18, num_classes=3))
    (tmp_path / "mine_of_a_reader.py").write_text(
        "from residua.recipes.digits import resnet20 as mine"
    )
    shutil.copy(ROOT / "records" / "cifar.resnet20" / "seed0" / "config.yaml", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    real = tyro.cli

    def stopping(*args, **kwargs):
        raise Understood(real(*args, **kwargs))

    monkeypatch.setattr(tyro, "cli", stopping)
    return tmp_path


def understood(words):
    """Tell whether a command parses its words, and then stops."""
    try:
        return main([STANDS_FOR.get(word, word) for word in words]) == 0
    except Understood:
        return True


def test_there_are_commands_on_most_pages():
    assert len(WHOLE) >= 70
    assert len({FOUND[words] for words in WHOLE}) >= 12
    assert {words[0] for words in FOUND} <= COMMANDS.keys()


def test_every_command_is_understood(reader):
    torch.manual_seed(0)
    wrong = [
        f"{FOUND[words]}: residua {shlex.join(words)}"
        for words in WHOLE
        if words[-1] != "--resume" and not understood(words)
    ]
    assert not wrong


def test_switches_are_written_as_commands_take_them():
    """`--net.no-freeze-norm`, where a reader might expect `--net.freeze-norm False`."""
    wrong = [
        (page, found)
        for page, text in PAGES.items()
        for found in re.findall(r"--[\w.-]+[ =](?:True|False)\b", text)
    ]
    assert not wrong


@pytest.mark.parametrize(
    "words",
    [
        ["train", "digits.resnet20", "--net.dept", "20"],
        ["lab", "degradation", "--budgets", "1h"],
        ["reproduce", "he2015.table6", "--seed", "5"],
        ["lab", "no-such-study", "last"],
        ["train", "cifar.resnet57"],
    ],
)
def test_a_command_that_does_not_exist_is_found_out(reader, words):
    assert not understood(words)
