"""What is printed before a training."""

import dataclasses

from residua.cli.screen import Screen
from residua.config import encode
from residua.train.feedback import PlateauConfig
from residua.train.schedule import StepsConfig
from residua.train.sequence import SequenceConfig
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


def test_images_of_steps_are_counted_with_their_batches(capsys):
    parts = [StepsConfig(lr=0.01, at=(), until=n) for n in (100, 50, 100, 50)]
    schedule = SequenceConfig(parts=tuple(parts))
    plan = [dataclasses.asdict(phase) for phase in schedule.phases()]
    settings = {"step_batches": [8, 16, 8, 16], "schedule": encode(schedule)}
    settings |= {"training": "alternating", "rate_step_batches": [16, 32, 16, 32]}
    start = START | {"plan": plan, "batch_size": 8, "sizes": [400, 0, 10]}
    Screen(settings).describe(start)
    text = capsys.readouterr().out
    lines = [line.split() for line in text.splitlines() if " to " in line]
    assert ["100", "to", "150", "2.0", "to", "4.0", "800", "0.01"] in lines
    assert ["250", "to", "300", "6.0", "to", "8.0", "800", "0.01"] in lines
    assert "rates are in proportion to these, as given for batches of 16, 32, 16, 32" in text
