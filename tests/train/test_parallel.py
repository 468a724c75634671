"""Two processes on the processor, started by torchrun as a user would."""

import csv
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from residua import events
from residua.errors import ConfigError
from residua.train.parallel import World

SCRIPT = '''
import os, signal, sys
import torch
from torch import nn
from residua import execute
from residua.data.augment import PadCropFlip
from residua.data.sets import DigitsConfig
from residua.experiment import Experiment
from residua.train.schedule import StepsConfig

execute.CHECKPOINT_SECONDS, execute.CHECKPOINT_SHARE = 0.0, float("inf")
WHERE, LOST = sys.argv[1], sys.argv[2] == "lose"


class Frozen(nn.BatchNorm2d):
    """Keeps its statistics, so that a batch may be cut in two."""

    def train(self, mode=True):
        return super().train(False)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), Frozen(4), nn.ReLU(), nn.Dropout(0.0))
        self.head = nn.Linear(4, 10)
        self.calls = 0

    def forward(self, x):
        self.calls += self.training
        first_life = os.environ.get("TORCHELASTIC_RESTART_COUNT") == "0"
        if LOST and self.calls == 7 and first_life and os.environ.get("RANK") == "1":
            os.kill(os.getpid(), signal.SIGKILL)
        return self.head(self.body(x).mean((2, 3)))


experiment = Experiment(
    name="two", net=Net, data=DigitsConfig(), schedule=StepsConfig(lr=0.2, at=(8,), until=12),
    augment=PadCropFlip(pad=1, flip=False), batch_size=128, precision="float32",
)
result = execute.run(experiment, root=WHERE, name="run", page=False)
if os.environ.get("RANK", "0") == "1":
    print("second", result.test_error)
'''


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "two.py"
    path.write_text(SCRIPT)
    return path


def train(script, where, *, processes, lose=False, restarts=0):
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        command += [f"--max-restarts={restarts}", "--monitor-interval=0.2"]
    command += [str(script), str(where), "lose" if lose else "keep"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def losses(where):
    with (where / "two" / "run" / "results.csv").open() as file:
        return [float(row["train_loss"]) for row in csv.DictReader(file)]


def last_weights(where):
    return load_file(where / "two" / "run" / "weights" / "last.safetensors")


@pytest.mark.skipif(sys.platform == "win32", reason="needs gloo and POSIX signals")
def test_two_processes_do_what_one_does_and_survive_the_loss_of_one(script, tmp_path):
    alone, both, lost = (tmp_path / name for name in ("alone", "both", "lost"))
    train(script, alone, processes=1)
    said = train(script, both, processes=2)
    # Joining anew may fail too, on a busy machine: torchrun tries again.
    train(script, lost, processes=2, lose=True, restarts=3)

    expected = losses(alone)
    assert len(expected) == 2
    assert losses(both) == pytest.approx(expected, abs=1e-5)
    assert losses(lost) == pytest.approx(expected, abs=1e-5)
    for where in (both, lost):
        for name, value in last_weights(where).items():
            assert torch.allclose(value, last_weights(alone)[name], atol=1e-5), name

    record = events.read(lost / "two" / "run")
    assert [event["kind"] for event in record].count("resume") >= 1
    assert [p.name for p in (lost / "two").iterdir()] == ["run"]
    one, two = (events.result(events.read(where / "two" / "run")) for where in (alone, both))
    assert one["test_count"] == two["test_count"] == 360
    assert one["confusion"] == two["confusion"]
    assert events.first(events.read(both / "two" / "run"), "start")["environment"]["processes"] == 2
    assert said.strip() == f"second {two['test_error']}"


def test_a_batch_that_cannot_be_shared_out_is_refused():
    world = World(1, 3, torch.device("cpu"))
    assert world.share(12) == slice(4, 8)
    with pytest.raises(ConfigError, match="a batch of 128 cannot be shared out evenly to 3"):
        world.share(128)


@pytest.mark.parametrize(("size", "count"), [(1, 7), (2, 7), (3, 8), (4, 4)])
def test_every_picture_is_tested_by_one_process(size, count):
    shares = [World(rank, size, torch.device("cpu")).mine(count) for rank in range(size)]
    assert torch.cat(shares).sort().values.tolist() == list(range(count))
