import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from residua import conduct, events, execute, files, outcome, runs
from residua.classification import Classification
from residua.data.augment import RotateShift
from residua.data.images import ImageSet
from residua.data.loading import Origin, Splits
from residua.data.sets import DigitsConfig
from residua.errors import CheckpointError, ConfigError, DataError, RunError, ShapeError
from residua.experiment import Experiment
from residua.nets.cifar import CifarConfig
from residua.session import Session
from residua.train.average import AverageConfig
from residua.train.memory import choose
from residua.train.parallel import World
from residua.train.schedule import CosineConfig, StepsConfig


def tiny(**changes):
    settings = {
        "name": "tests.tiny",
        "net": CifarConfig(depth=8, in_channels=1),
        "data": DigitsConfig(),
        "schedule": CosineConfig(lr=0.05, until=12),
        "augment": RotateShift(),
        "batch_size": 256,
        "precision": "float32",
    }
    return Experiment(**settings | changes)


class StopAt:
    """Sends this process Ctrl-C at one update."""

    def __init__(self, iteration):
        self.iteration = iteration

    def __call__(self, event):
        if event["kind"] == "update" and event["iteration"] == self.iteration:
            os.kill(os.getpid(), signal.SIGINT)


def run(experiment, **options):
    return execute.run(experiment, page=False, **options)


def resume(folder, **options):
    return execute.resume(folder, page=False, **options)


def weights(folder, which="last"):
    return load_file(folder / "weights" / f"{which}.safetensors")


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


def test_a_record_tells_files_that_are_not_the_authors():
    digits = DigitsConfig().load()
    strange = Origin(
        "CIFAR-10", {"data_batch_1": "0f" * 16, "test_batch": "ab" * 16}, ("test_batch",)
    )
    splits = dataclasses.replace(digits, origin=strange)
    folder = execute.run(tiny(data=splits, schedule=CosineConfig(lr=0.05, until=1))).folder
    assert runs.start(folder)["origin"] == {
        "title": "CIFAR-10",
        "md5": {"data_batch_1": "0f" * 16, "test_batch": "ab" * 16},
        "foreign": ["test_batch"],
    }
    page = (folder / "report.html").read_text()
    assert (
        "read from test_batch, not byte for byte as the authors of CIFAR-10 distribute it" in page
    )


def test_a_run_folder_holds_what_the_guide_says():
    result = execute.run(tiny())
    found = {str(p.relative_to(result.folder)) for p in result.folder.rglob("*") if p.is_file()}
    assert found == {
        "config.yaml",
        "events.jsonl",
        "report.html",
        "results.csv",
        "weights/best.safetensors",
        "weights/last.safetensors",
        "checkpoints/000000001.pt",
        "checkpoints/000000012.pt",
    }
    assert str(result.folder) == "runs/tests.tiny/seed0"


def four_fifths():
    """Bytes that make a tiny training recompute some of its activations."""
    session = Session(tiny(), World(0, 1, torch.device("cpu")))
    return round(0.8 * choose(session.profile(), 256).plain)


def test_a_run_in_little_memory_comes_to_the_same_and_says_what_it_did(monkeypatch):
    for constant in ("PROCESS_BYTES", "FRAGMENTS", "HOLES"):
        monkeypatch.setattr(f"residua.train.memory.{constant}", {})
    plain, seen = run(tiny()), []
    budget = four_fifths()
    saving = run(tiny(), memory=budget, listen=seen.append)
    assert same(weights(plain.folder), weights(saving.folder))
    kept = runs.start(saving.folder)["memory"]
    assert kept["budget"] == budget
    assert kept["peak"] <= budget < kept["plain"]
    assert kept["segments"]
    assert "recomputing activations of" in kept["sentence"]
    assert "memory" not in runs.start(plain.folder)
    assert [e["memory"]["sentence"] for e in seen if e["kind"] == "start"] == [kept["sentence"]]


def test_a_run_resumed_in_little_memory_goes_on_bit_for_bit(monkeypatch):
    for constant in ("PROCESS_BYTES", "FRAGMENTS", "HOLES"):
        monkeypatch.setattr(f"residua.train.memory.{constant}", {})
    straight = run(tiny())
    with pytest.raises(RunError):
        run(tiny(), listen=StopAt(6))
    folder = straight.folder.with_name("seed0-2")
    resumed = resume(folder, memory=four_fifths())
    assert same(weights(straight.folder), weights(resumed.folder))
    assert events.first(events.read(folder), "resume")["memory"]["segments"]


def test_little_memory_and_compilation_exclude_one_another():
    with pytest.raises(ConfigError, match="memory is for training without compile"):
        run(tiny(compile=True), memory=10**9)


def test_equal_runs_give_equal_files_and_no_run_is_overwritten():
    one, two = run(tiny()), run(tiny())
    assert two.folder.name == "seed0-2"
    assert (one.folder / "results.csv").read_text() == (two.folder / "results.csv").read_text()
    assert same(weights(one.folder), weights(two.folder))
    assert one.test_error == two.test_error


def test_another_seed_gives_another_net():
    one, two = run(tiny()), execute.run(tiny(seed=1))
    assert not same(weights(one.folder), weights(two.folder))


@pytest.mark.parametrize("iteration", [1, 4, 6, 11])
def test_an_interrupted_run_goes_on_bit_for_bit(iteration):
    straight = run(tiny(), name="straight")
    with pytest.raises(RunError, match=f"interrupted after iteration {iteration} of 12") as caught:
        run(tiny(), name="halves", listen=StopAt(iteration))
    assert f"residua train --resume {straight.folder.parent}/halves" in str(caught.value)
    resumed = resume(straight.folder.parent / "halves")
    for which in ("last", "best"):
        assert same(weights(straight.folder, which), weights(resumed.folder, which))
    assert (straight.folder / "results.csv").read_text() == (
        resumed.folder / "results.csv"
    ).read_text()
    assert resumed.test_error == straight.test_error


def test_dropout_goes_on_bit_for_bit():
    def net():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10))

    straight = run(tiny(net=net()), name="straight")
    with pytest.raises(RunError):
        run(tiny(net=net()), name="halves", listen=StopAt(5))
    resumed = resume(straight.folder.parent / "halves", net=net())
    assert same(weights(straight.folder), weights(resumed.folder))


def test_a_killed_run_goes_on_bit_for_bit(tmp_path):
    """Kill the process outright, a record line and a checkpoint later than the last whole ones."""
    straight = run(tiny(), name="straight")
    script = (
        "import os\nfrom residua import conduct, execute\nfrom test_execute import tiny\n"
        "conduct.CHECKPOINT_SECONDS, conduct.CHECKPOINT_SHARE = 0.0, float('inf')\n"
        "execute.run(tiny(), name='killed', listen=lambda e: e.get('iteration') == 7 and "
        "e['kind'] == 'update' and os.kill(os.getpid(), 9))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert done.returncode == -9
    folder = straight.folder.parent / "killed"
    with (folder / "events.jsonl").open("a") as file:
        file.write('{"kind": "epo')
    (folder / "checkpoints" / "000000007.pt").write_bytes(b"half a checkpoint")
    resumed = resume(folder)
    assert same(weights(straight.folder), weights(resumed.folder))
    assert (straight.folder / "results.csv").read_text() == (folder / "results.csv").read_text()


def test_best_weights_are_those_of_the_smallest_validation_error():
    result = run(tiny(select="best"))
    rows = events.history(events.read(result.folder))
    best = min(rows, key=lambda row: (row["validation_error"], row["validation_loss"]))
    told = events.result(events.read(result.folder))
    assert told["selected_iteration"] == best["iteration"]
    assert result.validation_error == best["validation_error"]


def test_the_test_pictures_are_looked_at_once_and_after_the_training(monkeypatch):
    splits = DigitsConfig().load()
    looked, updates, scores = [], [0], Classification.scores

    def spy(self, images):
        looked.append((images is splits.test, updates[-1]))
        return scores(self, images)

    monkeypatch.setattr(Classification, "scores", spy)
    run(tiny(), listen=lambda event: updates.append(event.get("iteration", updates[-1])))
    assert [iteration for is_test, iteration in looked if is_test] == [12]
    assert [iteration for is_test, iteration in looked if not is_test] == [4, 8, 12]


def test_a_rate_that_explodes_stops_and_says_how_to_go_on(monkeypatch):
    monkeypatch.setattr(conduct, "CHECKPOINT_SECONDS", 0.0)
    schedule = StepsConfig(lr=0.01, at=(6,), factor=1e30, until=12)
    with pytest.raises(RunError, match=r"the loss is \w+ at iteration \d+") as caught:
        run(tiny(schedule=schedule))
    command = r"Go on from iteration \d with: residua train --resume runs/tests.tiny/seed0"
    assert re.search(command, str(caught.value))
    told = events.read(runs.find("last", runs.Path("runs")))
    assert told[-1]["kind"] == "stop"


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX file-size limits")
def test_a_full_disk_is_said_and_the_last_checkpoint_is_intact(tmp_path):
    """A limit on file sizes stands in for a full disk: weights fit, checkpoints do not."""
    script = (
        "import resource, signal\nfrom residua import conduct, execute\n"
        "from test_execute import tiny\n"
        "conduct.CHECKPOINT_SECONDS, conduct.CHECKPOINT_SHARE = 0.0, float('inf')\n"
        "def fill(event):\n"
        "    if event['kind'] == 'update' and event['iteration'] == 6:\n"
        "        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n"
        "try:\n"
        "    execute.run(tiny(), name='full', listen=fill)\n"
        "except conduct.RunError as error:\n"
        "    print(error)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert "the disk is full" in done.stdout
    assert "Go on from iteration 5" in done.stdout
    straight = run(tiny(), name="straight")
    resumed = resume("runs/tests.tiny/full")
    assert same(weights(straight.folder), weights(resumed.folder))


def test_a_module_and_pictures_of_ones_own_work_the_same_way():
    part = ImageSet(
        torch.randint(0, 256, (20, 3, 6, 6), dtype=torch.uint8),
        torch.arange(20) % 2,
        ("ant", "bee"),
    )
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 36, 2))
    mine = Experiment(
        net=net,
        data=Splits(train=part, validation=part, test=part),
        schedule=StepsConfig(lr=0.01, at=(), until=3),
        batch_size=10,
    )
    result = run(mine)
    assert result.test_count == 20
    trained = runs.load(result.folder, net=nn.Sequential(nn.Flatten(), nn.Linear(3 * 36, 2)))
    assert same(trained.net.state_dict(), weights(result.folder))
    assert trained.classes == ("ant", "bee")
    with pytest.raises(ConfigError, match="hand it over again"):
        runs.load(result.folder)


def test_a_module_is_copied_so_that_equal_experiments_give_equal_results():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    one, two = run(tiny(net=net)), run(tiny(net=net))
    assert same(weights(one.folder), weights(two.folder))
    assert same(net.state_dict(), before)


def make_linear():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def test_a_function_makes_the_net_anew_under_the_seed_of_the_run():
    one, two, other = (run(tiny(net=make_linear, seed=seed)) for seed in (0, 0, 1))
    assert same(weights(one.folder), weights(two.folder))
    assert not same(weights(one.folder), weights(other.folder))
    assert runs.read_experiment(one.folder).net.type.endswith(":make_linear")


def test_tied_weights_are_saved():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 10))
    net[2].weight = net[1].weight
    assert weights(run(tiny(net=net)).folder).keys() == net.state_dict().keys()


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (nn.Flatten(), "no parameter that could be trained"),
        (nn.LSTM(8, 10), "cannot take pictures of 1x8x8"),
        (nn.LSTMCell(8, 10), "cannot take pictures|gives a tuple"),
        (nn.Linear(8, 10), r"gives \(1, 1, 8, 10\) for one picture"),
    ],
)
def test_nets_that_are_no_classifiers_are_refused(net, message):
    with pytest.raises(ConfigError, match=message):
        run(tiny(net=net))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": "big"}, "batch_size: .*valid integer"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"name": "../evil"}, "name must be letters"),
        ({"name": ""}, "name must be letters"),
        ({"augment": RotateShift(pixels=-1.0)}, "at least 0"),
    ],
)
def test_settings_that_no_training_can_have_are_refused(changes, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        run(tiny(**changes))
    assert not (tmp_path / "evil").exists()


def test_parts_of_a_data_set_must_agree():
    whole = DigitsConfig().load()
    small = ImageSet(whole.test.images[:, :, :4], whole.test.labels, whole.test.classes)
    with pytest.raises(DataError, match=r"the test pictures are \(1, 4, 8\)"):
        run(tiny(data=Splits(train=whole.train, validation=whole.validation, test=small)))


def test_a_run_is_resumed_by_one_process_alone():
    with pytest.raises(RunError):
        run(tiny(), listen=StopAt(5))
    folder = runs.find("last", runs.Path("runs"))
    with files.alone(folder / "events.jsonl"), pytest.raises(RunError, match="another process"):
        resume(folder)
    assert resume(folder).test_count == 360


def test_a_run_is_not_resumed_with_other_pictures():
    whole = DigitsConfig().load()
    with pytest.raises(RunError):
        run(tiny(data=whole), listen=StopAt(5))
    folder = runs.find("last", runs.Path("runs"))
    fewer = Splits(train=whole.validation, validation=whole.validation, test=whole.test)
    with pytest.raises(CheckpointError, match="the pictures are not those"):
        resume(folder, data=fewer)


def test_the_first_checkpoint_comes_with_the_first_update():
    seen = []

    def listen(event):
        if event["kind"] == "update" and event["iteration"] == 2:
            folder = runs.find("last", runs.Path("runs"))
            seen.extend(path.name for path in (folder / "checkpoints").glob("*.pt"))

    run(tiny(), listen=listen)
    assert seen == ["000000001.pt"]


def test_a_stray_file_among_the_checkpoints_does_no_harm():
    with pytest.raises(RunError):
        run(tiny(), listen=StopAt(5))
    folder = runs.find("last", runs.Path("runs"))
    (folder / "checkpoints" / "abc.pt").write_text("stray")
    torch.save([1], folder / "checkpoints" / "000000009.pt")
    assert resume(folder).test_count == 360


def test_a_failure_in_the_net_is_recorded_as_a_stop():
    class Breaks(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(64, 10)

        def forward(self, x):
            if self.training:
                raise KeyError("inside")
            return self.linear(x.flatten(1))

    with pytest.raises(KeyError):
        execute.run(tiny(net=Breaks()))
    folder = runs.find("last", runs.Path("runs"))
    assert events.read(folder)[-1]["reason"] == "KeyError"
    assert (folder / "report.html").exists()


def test_a_net_with_another_number_of_outputs_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ConfigError, match="the data have 10 classes"):
        run(tiny(net=CifarConfig(depth=8, in_channels=1, num_classes=7)))
    assert not (tmp_path / "runs").exists()


def test_a_net_that_cannot_take_the_pictures_is_refused():
    with pytest.raises((ConfigError, ShapeError), match=r"1, 8, 8|channels"):
        run(tiny(net=CifarConfig(depth=8, in_channels=3)))
    with pytest.raises(ConfigError, match="cannot take pictures of 1x8x8"):
        run(tiny(net=nn.Linear(7, 10)))


def test_a_finished_run_is_not_resumed():
    result = run(tiny())
    with pytest.raises(CheckpointError, match="has come to its end"):
        resume(result.folder)


def test_a_checkpoint_of_other_settings_is_refused(monkeypatch):
    with pytest.raises(RunError):
        run(tiny(), listen=StopAt(5))
    folder = runs.find("last", runs.Path("runs"))
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("depth: 8", "depth: 14"))
    with pytest.raises(CheckpointError, match=r"of another net: stages\.0\.1\.\S+ is missing"):
        resume(folder)
    config.write_text(config.read_text().replace("depth: 14", "depth: 8").replace("0.05", "0.06"))
    with pytest.raises(CheckpointError, match="made with other settings"):
        resume(folder)


def test_the_record_has_what_a_number_needs():
    result = run(tiny())
    start, *_ = events.read(result.folder)
    assert start["command"]
    assert start["environment"]["torch"] == torch.__version__
    assert start["sizes"] == [1077, 360, 360]
    told = events.result(events.read(result.folder))
    assert sum(map(sum, told["confusion"])) == told["test_count"] == 360
    wrong = 360 - sum(told["confusion"][i][i] for i in range(10))
    assert told["test_error"] == pytest.approx(100 * wrong / 360)
    assert len(told["mistakes"]) == min(wrong, outcome.MISTAKES_SHOWN)
    assert all(mistake["evidence"] for mistake in told["mistakes"])
    assert told["protocol"] == "top-1, one view of each picture"
    assert told["top1_error"] == told["test_error"] >= told["top5_error"]
    assert 0 <= told["calibration_error"] <= 100
    json.dumps(told)


def test_statistics_of_seeds_are_those_of_a_hand():
    results = [run(tiny(schedule=CosineConfig(until=2), seed=seed)) for seed in range(3)]
    errors = torch.tensor([result.test_error for result in results], dtype=torch.float64)
    line = outcome.statistics_line(results)
    assert f"{errors.mean():.2f} ± {errors.std():.2f} %" in line
    assert f"n = 3 seeds), median {errors.median():.2f} %" in line


def test_a_batch_in_parts_tells_batch_norm_of_each_part():
    whole = run(tiny(schedule=StepsConfig(lr=0.1, at=(), until=1)))
    parts = run(tiny(schedule=StepsConfig(lr=0.1, at=(), until=1), accumulate=2))
    counted = {
        name: load_file(r.folder / "weights" / "last.safetensors")["stem.norm.num_batches_tracked"]
        for name, r in (("whole", whole), ("parts", parts))
    }
    assert counted == {"whole": 1, "parts": 2}


def linear():
    """A net without convolutions, which float16 makes slow on processors."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def test_float16_scales_the_loss_and_goes_on_from_the_scale(tmp_path):
    half = tiny(net=linear, precision="float16", clip=5.0, deterministic=True)
    straight = run(half)
    with pytest.raises(RunError, match="interrupted"):
        run(half, name="b", listen=StopAt(7))
    resumed = resume("runs/tests.tiny/b", net=linear)
    assert same(weights(straight.folder), weights(resumed.folder))
    state = torch.load(next((resumed.folder / "checkpoints").glob("*12.pt")), weights_only=True)
    assert state["scaler"]["scale"] == 65536.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accumulate": 3}, "accumulate must divide the batch of 256, got 3"),
        ({"clip": 0.0}, "clip must be above 0, got 0.0"),
    ],
)
def test_engine_settings_without_sense_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        run(tiny(**change))


def test_a_batch_is_cut_into_equal_parts_in_every_process():
    with pytest.raises(ConfigError, match="a batch of 20 for 2 processes cannot be cut into 4"):
        Session(tiny(batch_size=20, accumulate=4), World(0, 2, torch.device("cpu")))


def test_the_average_of_the_weights_is_tested_and_goes_on(tmp_path):
    kept = tiny(average=AverageConfig(decay=0.9), select="best")
    straight = run(kept)
    plain = run(tiny())
    assert not same(weights(straight.folder), weights(plain.folder))
    with pytest.raises(RunError, match="interrupted"):
        run(kept, name="b", listen=StopAt(7))
    resumed = resume("runs/tests.tiny/b")
    for which in ("last", "best"):
        assert same(weights(straight.folder, which), weights(resumed.folder, which))
    assert straight.test_error == resumed.test_error


def test_data_that_fail_in_the_middle_are_recorded_with_their_sentence(monkeypatch):
    def fail(self, images):
        raise DataError("picture.png is cut short")

    monkeypatch.setattr(Classification, "scores", fail)
    with pytest.raises(DataError, match=r"picture.png is cut short"):
        run(tiny(), name="cut")
    record = events.read(runs.Path("runs/tests.tiny/cut"))
    assert record[-1] == {"kind": "stop", "reason": "picture.png is cut short"} | {
        "time": record[-1]["time"]
    }
