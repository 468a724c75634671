"""What docs/export.md shows is run: files are written, and read as the page says, without us."""

import re
import shlex
from pathlib import Path

import pytest
import torch

from deploy.written import classifier, detector
from pictured import class_folders, photograph, save
from residua import runs
from residua.cli.export import Options
from residua.cli.options import parse
from residua.data.folder import FolderConfig, fit_of
from residua.data.pictures import read
from residua.deploy.convert.formats import ENDINGS, NEEDS
from residua.deploy.export import export
from residua.deploy.plan import ExportPlan
from residua.nets.cifar import CifarConfig
from residua.nets.imagenet import ImagenetConfig

TEXT = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
CODES = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
FILES = {
    "onnx": "net.onnx",
    "openvino": "net.xml",
    "pt2": "net.pt2",
    "safetensors": "net.safetensors",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with runs, pictures, and a file in every format."""
    root = tmp_path_factory.mktemp("page")
    class_folders(root / "pictures", {"cat": 8, "dog": 8})
    save(root / "picture.png", photograph(50, 30, seed=9))
    save(root / "street.png", photograph(90, 64, seed=10))
    data = FolderConfig(path=str(root / "pictures"), size=32)
    settings = {"data": data, "batch_size": 4}
    large = ImagenetConfig(depth=18, num_classes=2)
    with_torchvision = classifier(root / "runs", name="tests.large", net=large, **settings)
    export(with_torchvision, ExportPlan(to="torchvision", out=root / "net.pth", check=4))
    found = detector(root / "runs", pool="align")
    folder = classifier(root / "runs", net=CifarConfig(depth=8, num_classes=2), **settings)
    for to, name in FILES.items():
        export(folder, ExportPlan(to=to, out=root / name, check=4))
    export(found, ExportPlan(to="onnx", out=root / "detector.onnx", size=(64, 96), check=2))
    return root


def code_with(words):
    (found,) = [code for code in CODES if words in code]
    return found


def run(code, names):
    exec(compile(code, "export.md", "exec"), names)
    return names


@pytest.fixture
def reader(place, monkeypatch):
    for package in {package for packages in NEEDS.values() for package in packages}:
        pytest.importorskip(package)
    monkeypatch.chdir(place)
    return run(CODES[0], {})


def logits_of_the_run(place, name):
    """Compute by the run itself what the page computes by its files."""
    trained = runs.load(place / "runs" / name / "seed0")
    x = read(place / "picture.png", trained.shape, fit_of(trained.experiment.data))[None]
    with torch.no_grad():
        return x, trained.net(trained.normalize(x))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ('InferenceSession("net.onnx")', "tests.tiny"),
        ('read_model("net.xml")', "tests.tiny"),
        ('export.load("net.pt2"', "tests.tiny"),
        ('torch.load("net.pth"', "tests.large"),
    ],
)
def test_a_picture_gives_the_logits_of_the_run(reader, place, words, name, capsys):
    names = run(code_with(words), reader)
    x, expected = logits_of_the_run(place, name)
    given = torch.from_numpy(names["pixels"]("picture.png", names["card"]["picture"]))
    assert torch.equal(given, x)
    found = torch.as_tensor(names["logits"])
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    assert capsys.readouterr().out.strip() in {"cat", "dog"}


def test_weights_are_read_without_us(reader, capsys):
    names = run(code_with('safe_open("net.safetensors"'), reader)
    assert names["arrays"]["head.weight"].shape == (2, 64)
    assert "'cat', 'dog'" in capsys.readouterr().out


def test_a_detector_finds_objects_without_us(reader, capsys):
    names = run(code_with('"detector.onnx"'), reader)
    assert names["valid"].sum() > 0
    boxes = names["boxes"][names["valid"]]
    assert (boxes[:, 2] <= 90).all()
    assert (boxes[:, 3] <= 64).all()
    assert len(capsys.readouterr().out.splitlines()) == names["valid"].sum()


def test_files_are_written_in_python(reader, capsys):
    code = code_with("residua.ExportPlan")
    run(code, reader)
    assert "tests.tiny.pt2" in capsys.readouterr().out


def test_nothing_but_the_last_example_uses_residua():
    assert [("residua." in re.sub(r'"residua[^"]*"', "", code)) for code in CODES][-1]
    for code in CODES[:-1]:
        assert "import residua" not in code
        assert "from residua" not in code


def test_the_commands_and_options_are_understood():
    lines = re.findall(r"^    residua (.*)$", TEXT, flags=re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        command, *words = shlex.split(line)
        assert command == "export"
        assert parse(command, Options, words).run == "RUN"
    inline = re.findall(r"`(--[^`]+)`", TEXT)
    assert len(inline) >= 7
    for text in inline:
        option, *values = shlex.split(text)
        assert option.removeprefix("--") in Options.__dataclass_fields__
        if values:
            parse("export", Options, [option, *values])


def test_the_table_names_every_format():
    table = re.findall(r"^\| `(\w+)` \| (.*?) \|", TEXT, flags=re.MULTILINE)
    assert {name for name, _ in table} == ENDINGS.keys()
    for name, files in table:
        assert all(ending in files for ending in ENDINGS[name])
