"""`residua export` prints what it wrote, and answers what it cannot write with a sentence."""

import re

import pytest

from deploy.written import classifier


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("exported")
    classifier(root / "runs")
    return root


def test_it_says_what_goes_in_what_comes_out_and_how_near_it_is(place, run, monkeypatch):
    monkeypatch.chdir(place)
    code, text = run("export", "last", "--to", "pt2", "--check", "9", "--pixels", "float32")
    assert code == 0
    lines = text.splitlines()
    assert lines[0] == "pt2"
    assert re.search(r"^takes +Nx1x8x8 pixels in \[0, 255\], float32, any N$", text, re.MULTILINE)
    assert re.search(r"^gives +logits Nx10$", text, re.MULTILINE)
    assert re.search(
        r"^compared +9 of 360 validation pictures: largest difference of a logit \S+ \(\S+ of the "
        r"largest logit, 0\.001 allowed\), same class for 100\.0 %$",
        text,
        re.MULTILINE,
    )
    assert lines[-1] == "runs/tests.tiny/seed0/export/tests.tiny.pt2"
    assert (place / lines[-1]).is_file()


def test_what_is_in_the_way_has_its_exit_code(place, run, monkeypatch, tmp_path):
    monkeypatch.chdir(place)
    (tmp_path / "net.safetensors").write_text("mine")
    words = ("export", "last", "--to", "safetensors", "--out", str(tmp_path / "net.safetensors"))
    code, text = run(*words)
    assert (code, (tmp_path / "net.safetensors").read_text()) == (2, "mine")
    assert "exists (name another file with --out, or replace it with --overwrite)" in text
    code, text = run(*words, "--overwrite", "--check", "0")
    assert code == 0
    assert "not compared" in text
    code, text = run("export", "last", "--to", "torchvision")
    assert code == 2
    assert "torchvision has no such net: " in text
    assert "unexpected" not in text
    assert run("export", "nothing")[0] == 4
    assert run("export", "last", "--to", "coreml")[0] == 2
