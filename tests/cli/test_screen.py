"""What is printed before a training."""

import dataclasses

from residua.cli.screen import Screen
from residua.train.feedback import PlateauConfig
from test_report import START


def test_the_plan_says_what_is_not_usual(capsys):
    settings = {"batch_size": 128, "accumulate": 4, "normalize": {"kind": "pixel_mean"}}
    Screen(settings).describe(START)
    *_, normalization, parts, seen = capsys.readouterr().out.splitlines()
    assert normalization == "normalization: pixel mean"
    assert parts == "each batch of 128 is computed in 4 parts"
    assert seen == "batch norm sees 32 images at a time"


def test_a_rate_that_depends_on_the_run_is_told_as_far_as_it_is_known(capsys):
    plan = [dataclasses.asdict(phase) for phase in PlateauConfig(until=24).phases()]
    Screen().describe(START | {"plan": plan})
    line = capsys.readouterr().out.splitlines()[-1]
    assert "0.1 at first (multiplied by 0.1 after 5 epochs without a better validation" in line
    assert "when depends on the run" in line
    assert "0.0001" not in line
