"""The stand-alone loader: it reads as Residua reads, and needs none of it."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deploy.artefacts import NORMALIZE, optimized_folder
from pictured import photograph, save
from residua.data.fit import Center, Whole
from residua.data.pictures import read
from residua.deploy import artefact, loader, predictor
from residua.deploy.loader import Model, in_sizes
from residua.nets.cifar import resnet

# Ends the process where anything of Residua is imported.
ALONE = """
import runpy, sys
sys.modules["residua"] = None
sys.argv = ["load.py", *sys.argv[1:]]
runpy.run_path("load.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An artefact for PyTorch of a net with weights as drawn."""
    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("optimized") / "cifar"
    return optimized_folder(place, resnet(8), fit=Center(share=0.875))


def alone(folder, *words):
    """Run load.py where Residua cannot be imported; what it printed."""
    environment = {name: it for name, it in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, *map(str, words)],
        cwd=folder, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_residua_it_says_what_the_predictor_says(folder, tmp_path):
    pictures = [
        save(tmp_path / "a.jpg", photograph(90, 61), turn=6),
        save(tmp_path / "b.png", photograph(40, 90)),
    ]
    printed = alone(folder, *pictures, "--top", 10, "--check", 3).splitlines()
    told = json.loads(printed[0])
    assert told["milliseconds"] > 0
    assert told["peak_bytes"] > 50e6
    asked = predictor.Classifier(
        engine=artefact.engine(folder),
        classes=artefact.read(folder).classes,
        shape=(3, 32, 32),
        fit=Center(share=0.875),
        folder=folder,
        brightness=0.5,
    )
    for path, line in zip(pictures, printed[1:], strict=True):
        named = dict(re.findall(r"(\w+) ([\d.]+) %", line.partition(": ")[2]))
        expected = asked.probabilities(asked.read(path)[None])[0]
        assert len(named) == 10
        for name, share in zip(asked.classes, expected.tolist(), strict=True):
            assert float(named[name]) == pytest.approx(100 * share, abs=0.06)


def test_the_written_loader_holds_the_reading_and_no_import_of_ours(folder):
    text = (folder / "load.py").read_text()
    assert not re.search(r"^\s*(from|import) residua", text, flags=re.MULTILINE)
    assert "def upright_size(" in text
    assert len(text.splitlines()) < 450


@pytest.mark.parametrize("fit", [Center(share=0.875), Center(), Whole()])
@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_it_reads_as_training_and_testing_read(folder, tmp_path, fit, ending):
    model = Model(folder)
    model.facts["fit"] = {"kind": fit.kind, "share": getattr(fit, "share", 1.0)}
    for size, turn in (((300, 200), 1), ((200, 310), 6), ((20, 17), 3)):
        path = save(tmp_path / f"a{ending}", photograph(*size), turn=turn)
        expected = read(path, model.shape, fit)
        assert np.array_equal(model.read(path), expected.numpy())


def test_probabilities_are_the_softmax_and_names_are_in_their_order(folder, tmp_path):
    model = Model(folder)
    path = save(tmp_path / "a.png", photograph(40, 40))
    pixels = model.read(path)[None]
    logits = torch.from_numpy(model.logits(pixels))
    expected = logits.softmax(dim=1)[0]
    assert np.allclose(model.probabilities(pixels)[0], expected.numpy(), atol=1e-6)
    best = expected.topk(3)
    assert [name for name, _ in model.name(path)] == [model.classes[i] for i in best.indices]
    own = resnet(8)
    torch.manual_seed(0)
    own = resnet(8).eval()
    with torch.no_grad():
        known = own(NORMALIZE(torch.from_numpy(pixels)))
    assert torch.allclose(logits, known, atol=1e-4)


@given(
    count=st.integers(1, 100),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True),
)
def test_any_number_of_pictures_is_put_together_from_fixed_sizes(count, sizes):
    pixels = np.arange(count, dtype=np.float32).reshape(count, 1, 1, 1) + 1
    used = []

    def run(size, given):
        assert len(given) == size
        used.append(size)
        return given[:, 0, 0] * 2

    assert np.array_equal(in_sizes(run, pixels, sizes)[:, 0], 2 * pixels[:, 0, 0, 0])
    assert set(used) <= set(sizes)
    # At most half of what is computed is filling, but for the smallest size.
    assert sum(used) <= 2 * count + min(sizes)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, [1]), (3, [1, 1, 1]), (16, [32]), (20, [32]), (32, [32]), (33, [32, 1]), (50, [32, 32])],
)
def test_sizes_are_chosen_by_what_they_waste(count, expected):
    used = []

    def run(size, given):
        used.append(size)
        return given[:, 0, 0]

    in_sizes(run, np.zeros((count, 1, 1, 1)), (1, 32))
    assert used == expected


def test_the_most_memory_is_told_where_the_system_tells_it(monkeypatch):
    assert loader.peak_memory() > 10e6
    monkeypatch.setattr(loader.Path, "read_text", lambda _: "Name: python")
    assert loader.peak_memory() == 0


def test_a_run_is_a_run_whatever_lies_in_it(tmp_path):
    (tmp_path / artefact.FILE).write_text("{}")
    assert artefact.is_artefact(tmp_path)
    (tmp_path / "config.yaml").write_text("")
    assert not artefact.is_artefact(tmp_path)
