"""Every command of the documentation is carried out, trainings cut to two small updates.

Left out is what needs pictures that a reader would have to fetch, or a cluster; that such commands
are understood is tested beside this (`test_every_command`), as is what the README shows.
"""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from test_every_command import PAGES as TEXTS
from test_every_command import ROOT, STANDS_FOR, lines, words_of

import residua
from boxed import voc
from pictured import class_folders, save
from residua.cli.dispatch import main
from residua.nets.imagenet import ImagenetConfig

STANDS_FOR = STANDS_FOR | {"MODULE:ATTR": "torchvision:squeezenet1_1", "RUN": "last"}
# Pictures or weights to be fetched, and folders of a cluster.
FETCHED = {"cifar10", "mnist", "imagenet", "torchvision", "/shared/runs", "config.yaml"}
# Detectors are trained several times over; their own tests do so.
LONG = {"backbone", "detection-ladder", "detection.scenes"}
QUICK = {"train", "lab", "deepen", "slim"}


def is_left_out(words):
    """Tell whether a command cannot be carried out here."""
    needs = {*words} & (FETCHED | LONG) or any(
        word.startswith(("cifar.resnet", "$")) for word in words if words[0] in {"train", "lab"}
    )
    unnamed = words[:2] == ("residualize", "MODULE:ATTR") and "FILE" in words
    return bool(needs) or "--resume" in words or words[-1] == "docs" or unnamed


def commands_of(text):
    found = [tuple(words) for line in lines(text) if (words := words_of(line)) is not None]
    return [words for words in dict.fromkeys(found) if len(words) > 1 and not is_left_out(words)]


PAGES = {page: commands_of(text) for page, text in TEXTS.items() if page.startswith("docs/")}


def matched(word):
    """List what a pattern stands for, as a shell would."""
    return sorted(map(str, Path().glob(word))) if "*" in word else [word]


def written(words):
    """Say a command for the reader of these tests: short, on what is there."""
    named = [STANDS_FOR.get(word, word) for word in words]
    if words[:1] == ("compare",) and "RUN" in words:
        named = ["compare", "digits.plain20/seed0", "digits.resnet20/seed0"]
    if words[0] in {"deepen", "slim"}:
        named = ["digits.resnet20/seed0" if word == "last" else word for word in named]
    spread = [path for word in named for path in matched(word)]
    if words[0] == "reproduce" and not {"--list", "--show"} & {*words}:
        spread.append("--show")
    return [*spread, *(["--smoke"] if words[0] in QUICK and "--dry-run" not in words else [])]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folder of a reader: pictures, a VOC tree, detections, weights, a recipe, and six runs."""
    root = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "docs" / "pictures", root / "docs" / "pictures")
    shutil.copytree(ROOT / "records", root / "records")
    class_folders(root / "pictures", {"a": 60, "b": 60}, ending=".jpg")
    voc(root / "my_voc", {f"{i:03d}": [("dog", (3, 3, 20, 20))] for i in range(12)})
    save(root / "street.jpg")
    save(root / "more" / "picture.jpg")
    net = residua.resnet18(num_classes=3)
    settings = ImagenetConfig(depth=18, num_classes=3)
    residua.save(net, root / "net.safetensors", config=settings)
    (root / "mine_of_a_reader.py").write_text("from residua.recipes.digits import resnet20 as mine")
    found = {"image_id": "000", "category_id": 1, "bbox": [3, 3, 17, 17], "score": 0.9}
    (root / "detections.json").write_text(json.dumps([found]))
    for name in ("plain20", "resnet20"):
        words = ["train", f"digits.{name}", "--smoke", "--seeds", "3", "--runs", str(root / "runs")]
        assert main(words) == 0
    return root


@pytest.fixture
def reader(prepared, tmp_path, monkeypatch):
    """Go to a folder of one's own like that one."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


def test_most_commands_are_carried_out():
    assert sum(map(len, PAGES.values())) > 60


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", [page for page, found in PAGES.items() if found])
def test_the_commands_of_a_page_run(page, reader, capsys):
    failed = []
    if page == "docs/batchnorm.md":
        assert main(["train", "./pictures", "--smoke"]) == 0
    for words in PAGES[page]:
        typed = written(words)
        if main(typed) != 0:
            failed.append(f"{shlex.join(typed)}: {capsys.readouterr().err[-400:]}")
    assert not failed, "\n".join(failed)
