"""The fastest that passes is kept; what fails, is not here or is not accurate is named."""

import dataclasses
import json

import pytest
import torch
from torch import nn

import residua
from deploy.artefacts import NORMALIZE, pixels
from residua.deploy import attempt, optimize
from residua.deploy.engines.candidate import Candidate
from residua.deploy.task import OptimizePlan
from residua.errors import ConfigError, RunError, ShapeError
from residua.nets.cifar import resnet
from settled import settled

EAGER = Candidate(kind="eager")
EAGER_16 = Candidate(kind="eager", precision="bfloat16")
OPENVINO = Candidate(kind="openvino")
INT8 = Candidate(kind="openvino", precision="int8")


def plan(*engines, **changes):
    values = {"engines": engines or (EAGER,), "batch_sizes": (1, 3), "rounds": 2, "alone": False}
    return OptimizePlan(**(values | {"device": "cpu"} | changes))


def small(seed=3):
    torch.manual_seed(seed)
    return settled(resnet(8))


@pytest.fixture
def times(monkeypatch):
    """Say how long each engine takes, the net as it is first, in seconds for any batch."""

    def set_to(*seconds):
        monkeypatch.setattr(
            optimize,
            "interleaved",
            lambda calls, rounds: [[one] * rounds for one, _ in zip(seconds, calls, strict=False)],
        )

    return set_to


def by_name(found):
    return {row.name: row for row in found.rows}


def test_the_fastest_that_passes_is_kept_and_works(times, tmp_path):
    times(0.04, 0.02, 0.01)
    net, images = small(), pixels(5)
    found = residua.optimize(
        net, images, normalize=NORMALIZE, plan=plan(EAGER, OPENVINO), folder=tmp_path / "fast"
    )
    with torch.no_grad():
        expected = net(NORMALIZE(images))
    assert torch.allclose(found(images), expected, atol=1e-3)
    assert found.facts.candidate == OPENVINO
    assert [row.status for row in found.rows] == ["reference", "passed", "picked"]
    picked = found.rows[2]
    assert picked.milliseconds == (10.0, 10.0)
    assert picked.quartiles == ((10.0, 10.0), (10.0, 10.0))
    assert picked.agreement == 100.0
    assert picked.change is None
    names = {path.name for path in (tmp_path / "fast").iterdir()}
    assert names == {"model.xml", "model.bin", "optimized.json", "load.py"}
    told = json.loads((tmp_path / "fast" / "optimized.json").read_text())
    assert told["kind"] == "openvino"
    assert [row["name"] for row in told["measured"]] == [row.name for row in found.rows]
    again = residua.deploy.artefact.engine(tmp_path / "fast")
    assert torch.equal(again(images), found(images))
    # Nothing else is left beside it.
    assert [path.name for path in tmp_path.iterdir() if path.name != "matplotlib"] == ["fast"]


def test_the_geometric_mean_over_all_batches_decides(monkeypatch):
    # Batch 1 and 3 of: the net, float32, bfloat16: 2 x 2 beats 1 x 3.
    taken = iter([[[4.0], [2.0], [4.0]], [[6.0], [3.0], [2.0]]])
    monkeypatch.setattr(optimize, "interleaved", lambda _, rounds: next(taken))
    found = residua.optimize(
        small(), pixels(), normalize=NORMALIZE, plan=plan(EAGER, EAGER_16, budget=100.0)
    )
    assert found.facts.candidate == EAGER


def test_what_is_fast_and_wrong_is_not_picked(times, monkeypatch):
    times(0.04, 0.02, 0.001)
    net, images = small(), pixels(50)
    labels = net.eval()(NORMALIZE(images)).argmax(dim=1)
    real = attempt.artefact.engine

    def shifted(folder, **options):
        engine = real(folder, **options)
        wrong = "bfloat16" in folder.name
        return lambda given: engine(given).roll(1, dims=1) if wrong else engine(given)

    monkeypatch.setattr(attempt.artefact, "engine", shifted)
    both = plan(EAGER, EAGER_16)
    found = residua.optimize(net, images, normalize=NORMALIZE, labels=labels, plan=both)
    assert found.facts.candidate == EAGER
    wrong = by_name(found)["PyTorch bfloat16"]
    assert (wrong.status, wrong.error, wrong.change) == ("inaccurate", 100.0, 100.0)
    assert wrong.why == "+100.00 points of error, above the budget"
    assert wrong.milliseconds == (1.0, 1.0)
    blind = residua.optimize(net, images, normalize=NORMALIZE, plan=both)
    assert by_name(blind)["PyTorch bfloat16"].status == "inaccurate"
    allowed = dataclasses.replace(both, budget=100.0)
    loose = residua.optimize(net, images, normalize=NORMALIZE, labels=labels, plan=allowed)
    assert loose.facts.candidate == EAGER_16
    with pytest.raises(ConfigError, match=r"no engine that was tried passes \(PyTorch bfloat16: "):
        residua.optimize(net, images, normalize=NORMALIZE, plan=plan(EAGER_16))


def test_an_engine_that_fails_or_is_not_here_is_named_and_ends_nothing(times, monkeypatch):
    times(0.04, 0.02)
    real = attempt.build

    def broken(chosen, job, folder):
        if chosen == OPENVINO:
            raise RuntimeError("no such operation: roll\nat line 7")
        real(chosen, job, folder)

    monkeypatch.setattr(attempt, "build", broken)
    monkeypatch.setattr(
        attempt, "absent", lambda chosen, _: "needs nncf: pip" if chosen == INT8 else None
    )
    found = residua.optimize(
        small(), pixels(), normalize=NORMALIZE, plan=plan(INT8, OPENVINO, EAGER)
    )
    told = {row.name: (row.status, row.why) for row in found.rows[1:]}
    assert told == {
        "OpenVINO int8": ("absent", "needs nncf: pip"),
        "OpenVINO float32": ("failed", "RuntimeError: no such operation: roll"),
        "PyTorch float32": ("picked", ""),
    }


class Branching(nn.Module):
    """A net that no tracer follows: its way depends on what it sees."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 10)

    def forward(self, x):
        pooled = x.mean(dim=(2, 3))
        return self.head(pooled if float(pooled.sum()) > 0 else -pooled)


def test_a_net_that_cannot_be_traced_is_told_in_a_sentence():
    with pytest.raises(ConfigError, match=r"no engine that was tried passes \(PyTorch float32: "):
        residua.optimize(Branching(), pixels(), normalize=NORMALIZE, plan=plan())


def test_a_net_alone_takes_what_the_net_takes(times):
    times(0.02, 0.01)
    net = small()
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    net.train()
    found = residua.optimize(net, images, plan=plan(OPENVINO))
    assert net.training
    with torch.no_grad():
        assert torch.allclose(found(images), net.eval()(images), atol=1e-3)
    assert found.facts.pixels == "float32"
    assert found.folder is None


def test_what_has_no_sense_is_refused(tmp_path):
    net, images = small(), pixels()
    with pytest.raises(ConfigError, match="the example must be float32 as the net takes it"):
        residua.optimize(net, images)
    with pytest.raises(ShapeError, match=r"must be N, C, H, W pictures, got \(3, 32, 32\)"):
        residua.optimize(net, images[0], normalize=NORMALIZE)
    with pytest.raises(ShapeError, match=r"6 pictures need as many labels, got \(2,\)"):
        residua.optimize(net, images, normalize=NORMALIZE, labels=torch.tensor([0, 1]))
    with pytest.raises(ConfigError, match=r"must give logits N, K for its pictures, got \(1, 3, "):
        residua.optimize(nn.Conv2d(3, 3, 3), images, normalize=NORMALIZE)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(RunError, match="full holds something already"):
        residua.optimize(net, images, normalize=NORMALIZE, plan=plan(), folder=tmp_path / "full")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"batch_sizes": ()}, "got none in 10"),
        ({"batch_sizes": (0, 4)}, "got 0 and 4 in 10"),
        ({"batch_sizes": (4, 4)}, "different numbers"),
        ({"rounds": 0}, "in 0"),
        ({"budget": -0.1}, r"points of error in \[0, 100\], got -0.1"),
        ({"engines": ()}, "no engine is named"),
    ],
)
def test_a_plan_without_sense_is_refused(changes, told):
    with pytest.raises(ConfigError, match=told):
        OptimizePlan(**changes).check()
