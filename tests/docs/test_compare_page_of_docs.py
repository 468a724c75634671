"""What docs/compare.md shows is run, and what it names exists."""

import re
import shlex
from pathlib import Path

from compared_runs import train
from residua import recipes
from residua.cli.dispatch import main
from residua.comparison import compare

TEXT = (Path(__file__).parents[2] / "docs" / "compare.md").read_text()


def test_the_commands_run(tmp_path, capsys):
    (block,) = re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    trained = [words[2] for words in lines if words[1] == "train"]
    for name in trained:
        for seed in range(3):
            train(tmp_path / "runs", recipes.find(name), 5.0 + seed, seed=seed)
    several = [words for words in lines if any("*" in word for word in words)]
    assert [words[1] for words in several] == ["compare", "report"]
    for words in several:
        folders = [str(path) for word in words[2:] for path in sorted(Path().glob(word))]
        assert len(folders) == 6
        assert main([words[1], *folders]) == 0
    first, second = (text for text in capsys.readouterr().out.split() if text.endswith(".html"))
    assert first == second
    found = compare([Path(folder) for folder in folders])
    assert [len(group.runs) for group in found.groups] == [3, 3]
