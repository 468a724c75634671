"""What docs/residualize.md shows is run."""

import re
import shlex
from pathlib import Path

from residua.cli.dispatch import main
from residua.nn.gated import gated_sums
from residua.surgery import plan

TEXT = (Path(__file__).parents[2] / "docs" / "residualize.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def test_the_python_runs():
    (code,) = blocks("python")
    names = {}
    exec(compile(code, "residualize.md", "exec"), names)
    assert len(gated_sums(names["new"])) == 7
    assert [group["weight_decay"] for group in names["optimizer"].param_groups] == [1e-4, 0.0]


def test_the_commands_run(capsys):
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    for line in lines:
        name, *words = shlex.split(line)
        assert name == "residua"
        assert main(words) == 0, line
        assert "greatest change of the output: 0 (" in capsys.readouterr().out
    assert len(lines) == 3
    (built,) = Path.cwd().glob("residual/*")
    assert {path.name for path in built.iterdir()} == {
        *("plan.yaml", "rebuild.py", "weights.safetensors")
    }


def test_the_plan_is_one():
    (text,) = blocks("yaml")
    assert [span.name for span in plan.read(text).spans] == ["span1", "span2"]
