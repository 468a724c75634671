"""huggingface_hub itself, against a hub on this machine."""

import dataclasses

import pytest
from hub_server import served

from residua import execute, recipes
from residua.deploy import hub
from residua.errors import RunError

TOKEN = "hf_SecretOfWhoeverPushes"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The run of a classifier."""
    found = recipes.find("digits.resnet20")
    schedule = dataclasses.replace(found.schedule, until=1, warmup=0)
    net = dataclasses.replace(found.net, depth=8)
    found = dataclasses.replace(found, name="tests.digits", net=net, schedule=schedule)
    return execute.run(found, root=tmp_path_factory.mktemp("runs"), page=False).folder


@pytest.fixture
def client():
    """Make a client of a server, known by a token."""
    theirs = pytest.importorskip("huggingface_hub")
    theirs.utils.disable_progress_bars()
    yield lambda server: theirs.HfApi(endpoint=server.url, token=TOKEN)
    theirs.close_session()


def test_a_run_goes_there_and_comes_back_whole(digits, client, tmp_path):
    with served("ann/digits") as server:
        server.files["evaluations.jsonl"] = b"of a run that was there before"
        server.files["checkpoints/1.pt"] = b"evil"
        address = hub.push(digits, "ann/digits", hub=client(server))
        assert address == f"{server.url}/ann/digits"
        assert server.made["visibility"] == "private"
        sent = {*hub.held(digits), "README.md"}
        assert set(server.files) == sent | {"checkpoints/1.pt"}
        found = hub.pull("ann/digits", tmp_path / "mine", hub=client(server))
        asked = [path for path, _ in server.asked]
        assert {authorization for _, authorization in server.asked} == {f"Bearer {TOKEN}"}
    assert not [path for path in asked if path.endswith(".pt")]
    files = {
        path.relative_to(found.folder).as_posix(): path.read_bytes()
        for path in found.folder.rglob("*")
        if path.is_file()
    }
    assert set(files) == sent
    for name in hub.held(digits):
        assert files[name] == (digits / name).read_bytes()
    assert not [name for name, content in files.items() if TOKEN.encode() in content]


def test_a_repository_that_is_not_there_is_a_sentence(client, tmp_path):
    with served("ann/other") as server, pytest.raises(RunError) as refused:
        hub.pull("ann/digits", tmp_path / "mine", hub=client(server))
    text = str(refused.value)
    assert text.startswith("cannot pull ann/digits: ")
    assert "\n" not in text
    assert TOKEN not in text
    assert list(tmp_path.iterdir()) == []
