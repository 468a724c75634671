"""`residua lab responses|gradients|lesion|surface`, as docs/inside.md shows them."""

import dataclasses
import json
import re
import shlex
from pathlib import Path

import pytest

from residua import execute, plots, recipes
from residua.cli.dispatch import main
from residua.config import to_yaml
from residua.recipes import detection

DOCS = (Path(__file__).parents[2] / "docs" / "inside.md").read_text()
COMMANDS = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```sh\n(.*?)```", DOCS, flags=re.DOTALL)
    for line in block.splitlines()
    if line.startswith("residua lab")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("inside")
    for name in ("plain20", "resnet20"):
        recipe = recipes.find(f"digits.{name}")
        tiny = dataclasses.replace(
            recipe,
            net=dataclasses.replace(recipe.net, depth=8),
            schedule=dataclasses.replace(recipe.schedule, until=3, warmup=0),
        )
        execute.run(tiny, root=root / "runs", page=False)
    return root


@pytest.fixture
def run(capsys, folder, monkeypatch):
    monkeypatch.chdir(folder)

    def call(*words):
        code = main(list(words))
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_of_the_page_draws(words, run, monkeypatch):
    # One of them in full: slides are drawn elsewhere.
    if words != COMMANDS[0]:
        for name in ("profiles_for_slides", "contours_for_slides"):
            monkeypatch.setattr(plots, name, lambda *_, **__: ("<svg/>", b""))
    code, text = run(*words[1:], "--smoke")
    assert code == 0, text
    page = Path(text.split()[-1])
    study = words[2]
    assert page.name == "report.html"
    assert page.parent.name.startswith(study)
    html = page.read_text()
    assert "n = 1 run of each network; 16 validation pictures" in html
    assert html.count("<svg") >= 2
    found = json.loads((page.parent / f"{study}.json").read_text())
    assert found["study"] == study
    assert list(page.parent.glob("*.png"))


def test_the_page_shows_all_four():
    assert {words[2] for words in COMMANDS} == {"responses", "gradients", "lesion", "surface"}
    assert any("drawn" in words for words in COMMANDS)


def test_a_plain_net_has_no_paths_and_its_gradients_all_the_same(run):
    code, text = run("lab", "gradients", "digits.plain20/seed0", "--smoke")
    assert code == 0
    assert "no blocks" in text
    page = Path(text.split()[-1]).read_text()
    assert "Gradient by depth" in page
    assert "length of paths" not in page


def test_bad_input_is_a_sentence(run, folder):
    detector = folder / "runs" / "scenes" / "one"
    detector.mkdir(parents=True)
    (detector / "config.yaml").write_text(to_yaml(detection.scenes()))
    half = folder / "runs" / "digits.plain20" / "half"
    half.mkdir()
    whole = folder / "runs" / "digits.plain20" / "seed0"
    (half / "config.yaml").write_text((whole / "config.yaml").read_text())
    first = (whole / "events.jsonl").read_text().splitlines()[0]
    (half / "events.jsonl").write_text(f"{first}\n")
    for study in ("responses", "gradients", "lesion", "surface"):
        code, text = run("lab", study, "scenes/one")
        assert (code, text.count("\n")) == (2, 1)
        assert "is the run of a detector" in text
        code, text = run("lab", study, "digits.plain20/half")
        assert (code, text.count("\n")) == (4, 1)
        assert "has not come to its end" in text
    code, text = run("lab", "surface", "digits.plain20/seed0", "--points", "4", "--pictures", "4")
    assert code == 2
    assert "must be odd" in text
    code, text = run("lab", "lesion", "digits.plain20/seed7")
    assert code == 4
    assert "is not a run" in text


def test_a_run_without_blocks_has_nothing_to_delete(run, folder):
    recipe = recipes.find("digits.resnet20")
    net = dataclasses.replace(recipe.net, depth=8, shortcut="exclusive_gating")
    gated = dataclasses.replace(recipe, net=net, schedule=recipe.schedule.scaled(1))
    execute.run(gated, root=folder / "gated", page=False)
    code, text = run("lab", "lesion", str(folder / "gated" / "digits.resnet20" / "seed0"))
    assert (code, text.count("\n")) == (2, 1)
    assert "neither residual nor plain blocks" in text
    assert "seed0" in text
