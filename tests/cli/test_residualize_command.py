"""The command, on nets of a module in the folder that one is in."""

import re
import runpy

import pytest
import torch
from safetensors.torch import save_file

MODULE = """
from torch import nn

def plain():
    layers = [nn.Linear(8, 16), nn.ReLU()]
    for _ in range(4):
        layers += [nn.Linear(16, 16), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(16, 3))

class Deciding(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x):
        if x.sum() > 0:
            x = x + 1
        return self.layer(x)

ready = plain()
number = 3

def needs(width):
    return plain()
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of one's own in the working folder."""
    (tmp_path / "own_nets.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "own_nets", raising=False)
    return tmp_path


def test_plan_weights_and_code_are_written_and_build_the_net(run, own):
    import own_nets

    weights = own_nets.plain().state_dict()
    save_file(weights, own / "old.safetensors")
    code, text = run(
        "residualize", "own_nets:plain", "--weights", "old.safetensors", "--example", "8"
    )
    assert code == 0, text
    assert re.search(r"span1 +2 +4 +16 +16 +2 +identity +0\n", text)
    assert re.search(r"span2 +6 +8 +16 +16 +2 +identity +0\n", text)
    assert "greatest change of the output: 0 (" in text
    out = own / "residual" / "own_nets-plain"
    assert str(out / "rebuild.py").removeprefix(f"{own}/") in text
    net = runpy.run_path(str(out / "rebuild.py"))["net"]()
    old = own_nets.plain()
    old.load_state_dict(weights)
    x = torch.randn(5, 8)
    assert torch.equal(net(x), old(x))


def test_an_edited_plan_is_taken(run, own):
    run("residualize", "own_nets:ready", "--example", "8", "--into", "first")
    plan = own / "first" / "plan.yaml"
    lines = plan.read_text().splitlines(keepends=True)
    plan.write_text("".join(line for line in lines if "span1" not in line))
    words = ("own_nets:ready", "--example", "8", "--plan", "first/plan.yaml", "--into", "second")
    code, text = run("residualize", *words)
    assert code == 0, text
    assert "span2" in text
    assert "span1" not in text
    code, text = run("residualize", *words, "--shortcut", "A")
    assert code == 2
    assert "--shortcut is in the plan" in text


def test_a_dry_run_writes_nothing(run, own):
    code, text = run("residualize", "own_nets:plain", "--example", "8", "--dry-run")
    assert code == 0
    assert "greatest change" in text
    assert not (own / "residual").exists()


def test_nets_of_ours_need_no_example(run):
    code, text = run("residualize", "cifar.plain20", "--shortcut", "A", "--dry-run")
    assert code == 0
    assert "9 times" in text
    assert len(re.findall(r" identity +0\n", text)) == 7
    assert len(re.findall(r" A +0\n", text)) == 2


@pytest.mark.parametrize(
    ("words", "exit_code", "sentence"),
    [
        (("own_nets:plain", "--example", "9"), 2, "does not take the example of 2x9 in 0: "),
        (("own_nets:plain", "--example", "8y"), 2, "like 3x224x224 or 784, got 8y"),
        (("own_nets:Deciding", "--example", "8"), 2, "own_nets.py, line 16, `if x.sum() > 0:`"),
        (("own_nets:number",), 2, "cannot be called without arguments"),
        (("own_nets:needs",), 2, "write a function that calls it"),
        (("own_nets:plan",), 2, "own_nets has no plan"),
        (("nothing:plain",), 2, "cannot import nothing"),
        (("own_nets:plain", "--example", "8", "--layers", "9"), 2, "9 weight layers between"),
        (("own_nets:plain", "--example", "8", "--weights", "no.pth"), 4, "no.pth: no such file"),
        (("own_nets:plain", "--example", "8", "--plan", "no.yaml"), 4, "no.yaml: no such plan"),
        (("detection.scenes",), 2, "is a detector"),
        (("cifar.resnet20", "--dry-run"), 2, "has an addition already"),
    ],
)
def test_what_does_not_go_is_answered_by_a_sentence(run, own, words, exit_code, sentence):
    code, text = run("residualize", *words)
    assert code == exit_code, text
    assert sentence in text
