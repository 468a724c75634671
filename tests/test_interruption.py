import dataclasses
import itertools

import pytest
import torch
from torch import nn

from residua import events, execute, interruption
from residua.errors import ConfigError, RunError
from residua.session import STATE
from residua.train import checkpoint
from residua.train.schedule import CosineConfig
from test_execute import tiny


def test_a_training_that_was_stopped_twice_ends_in_equal_bits(tmp_path):
    found = interruption.compare(tiny(), root=tmp_path)
    assert found.stopped == ((4, "Ctrl-C"), (8, "an error"))
    assert found.differences == ()


def test_a_training_that_depends_on_more_than_its_state_is_found_out(tmp_path):
    calls = itertools.count()

    class Forgetful(nn.Module):
        """Its output depends on how often it was called in this process."""

        def __init__(self):
            super().__init__()
            self.head = nn.Linear(64, 10)

        def forward(self, x):
            return self.head(x.flatten(1)) * (1 + 0.01 * (next(calls) % 7))

    found = interruption.compare(tiny(net=Forgetful), root=tmp_path)
    assert "results.csv differs" in found.differences
    assert "weights/last.safetensors differs" in found.differences
    assert "the state of the optimizer differs" in found.differences


def test_every_part_of_the_state_but_the_time_is_compared(tmp_path):
    one, two = (execute.run(tiny(), root=tmp_path, name=name, page=False).folder for name in "ab")
    assert list(interruption._differences(one, two)) == []
    path = checkpoint.found(two / "checkpoints")[-1]
    state = torch.load(path, weights_only=True)
    for part in STATE:
        torch.save({**state, part: "another"}, path)
        told = [] if part == "seconds" else [f"the state of the {part} differs"]
        assert list(interruption._differences(one, two)) == told


def test_a_number_that_is_not_recorded_is_a_difference(tmp_path):
    one, two = (execute.run(tiny(), root=tmp_path, name=name, page=False).folder for name in "ab")
    log = two / events.FILE
    log.write_text(log.read_text().replace('"top5_error"', '"top6_error"'))
    assert list(interruption._differences(one, two)) == ["top5_error is not recorded"]


def test_dropout_goes_on_as_if_nothing_had_happened(tmp_path):
    net = lambda: nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10))  # noqa: E731
    assert interruption.compare(tiny(net=net), root=tmp_path).differences == ()


def test_too_few_updates_are_refused(tmp_path):
    short = dataclasses.replace(tiny(), schedule=CosineConfig(lr=0.1, until=5))
    with pytest.raises(ConfigError, match="updates must be at least 6"):
        interruption.compare(short, root=tmp_path)


def test_a_failure_of_its_own_is_not_taken_for_the_stop(tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise RunError("the disk is full")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(RunError, match="the disk is full"):
        interruption.compare(tiny(), root=tmp_path)
