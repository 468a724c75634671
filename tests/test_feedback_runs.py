"""A run whose schedule looks at its errors has the rates of that schedule, also after a stop."""

import dataclasses
import os
import signal

import pytest
import torch
from safetensors.torch import load_file

from residua import events, execute
from residua.errors import ConfigError, RunError
from residua.nets.cifar import CifarConfig
from residua.recipes.digits import resnet20
from residua.train.feedback import EasedStepsConfig, PlateauConfig

# Even a net that guesses errs in less than 100 %: the first look ends the warm-up.
EASED = EasedStepsConfig(below=100.0, every=3, longest=9, at=(7,), until=10)
PLATEAU = PlateauConfig(patience=1, threshold=90.0, drops=2, until=10)


def tiny(schedule):
    net = CifarConfig(depth=8, in_channels=1)
    return dataclasses.replace(resnet20(), net=net, schedule=schedule, batch_size=256)


def weights(result):
    return load_file(result.folder / "weights" / "last.safetensors")


@pytest.mark.parametrize(
    ("schedule", "expected"), [(EASED, [0.1, 0.01, 0.01]), (PLATEAU, [0.1, 0.1, 0.01])]
)
def test_a_stopped_run_goes_on_with_the_rates_it_would_have_had(tmp_path, schedule, expected):
    def stop_at_5(event):
        if event["kind"] == "update" and event["iteration"] == 5:
            os.kill(os.getpid(), signal.SIGINT)

    straight = execute.run(tiny(schedule), root=tmp_path, name="straight", page=False)
    with pytest.raises(RunError, match="interrupted after iteration 5"):
        execute.run(tiny(schedule), root=tmp_path, name="halves", page=False, listen=stop_at_5)
    resumed = execute.resume(straight.folder.parent / "halves", page=False)
    for result in (straight, resumed):
        rows = [e for e in events.read(result.folder) if e["kind"] == "epoch"]
        # 1,077 pictures in batches of 256: epochs end after 4, 8 and 10 updates.
        assert [row["iteration"] for row in rows] == [4, 8, 10]
        assert [row["lr"] for row in rows] == pytest.approx(expected)
    one, two = weights(straight), weights(resumed)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_pictures_that_are_watched_must_be_there_before_anything_is_trained(tmp_path):
    splits = dataclasses.replace(resnet20().load_data(), validation=None)
    blind = dataclasses.replace(tiny(PLATEAU), data=splits)
    with pytest.raises(ConfigError, match="watch is validation_error, which this run does not"):
        execute.run(blind, root=tmp_path)
    assert not list(tmp_path.rglob("events.jsonl"))
    seeing = dataclasses.replace(PLATEAU, watch="train_error")
    assert dataclasses.replace(blind, schedule=seeing).load_data() is splits
