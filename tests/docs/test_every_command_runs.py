"""Every command of the documentation is carried out, trainings cut to two small updates.

Left out is what needs pictures that a reader would have to fetch, or a cluster; that such commands
are understood is tested beside this (`test_every_command`), as is what the README shows.
"""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from test_every_command import FOUND, ROOT, STANDS_FOR, WHOLE

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
    return bool(needs) or "--resume" in words or words[-1] == "docs"


PAGES = {
    page: [words for words in WHOLE if FOUND[words] == page and not is_left_out(words)]
    for page in dict.fromkeys(FOUND.values())
    if page.startswith("docs/")
}


def matched(word):
    """List what a pattern stands for, as a shell would."""
    return sorted(map(str, Path().glob(word))) if "*" in word else [word]


def written(words):
    """Say a command for the reader of these tests: short, on what is there."""
    named = [STANDS_FOR.get(word, word) for word in words]
    if words[:1] == ("compare",) and "RUN" in words:
        named = ["compare", "digits.plain20/seed0", "digits.resnet20/seed0"]
    spread = [path for word in named for path in matched(word)]
    if words[0] == "reproduce" and not {"--list", "--show"} & {*words}:
        spread.append("--show")
    return [*spread, *(["--smoke"] if words[0] in QUICK and "--dry-run" not in words else [])]


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """The folder of a reader: pictures, a VOC tree, detections, weights, a recipe, and two runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    shutil.copytree(ROOT / "docs" / "pictures", tmp_path / "docs" / "pictures")
    shutil.copytree(ROOT / "records", tmp_path / "records")
    class_folders(tmp_path / "pictures", {"a": 60, "b": 60}, ending=".jpg")
    voc(tmp_path / "my_voc", {f"{i:03d}": [("dog", (3, 3, 20, 20))] for i in range(12)})
    save(tmp_path / "street.jpg")
    save(tmp_path / "more" / "picture.jpg")
    net = residua.resnet18(num_classes=3)
    residua.save(net, "net.safetensors", config=ImagenetConfig(depth=18, num_classes=3))
    (tmp_path / "mine_of_a_reader.py").write_text(
        "from residua.recipes.digits import resnet20 as mine"
    )
    found = {"image_id": "000", "category_id": 1, "bbox": [3, 3, 17, 17], "score": 0.9}
    (tmp_path / "detections.json").write_text(json.dumps([found]))
    for name in ("plain20", "resnet20"):
        assert main(["train", f"digits.{name}", "--smoke", "--seeds", "3"]) == 0
    return tmp_path


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
