"""`residua serve`: what it refuses before it listens, and its whole life as a process."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from residua import execute, extras, recipes
from residua.cli import serve
from residua.cli.serve import Options
from served import picture


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["last", "--port", "70000"], "port must be at least 0 and at most 65535"),
        (["last", "--together", "0"], "together must be at least 1"),
        (["last", "--limits.queue", "0"], "limits.queue must be above 0"),
        (["last", "--port", "0"], "no runs"),
        (["no/such/run", "--port", "0"], "is not a run"),
        (["last", "--port", "0", "--host", "192.0.2.1"], "cannot listen at 192.0.2.1"),
    ],
)
def test_what_makes_no_sense_is_refused(run, words, sentence):
    code, printed = run("serve", *words)
    assert code in {2, 4}
    assert sentence in printed


def test_a_taken_place_is_said(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, printed = run("serve", "last", "--port", port)
    assert code == 2
    assert f"127.0.0.1:{port}" in printed
    assert "--port" in printed


def test_what_is_missing_is_said_with_the_line_that_adds_it(run, monkeypatch):
    monkeypatch.setattr(extras, "installed", lambda name: name != "uvicorn")
    code, printed = run("serve", "last")
    assert code == 2
    assert 'a server needs uvicorn: pip install "residua[serve]"' in printed


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (Options("last"), {*serve.OWN}),
        (Options("last", hosts=("Mine.example",)), {*serve.OWN, "mine.example"}),
        (Options("last", host="0.0.0.0"), set()),
        (Options("last", host="localhost"), {*serve.OWN}),
        (Options("last", host="127.0.0.2"), {*serve.OWN, "127.0.0.2"}),
        (Options("last", host="::1"), {*serve.OWN}),
        (Options("last", host="::"), set()),
    ],
)
def test_names_are_checked_where_nobody_else_may_ask(options, names):
    assert serve._hosts(options) == names


def test_the_whole_life_of_a_server(tmp_path):
    """`make train`'s run, shortened: served, asked, told to stop."""
    recipe = recipes.find("digits.resnet20")
    short = dataclasses.replace(recipe.schedule, until=1, warmup=0)
    small = dataclasses.replace(recipe.net, depth=8)
    experiment = dataclasses.replace(recipe, schedule=short, net=small)
    execute.run(experiment, root=tmp_path / "runs", page=False)
    command = [sys.executable, "-m", "residua", "serve", "last", "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"RESIDUA_KEY": ""}
    )
    try:
        said = process.stdout.readline()
        assert said.startswith("serving digits.resnet20/seed0 at http://127.0.0.1:")
        place = said.split(" at ")[1].split(" ")[0]
        with urllib.request.urlopen(f"{place}model") as page:
            assert b"digits.resnet20/seed0" in page.read()
        asked = urllib.request.Request(f"{place}v1/classify?maps=true", data=picture())
        with urllib.request.urlopen(asked) as answer:
            (result,) = json.load(answer)["results"]
        assert len(result["classes"]) == 5
        assert "map" in result["classes"][0]
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert rest.strip() == "answered 1 of 1 accepted requests"
