"""A command run in this process."""

import pytest

from residua.cli.dispatch import main


@pytest.fixture
def run(capsys):
    """Run a command; return its exit code and what it printed."""

    def call(*words):
        code = main(list(words))
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call
