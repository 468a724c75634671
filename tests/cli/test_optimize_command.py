"""`residua optimize RUN`: a table, a folder that works, a page; and what it refuses."""

import dataclasses
import json

import pytest
import torch

from pictured import photograph, save
from residua import execute, recipes, runs
from residua.data.fit import Whole
from residua.data.loading import Splits
from residua.deploy import artefact, predictor
from residua.deploy.optimize_run import task_of
from residua.errors import ConfigError
from residua.report.optimize import Row
from served import serving


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Runs, one of a classifier of digits."""
    root = tmp_path_factory.mktemp("runs")
    digits = recipes.find("digits.resnet20")
    digits = dataclasses.replace(digits, net=dataclasses.replace(digits.net, depth=8))
    execute.run(digits.lasting(30), root=root, name="one", page=False)
    return root


def test_the_fastest_is_written_with_a_page_and_names_pictures(root, run, tmp_path):
    code, printed = run(
        "optimize", f"{root}/digits.resnet20/one", "--runs", str(root), "--batch", "1", "4",
        "--engines", "eager", "openvino", "--precisions", "float32", "--rounds", "1",
        "--pictures", "50", "--budget", "1",
    )  # fmt: skip
    assert code == 0, printed
    folder = root / "optimized" / "digits.resnet20_one"
    assert printed.strip().endswith(f"{folder}\n{folder}/optimize.html")
    for word in ("PyTorch, as it is", "OpenVINO float32", "ms, batch 4", "picked: "):
        assert word in printed
    facts = artefact.read(folder)
    trained = runs.load(root / "digits.resnet20" / "one")
    assert facts.classes == trained.classes
    assert (facts.shape, facts.fit, facts.batch_sizes) == ((1, 8, 8), Whole(), (1, 4))
    assert facts.run == "digits.resnet20/one"
    images = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)
    with torch.no_grad():
        expected = trained.net(trained.normalize(images))
    assert torch.allclose(artefact.engine(folder)(images), expected, atol=1e-3)
    rows = [Row(**row) for row in json.loads((folder / "optimized.json").read_text())["measured"]]
    assert [row.agreement for row in rows] == [100.0] * 3
    # A process of its own was asked.
    assert all(row.peak_bytes > 50e6 for row in rows[1:])
    assert all(row.seconds_to_open > 0 for row in rows[1:])
    page = (folder / "optimize.html").read_text()
    assert "50 validation pictures" in page
    assert "300 training pictures" in page
    is_in_use(run, folder, trained.folder, save(tmp_path / "a.png", photograph(30, 20)))


def is_in_use(run, folder, original, picture):
    """A picture is named and served as the run itself does."""
    with serving(predictor.load(folder)) as client:
        model = client.get("/v1/model").json()
        assert (model["engine"], model["maps"]) == (artefact.read(folder).candidate.name, False)
        answer = client.post("/v1/classify?top=1", content=picture.read_bytes()).json()
    named = answer["results"][0]["classes"][0]["class"]
    told = [run("predict", str(made), str(picture), "--top", "1") for made in (folder, original)]
    assert told[0] == told[1]
    assert told[0][0] == 0
    assert f": {named} " in told[0][1]
    for option, value, told in (
        ("--weights", "best", "optimize the run again with --weights best"),
        ("--precision", "bfloat16", "--precision is for runs"),
    ):
        code, printed = run("predict", str(folder), str(picture), option, value)
        assert (code, told in printed) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--batch", "0"), "speed is measured with different numbers of at least 1 picture"),
        (("--budget", "-1"), "the budget is points of error in [0, 100], got -1"),
        (("--pictures", "0"), "at least 1 picture is needed to compare on, got 0"),
        (
            ("--engines", "onnxruntime", "--precisions", "int8"),
            "onnxruntime cannot compute in int8 (there are PyTorch float32, ",
        ),
    ],
)
def test_what_has_no_sense_is_refused(root, run, words, told):
    code, printed = run("optimize", f"{root}/digits.resnet20/one", *words)
    assert code == 2
    assert told in printed


def test_without_a_run_and_with_a_detector_it_says_so(root, run, monkeypatch):
    code, printed = run("optimize", "no-such-run", "--runs", str(root))
    assert code == 4
    assert "no-such-run is not a run" in printed
    from residua.train.schedule import StepsConfig
    from test_detection import tiny

    detector = tiny(schedule=StepsConfig(lr=0.01, at=(), until=1))
    folder = execute.run(detector, root=root, page=False).folder
    code, printed = run("optimize", str(folder), "--runs", str(root))
    assert code == 2
    assert "is the run of a detector: optimize makes classifiers fast" in printed


def test_pictures_to_compare_on_are_never_tested_or_calibrated_on(root):
    trained = runs.load(root / "digits.resnet20" / "one")
    splits = trained.experiment.load_data()
    task, words = task_of(trained, 2000)
    assert len(task.sample.pixels) == len(splits.validation)
    assert task.sample.words == f"{len(splits.validation)} validation pictures"
    assert words == "300 training pictures"
    bare = Splits(train=splits.train, validation=None, test=splits.test)
    trained = dataclasses.replace(
        trained, experiment=dataclasses.replace(trained.experiment, data=bare)
    )
    task, _ = task_of(trained, 40)
    assert task.sample.words == "40 training pictures (the run has none to choose with)"
    known = {bytes(each.numpy().tobytes()) for each in task.calibration}
    train = {bytes(each.numpy().tobytes()) for each in splits.train.images}
    seen = {bytes(each.numpy().tobytes()) for each in task.sample.pixels}
    assert known <= train
    assert seen <= train
    assert not seen & known
    with pytest.raises(ConfigError, match="at least 1 picture"):
        task_of(trained, 0)
