import dataclasses
import json

import pytest
import torch

import residua.lab.width
from residua import report
from residua.cli.dispatch import main
from residua.errors import CheckpointError, ConfigError
from residua.lab.equal import parameters
from residua.lab.ground import ground
from residua.lab.width import _interleaved, measure_times, name, wide_twin, width
from residua.nets.wide import WideConfig
from residua.report.compared import Entry, Row, Sweep
from residua.report.width import NetTime, Timed, compare, verdict


def test_parameters_are_those_of_the_reference_sheet():
    """WRN-40-1 on CIFAR-10 has 563,930 and WRN-28-10 36,479,194 parameters, counted elsewhere."""
    assert parameters(WideConfig(depth=40, widen=1.0)) == 563_930
    assert parameters(WideConfig(depth=28, widen=10.0)) == 36_479_194


@pytest.mark.parametrize("deep", [28, 40, 52, 100])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_wide_twin_is_the_shallowest_with_equal_parameters(deep, channels):
    long = WideConfig(depth=deep, widen=1.0, in_channels=channels)
    wide = wide_twin(long)
    wanted = parameters(long)
    assert wide.depth < deep
    assert wide.widen > 1
    assert abs(parameters(wide) - wanted) <= 0.02 * wanted
    shallower = [
        WideConfig(depth=depth, widen=channel / 16, in_channels=channels)
        for depth in range(10, wide.depth, 6)
        for channel in range(16, 64)
    ]
    assert not [net for net in shallower if abs(parameters(net) - wanted) <= 0.02 * wanted]


def test_a_net_that_no_shallower_one_equals_is_refused():
    with pytest.raises(ConfigError, match="no net shallower than 10 layers"):
        wide_twin(WideConfig(depth=10, widen=1.0))


def test_only_width_and_depth_differ():
    comparison = width(ground("digits"), 40)
    wide, deep = (setting.experiment for setting in comparison.settings)
    assert dataclasses.replace(wide, name="", net=deep.net) == dataclasses.replace(deep, name="")
    alike = dataclasses.replace(wide.net, depth=deep.net.depth, widen=deep.net.widen)
    assert alike == deep.net
    assert deep.net == WideConfig(depth=40, widen=1.0, in_channels=1)
    assert [setting.name for setting in comparison.settings] == [name(wide.net), "WRN-40-1"]


def test_nets_are_timed_in_turn():
    order = []
    works = [lambda: order.append("wide"), lambda: order.append("deep")]
    found = _interleaved(works, 3, torch.device("cpu"))
    assert order[-6:] == ["wide", "deep"] * 3
    assert [len(seconds) for seconds in found] == [3, 3]


@pytest.fixture
def hurried(monkeypatch):
    """Time little: the numbers are not looked at."""
    monkeypatch.setattr(residua.lab.width, "WARM", 1)
    monkeypatch.setattr(residua.lab.width, "UPDATES", 1)
    monkeypatch.setattr(residua.lab.width, "PASSES_OF_ONE", 2)


def test_times_are_of_an_update_and_of_one_picture(hurried):
    comparison = width(ground("digits"), 16)
    few = [(each.name, each.experiment.smoke()) for each in comparison.settings]
    wide, deep = measure_times(few, device="cpu", rounds=2)
    assert (wide.name, deep.name) == tuple(title for title, _ in few)
    for each in (wide, deep):
        assert each.batch_size == 8
        assert len(each.update) == len(each.one) == len(each.many) == 2
        assert 0 < min(each.one) < min(each.update)


def times(*updates):
    return NetTime(name="x", batch_size=128, update=updates, one=(1.0,), many=(1.0,))


def test_ratios_are_of_each_round():
    update, _, _ = compare(times(0.01, 0.02, 0.01), times(0.02, 0.06, 0.04))
    assert (update.ratio, update.low, update.high) == pytest.approx((3.0, 2.0, 4.0))
    assert update.milliseconds == pytest.approx((10.0, 40.0))


class Ended:
    def __init__(self, error):
        self.result = {"test_error": error}


def rows(wide, deep):
    entries = [Entry(name=each, does="", runs=(), paper={}) for each in ("wide", "deep")]
    return [Row(e, [Ended(x) for x in v]) for e, v in zip(entries, (wide, deep), strict=True)]


def timed(low, ratio, high):
    return [Timed(what="an update", milliseconds=(1.0, ratio), ratio=ratio, low=low, high=high)]


@pytest.mark.parametrize(
    ("wide", "deep", "pace", "errors", "cheaper"),
    [
        ([1.0, 1.2], [1.5, 1.8], (1.5, 2.0, 2.5), "Every training of wide errs less", "here width"),
        ([2.0, 2.2], [1.5, 1.8], (0.5, 0.7, 0.9), "Every training of deep errs less", "is not the"),
        ([1.0, 1.6], [1.5, 1.8], (0.9, 1.1, 1.3), "neither net is shown", "do not agree"),
        ([1.0], [1.5], (1.5, 2.0, 2.5), "Of one training each, wide errs less by 0.5", "cheaper"),
    ],
)
def test_the_verdict_follows_from_the_numbers(wide, deep, pace, errors, cheaper):
    first, second = verdict(rows(wide, deep), timed(*pace))
    assert errors in first
    assert cheaper in second


def test_the_command_trains_times_and_draws(hurried, capsys, tmp_path):
    words = ["lab", "width", "--smoke", "--seeds", "1", "--deep", "16", "--runs", str(tmp_path)]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "WRN-16-1" in told
    folder = tmp_path / "lab" / "width"
    assert told.splitlines()[-1] == str(folder / "report.html")
    text = (folder / "report.html").read_text()
    assert "n = 1" in text
    assert "What it shows" in text
    assert "inference, 1 picture" in text
    assert "<script" not in text
    assert len(json.loads((folder / "times.json").read_text())["nets"]) == 2
    assert main(["lab", "width", "--rounds", "0"]) == 2


def test_a_net_without_a_training_is_said(tmp_path):
    entries = [Entry(name="wide", does="", runs=(), paper={})]
    sweep = Sweep(name="width", title="", entries=entries, why="", notes=(), source="")
    with pytest.raises(CheckpointError, match="no training of wide"):
        report.write_width(tmp_path, sweep, [], environment={}, command="")
