"""Runs pushed to a hub and pulled from it, without a network."""

import dataclasses
import fnmatch
import inspect
import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from pictured import photograph, save
from residua import execute, extras, recipes, runs
from residua.cli.dispatch import main
from residua.deploy import hub, predictor
from residua.deploy import hub_card as cards
from residua.errors import CheckpointError, ConfigError, RunError
from residua.report import record
from residua.train.schedule import StepsConfig
from test_detection import tiny

REPOSITORY = "ann/digits"


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


class FakeHub:
    """Keeps the files of repositories in memory, by the rules of huggingface_hub."""

    def __init__(self):
        self.files = {}
        self.private = {}

    def create_repo(self, repo_id, *, private, exist_ok):
        assert exist_ok
        self.private.setdefault(repo_id, private)
        self.files.setdefault(repo_id, {})
        return f"https://hub.example/{repo_id}"

    def upload_folder(
        self, *, repo_id, folder_path, allow_patterns, delete_patterns, commit_message
    ):
        assert commit_message
        there = self.files[repo_id]
        for name in [name for name in there if matches(name, delete_patterns)]:
            del there[name]
        for path in Path(folder_path).rglob("*"):
            name = path.relative_to(folder_path).as_posix()
            if path.is_file() and matches(name, allow_patterns):
                there[name] = path.read_bytes()

    def snapshot_download(self, repo_id, *, revision, local_dir, allow_patterns):
        if repo_id not in self.files:
            raise OSError(f"404 for {repo_id}, asked with hf_abcdefgh\nRequest ID: 1")
        for name, content in self.files[repo_id].items():
            if matches(name, allow_patterns):
                path = Path(local_dir) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        (Path(local_dir) / ".cache").mkdir()
        return local_dir


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The runs of a classifier and of a detector."""
    root = tmp_path_factory.mktemp("trained")
    digits = recipes.find("digits.resnet20")
    schedule = dataclasses.replace(digits.schedule, until=4, warmup=0)
    net = dataclasses.replace(digits.net, depth=8)
    digits = dataclasses.replace(digits, name="tests.digits", net=net, schedule=schedule)
    detector = tiny(schedule=StepsConfig(lr=0.01, at=(), until=1))
    return [execute.run(each, root=root, page=True).folder for each in (digits, detector)]


@pytest.fixture
def digits(trained, tmp_path):
    """The run of a classifier, for a test to do with as it likes."""
    return Path(shutil.copytree(trained[0], tmp_path / "runs/tests.digits/seed0"))


@pytest.fixture
def pushed(digits):
    made = FakeHub()
    hub.push(digits, REPOSITORY, hub=made)
    return made


SENT = {
    *("config.yaml", "events.jsonl", "results.csv", "README.md"),
    *("weights/best.safetensors", "weights/last.safetensors"),
}


def test_settings_record_weights_and_card_are_pushed_and_nothing_else(digits, pushed):
    assert list(digits.glob("checkpoints/*.pt"))
    assert (digits / "report.html").exists()
    assert set(pushed.files[REPOSITORY]) == SENT
    assert pushed.private == {REPOSITORY: True}


def test_what_is_pulled_answers_as_the_run_does(digits, pushed, tmp_path):
    found = hub.pull(REPOSITORY, tmp_path / "deep/mine", hub=pushed)
    files = {p.relative_to(found.folder).as_posix() for p in found.folder.rglob("*") if p.is_file()}
    assert files == SENT
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["mine"]
    own = predictor.load(digits)
    picture = own.read(save(tmp_path / "a.png"))[None]
    assert torch.equal(found.probabilities(picture), own.probabilities(picture))
    assert (found.classes, found.fit) == (own.classes, own.fit)


def test_a_detector_is_given_away_and_taken_over(trained, tmp_path):
    made = FakeHub()
    hub.push(trained[1], "ann/finder", public=True, hub=made)
    assert made.private == {"ann/finder": False}
    found = hub.pull("ann/finder", tmp_path / "finder", hub=made)
    own = predictor.load(trained[1])
    picture = own.read(save(tmp_path / "a.png", photograph(70, 50)))
    (one,), (other,) = found.find([picture], 0.0), own.find([picture], 0.0)
    assert len(one)
    assert torch.equal(one.boxes_D4, other.boxes_D4)
    text = made.files["ann/finder"]["README.md"].decode()
    assert "pipeline_tag: object-detection" in text
    assert "| mAP@.5, area under the curve | " in text
    assert "| resized | " in text


def test_pushing_another_run_leaves_nothing_of_the_one_before(digits, pushed):
    mine = pushed.files[REPOSITORY]
    mine["evaluations.jsonl"] = mine["notes.txt"] = b"of another run"
    (digits / "weights/best.safetensors").unlink()
    hub.push(digits, REPOSITORY, hub=pushed)
    assert set(mine) == SENT - {"weights/best.safetensors"} | {"notes.txt"}


def test_files_that_could_run_are_not_pulled(pushed, tmp_path):
    for name in ("checkpoints/1.pt", "report.html", "load.py", "weights/best.pt", "a/config.yaml"):
        pushed.files[REPOSITORY][name] = b"evil"
    found = hub.pull(REPOSITORY, tmp_path / "mine", hub=pushed)
    assert {p.name for p in found.folder.rglob("*")} == {Path(n).name for n in SENT} | {"weights"}


def test_a_hub_that_gives_more_than_it_is_asked_for_is_not_followed(pushed, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("mine")
    honest = pushed.snapshot_download

    def generous(repo_id, *, revision, local_dir, allow_patterns):
        honest(repo_id, revision=revision, local_dir=local_dir, allow_patterns=["*"])
        (Path(local_dir) / "run.py").write_text("evil")
        (Path(local_dir) / "README.md").unlink()
        (Path(local_dir) / "README.md").symlink_to(secret)

    pushed.snapshot_download = generous
    found = hub.pull(REPOSITORY, tmp_path / "mine", hub=pushed)
    assert not (found.folder / "run.py").exists()
    assert not (found.folder / "README.md").exists()
    assert secret.read_text() == "mine"


def without(name):
    return lambda there: there.pop(name)


def with_(name, content):
    return lambda there: there.update({name: content})


def changed(key, value):
    """Change what a record says at its start."""

    def change(there):
        first, *rest = there["events.jsonl"].decode().splitlines()
        lines = [json.dumps(json.loads(first) | {key: value}), *rest]
        there["events.jsonl"] = "\n".join(lines).encode()

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without("config.yaml"), "ann/digits holds no run of Residua: it has no config.yaml"),
        (without("events.jsonl"), "ann/digits holds no run of Residua: it has no events.jsonl"),
        (without("weights/last.safetensors"), "last.safetensors is missing"),
        (with_("weights/last.safetensors", b"\x80\x04cos\nsystem\n"), "not a safetensors file"),
        (with_("config.yaml", b"net: !!python/object/apply:os.system [touch evil]"), "config.yaml"),
        (with_("config.yaml", b"\xff\xfe"), "holds a damaged record"),
        (with_("events.jsonl", b"[1]\n[2]\n"), "holds a damaged record"),
        (changed("classes", ["\x1b]0;evil\x07"] * 10), "names of classes that are no text"),
        (changed("classes", [1] * 10), "names of classes that are no text"),
    ],
)
def test_what_is_no_run_is_refused_and_leaves_nothing(pushed, tmp_path, change, sentence):
    change(pushed.files[REPOSITORY])
    with pytest.raises(CheckpointError) as refused:
        hub.pull(REPOSITORY, tmp_path / "place/mine", hub=pushed)
    assert sentence in str(refused.value)
    assert str(tmp_path) not in str(refused.value)
    assert list((tmp_path / "place").iterdir()) == []
    assert not Path("evil").exists()


def test_a_run_is_never_overwritten(pushed, digits):
    with pytest.raises(ConfigError, match="is there, and runs are never overwritten"):
        hub.pull(REPOSITORY, digits, hub=pushed)


@pytest.mark.parametrize("name", ["digits", "a/b/c", "../x", "a/..", "ann/", "ann/di gits", "/x"])
def test_a_name_that_is_none_is_said(digits, name):
    for call in (lambda: hub.push(digits, name), lambda: hub.pull(name, Path("x"))):
        with pytest.raises(ConfigError, match="is no name of a repository: it must be OWNER/NAME"):
            call()


def test_what_a_hub_says_is_one_line_without_tokens(tmp_path):
    with pytest.raises(RunError) as refused:
        hub.pull("ann/none", tmp_path / "mine", hub=FakeHub())
    assert str(refused.value) == (
        "cannot pull ann/none: 404 for ann/none, asked with hf_... "
        "(`hf auth login`, or HF_TOKEN, says who you are)"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_weights_is_not_pushed(digits):
    made = FakeHub()
    (digits / "weights/last.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"last.safetensors is missing"):
        hub.push(digits, REPOSITORY, hub=made)
    assert made.files == {}


def test_no_hub_is_reached_where_that_is_forbidden(digits, monkeypatch):
    monkeypatch.setenv("RESIDUA_OFFLINE", "1")
    with pytest.raises(ConfigError, match="RESIDUA_OFFLINE forbids to reach a hub"):
        hub.push(digits, REPOSITORY)


def test_the_package_that_is_missing_is_named(digits, monkeypatch):
    monkeypatch.setattr(extras, "installed", lambda _: False)
    with pytest.raises(ConfigError, match=r'pip install "residua\[hub\]"'):
        hub.push(digits, REPOSITORY)


@pytest.mark.parametrize("name", ["create_repo", "upload_folder", "snapshot_download"])
def test_the_hub_that_is_meant_takes_what_ours_takes(name):
    theirs = pytest.importorskip("huggingface_hub").HfApi
    offered = inspect.signature(getattr(theirs, name)).parameters
    assert set(inspect.signature(getattr(hub.Hub, name)).parameters) <= set(offered)


def sections(text):
    _, head, body = text.split("---\n", 2)
    parts = body.split("\n## ")
    named = {part.partition("\n")[0]: part.partition("\n")[2] for part in parts[1:]}
    return yaml.safe_load(head), parts[0], named


def test_the_card_says_what_the_record_says(digits):
    head, title, named = sections(cards.card(digits, REPOSITORY))
    assert head == {
        "library_name": "residua",
        "pipeline_tag": "image-classification",
        "tags": ["residua"],
    }
    assert "# tests.digits, seed 0" in title
    start = runs.start(digits)
    log = [json.loads(line) for line in (digits / "events.jsonl").read_text().splitlines()]
    result = log[-1]
    assert f"| top-1 error | {result['test_error']:.2f} % |" in named["Result"]
    assert result["protocol"] == "top-1, one view of each picture"
    assert f"| {result['test_count']:,} | one view of each picture |" in named["Result"]
    assert named["Classes"].strip() == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert "| channels, height, width | 1 × 8 × 8 |" in named["Pictures that it takes"]
    assert "| channels | grey |" in named["Pictures that it takes"]
    assert f"{start['mean'][0]:g}" in named["Pictures that it takes"]
    learned, validated, tested = start["sizes"]
    images = f"{learned:,} to learn from, {validated:,} to choose with, {tested:,} to test on"
    assert images in named["Learned from"]
    assert start["command"] in named["Training"]
    assert "license" not in cards.card(digits, REPOSITORY)


def test_the_card_of_a_run_that_was_stopped_says_so(digits):
    lines = (digits / "events.jsonl").read_text().splitlines()
    (digits / "events.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    _, _, named = sections(cards.card(digits, REPOSITORY))
    assert named["Result"].strip().startswith("There is none: the record ends at iteration 4")


def test_later_tests_are_on_the_card_with_their_protocol(digits):
    test = {"kind": "evaluation", "images": "test", "count": 360, "weights": "best"}
    test |= {"protocol": "top-1, ten crops", "top1_error": 12.25, "top5_error": None}
    (digits / "evaluations.jsonl").write_text(json.dumps(test) + "\n")
    _, _, named = sections(cards.card(digits, REPOSITORY))
    row = "| top-1 error | 12.25 % | test images, weights best, tested again | 360 | ten crops |"
    assert row in named["Result"]


def test_places_of_a_machine_are_not_on_the_card(digits):
    config = (digits / "config.yaml").read_text()
    (digits / "config.yaml").write_text(config.replace("data:\n", "data:\n  path: /home/ann/x\n"))
    found = record.read(digits)
    assert found.settings["data"]["path"] == "/home/ann/x"
    assert "/home/ann" not in "\n".join(cards._data(found))


def test_names_of_classes_cannot_write_markdown():
    assert cards.plain("a*b_[x](y)<b>\n`c`") == r"a\*b\_\[x\](y)\<b\> \`c\`"


def test_the_commands_push_and_pull(digits, tmp_path, monkeypatch, capsys):
    made = FakeHub()
    monkeypatch.setattr(hub, "_hugging_face", lambda: made)
    assert main(["push", "tests.digits/seed0", REPOSITORY]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == f"https://hub.example/{REPOSITORY}"
    assert any(line.startswith("weights/best.safetensors: 0.") for line in told)
    assert any("of the test images, with mistakes" in line for line in told)
    assert main(["pull", REPOSITORY]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "names 10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, ...",
        "runs/ann/digits",
    ]
    save(tmp_path / "a.png")
    assert main(["predict", REPOSITORY, "a.png"]) == 0
    assert main(["pull", REPOSITORY]) == 2
    assert main(["evaluate", REPOSITORY]) == 0
