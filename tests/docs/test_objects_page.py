"""What docs/objects.md shows in Python is run."""

import re
from pathlib import Path

from residua.data.recognise_objects import recognise_objects

TEXT = (Path(__file__).parents[2] / "docs" / "objects.md").read_text()


def test_the_made_scenes_become_a_voc_tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    exec(compile(code, "objects.md", "exec"), {})
    found = recognise_objects("scenes_as_voc").load()
    assert [len(part) for part in (found.train, found.validation, found.test)] == [40, 10, 10]
    assert found.train.classes == tuple("0123456789")
