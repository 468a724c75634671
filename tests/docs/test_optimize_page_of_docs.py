"""What docs/optimize.md shows is run."""

import re
import shlex
from pathlib import Path

from residua import extras
from residua.cli.optimize import Options
from residua.cli.options import parse
from residua.deploy.artefact import loader_text
from residua.deploy.engines import candidate
from residua.deploy.task import OptimizePlan

TEXT = (Path(__file__).parents[2] / "docs" / "optimize.md").read_text()


def test_the_python_runs(monkeypatch, capsys):
    # As if nothing but PyTorch were installed: that is quick.
    monkeypatch.setattr(extras, "installed", lambda _: False)
    monkeypatch.setattr(candidate, "_no_compiler", lambda _: "left out")
    loading, code = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    exec(compile(code, "optimize.md", "exec"), {})
    assert "'picked'" in capsys.readouterr().out
    made = re.findall(r"(\w+)\(", loading)
    assert made == ["Model", "name"]
    assert "class Model:" in loader_text()
    assert "def name(self, path" in loader_text()


def test_the_options_are_understood_and_their_defaults_are_these():
    inline = re.findall(r"`(--[^`]+)`", TEXT)
    assert len(inline) >= 9
    for text in inline:
        option, *values = shlex.split(text)
        name = option.removeprefix("--").removeprefix("no-").replace("-", "_")
        if name == "check":  # of load.py
            continue
        assert name in Options.__dataclass_fields__
        if values and name not in {"engines", "precisions"}:
            assert getattr(parse("optimize", Options, [option, *values]), name) == getattr(
                Options(), name
            )
    assert (Options().budget, Options().batch, Options().rounds) == (
        OptimizePlan().budget,
        OptimizePlan().batch_sizes,
        OptimizePlan().rounds,
    )
