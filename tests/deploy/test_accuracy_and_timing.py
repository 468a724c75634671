"""What an engine costs, by hand; and what turns are, with a clock that is wound by hand."""

import json

import pytest
import torch

from residua.deploy import footprint as alone
from residua.deploy import timing
from residua.deploy.accuracy import Accuracy, accuracy, answers
from residua.errors import RunError

# Of four pictures the net names 0, 1, 1, 0.
NET = torch.tensor([[2.0, 1], [0, 1], [0, 3], [5, 4]])
LABELS = torch.tensor([0, 1, 0, 0])


def test_agreement_and_error_are_counted():
    engine = NET.clone()
    engine[3] = torch.tensor([0.0, 1.0])
    found = accuracy(engine, NET, LABELS)
    # It disagrees on one of four; the net has one of four wrong, it has two.
    assert found == Accuracy(agreement=75.0, error=50.0, change=25.0)
    assert accuracy(NET, NET, LABELS) == Accuracy(agreement=100.0, error=25.0, change=0.0)
    assert accuracy(engine, NET, None) == Accuracy(agreement=75.0, error=None, change=None)


def test_a_budget_is_of_error_or_else_of_disagreement():
    known = Accuracy(agreement=75.0, error=50.0, change=25.0)
    assert known.excess(25.0) is None
    assert known.excess(24.9) == "+25.00 points of error, above the budget"
    better = Accuracy(agreement=90.0, error=20.0, change=-5.0)
    assert better.excess(0.0) is None
    blind = Accuracy(agreement=99.0, error=None, change=None)
    assert blind.excess(1.0) is None
    assert blind.excess(0.5) == "disagrees on 1.00 % of the pictures, above the budget"


def test_all_pictures_are_answered_some_at_a_time():
    sizes = []

    def engine(pixels):
        sizes.append(len(pixels))
        return pixels[:, :, 0, 0]

    pixels = torch.arange(14.0).reshape(7, 2, 1, 1)
    assert torch.equal(answers(engine, pixels, batch=3), pixels[:, :, 0, 0])
    assert sizes == [3, 3, 1]
    pixels[4] = torch.nan
    with pytest.raises(RunError, match="not finite for 1 of 7 pictures"):
        answers(engine, pixels, batch=3)


def test_calls_take_turns_and_the_first_of_a_turn_does_not_count(monkeypatch):
    clock, order = [0.0], []

    def call(name, seconds):
        def run():
            # The first after another's turn takes ten times as long.
            cold = not order or order[-1] != name
            order.append(name)
            clock[0] += seconds * (10 if cold else 1)

        return run

    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])
    slow, fast = call("slow", 0.05), call("fast", 0.004)
    taken = timing.interleaved([slow, fast], rounds=3)
    assert taken[0] == pytest.approx([0.05] * 3)
    assert taken[1] == pytest.approx([0.004] * 3)
    turns = [name for place, name in enumerate(order) if place == 0 or order[place - 1] != name]
    assert turns == ["slow", "fast", "slow", "fast", "slow", "fast", "slow", "fast"][: len(turns)]
    # 0.02 s at least: once the slow one, five times the fast one, and once each that do not count.
    assert order.count("slow") == 2 + 3 * 2
    assert order.count("fast") == 2 + 3 * 6


def test_a_process_that_fails_or_never_ends_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "load.py").write_text("import sys\nsys.exit('no kernel')")
    with pytest.raises(RunError, match="its loader failed: no kernel"):
        alone.footprint(tmp_path, batch=1, threads=1)
    (tmp_path / "load.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGILL)")
    with pytest.raises(RunError, match="its loader failed: exit code -4"):
        alone.footprint(tmp_path, batch=1, threads=1)
    monkeypatch.setattr(alone, "MOST_SECONDS", 0.2)
    (tmp_path / "load.py").write_text("import time\ntime.sleep(30)")
    with pytest.raises(RunError, match=r"did not answer within 0.2 s"):
        alone.footprint(tmp_path, batch=1, threads=1)


def test_a_process_tells_what_it_took(tmp_path):
    told = json.dumps({"seconds_to_open": 1.5, "peak_bytes": 7})
    (tmp_path / "load.py").write_text(
        f"import sys\nassert sys.argv[1:] == {['--check', '4', '--threads', '2']}\nprint({told!r})"
    )
    assert alone.footprint(tmp_path, batch=4, threads=2) == alone.Footprint(
        seconds=1.5, peak_bytes=7
    )
