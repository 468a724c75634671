import subprocess
import sys
import warnings
from types import SimpleNamespace

import pytest

from residua.cli import dispatch
from residua.cli.dispatch import COMMANDS, main
from residua.errors import DataWarning


def test_help_lists_every_command(capsys):
    assert main([]) == main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name}" in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    assert main([name, "--help"]) == 0
    assert f"residua {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tran"], "no command is called tran (did you mean train?)"),
        (["xyz"], "no command is called xyz (there are train, evaluate"),
    ],
)
def test_an_unknown_command_is_answered(words, sentence, capsys):
    assert main(words) == 2
    assert sentence in capsys.readouterr().err


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "residua 0.1.0\n"


def test_an_error_is_a_sentence_and_a_traceback_only_if_asked(capsys):
    assert main(["train", "nope"]) == 2
    plain = capsys.readouterr().err
    assert plain.startswith("residua: no recipe is called nope")
    assert "Traceback" not in plain
    assert main(["train", "nope", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_ends_without_a_traceback(monkeypatch, capsys):
    def stop(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch.importlib, "import_module", stop)
    assert main(["list"]) == 130
    assert capsys.readouterr().err == "residua: stopped\n"


def test_what_nobody_foresaw_is_a_sentence_too(monkeypatch, capsys):
    def fail(name):
        raise KeyError("inside")

    monkeypatch.setattr(dispatch.importlib, "import_module", fail)
    assert main(["list"]) == 5
    assert (
        capsys.readouterr().err == "residua: unexpected KeyError: 'inside' (--debug shows where)\n"
    )


@pytest.fixture
def warning(monkeypatch):
    """Make the command `list` warn."""

    def call(category):
        def command(words):
            warnings.warn("the files are odd", category, stacklevel=1)

        module = SimpleNamespace(main=command)
        monkeypatch.setattr(dispatch.importlib, "import_module", lambda name: module)
        return main(["list"])

    return call


def test_a_warning_about_data_is_one_line(warning, capsys):
    assert warning(DataWarning) == 0
    assert capsys.readouterr().err == "residua: the files are odd\n"


def test_other_warnings_are_shown_as_ever(warning, capsys):
    with pytest.warns(UserWarning, match="the files are odd") as told:
        assert warning(UserWarning) == 0
    assert len(told) == 1
    assert capsys.readouterr().err == ""


def test_help_explains_every_option(capsys):
    main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for words in (
        "run this many seeds",
        "pictures per update",
        "train --resume RUN",
        "of the weights",
    ):
        assert words in text


def test_the_package_is_a_command_too():
    done = subprocess.run(
        [sys.executable, "-m", "residua", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "residua 0.1.0\n"
