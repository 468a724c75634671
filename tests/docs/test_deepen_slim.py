"""What docs/deepen-slim.md shows is run."""

import re
import shlex
from pathlib import Path

from residua.cli.deepen import Options as DeepenOptions
from residua.cli.options import parse
from residua.cli.slim import Options as SlimOptions

TEXT = (Path(__file__).parents[2] / "docs" / "deepen-slim.md").read_text()


def test_the_python_runs(capsys):
    codes = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    assert len(codes) == 2
    for code in codes:
        exec(compile(code, "deepen-slim.md", "exec"), {})
    assert "Standing(error=" in capsys.readouterr().out


def test_the_commands_and_options_are_understood():
    kinds = {"deepen": DeepenOptions, "slim": SlimOptions}
    lines = re.findall(r"^    residua (.*)$", TEXT, flags=re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        command, *words = shlex.split(line)
        assert parse(command, kinds[command], words).run == "RUN"
    inline = re.findall(r"`(--[^`]+)`", TEXT)
    assert len(inline) >= 8
    for text in inline:
        option, *values = shlex.split(text)
        name = option.removeprefix("--").removeprefix("no-").replace("-", "_")
        kind = DeepenOptions if name in DeepenOptions.__dataclass_fields__ else SlimOptions
        if values:
            parse("x", kind, [option, *values])
        assert name in kind.__dataclass_fields__
