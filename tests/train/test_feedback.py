"""Schedules that look at the run: the same rates whether or not it was interrupted."""

import dataclasses
import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from residua.errors import ConfigError
from residua.train.feedback import EasedStepsConfig, Past, PlateauConfig
from residua.train.pace import Pace
from residua.train.schedule import StepsConfig

PER_EPOCH = 10


def rates(schedule, errors, stops=()):
    """Simulate a run that is resumed from its checkpoint wherever it stopped."""
    pace, found = Pace(schedule), []
    for i, error in enumerate(errors[: schedule.until]):
        if i in stops:
            state = json.loads(json.dumps(pace.state()))
            pace = Pace(schedule)
            pace.restore(state)
        found.append(pace.rate(i))
        done = i + 1
        pace.after_update(done, {"error": error})
        if done % PER_EPOCH == 0:
            epoch = errors[done - PER_EPOCH : done]
            mean = sum(epoch) / PER_EPOCH
            pace.after_epoch(done, {"train_error": mean, "validation_error": mean + 3})
    return found


def noise(seed, count):
    source = random.Random(seed)
    return [max(0.0, 95 - i / 3 + source.uniform(-15, 5)) for i in range(count)]


eased = st.builds(
    lambda every, longest, below: EasedStepsConfig(
        every=every, longest=longest, below=below, at=(120, 170), until=200
    ),
    st.integers(1, 30),
    st.integers(1, 110),
    st.floats(30, 100),
)
plateaus = st.builds(
    lambda patience, drops, threshold: PlateauConfig(
        patience=patience, drops=drops, threshold=threshold, until=200
    ),
    st.integers(1, 4),
    st.integers(0, 4),
    st.floats(0, 20),
)


@settings(deadline=None)
@given(
    schedule=st.one_of(eased, plateaus),
    seed=st.integers(0, 999),
    stops=st.sets(st.integers(0, 199), max_size=8),
)
def test_an_interrupted_run_has_the_rates_of_an_undisturbed_one(schedule, seed, stops):
    errors = noise(seed, 200)
    assert rates(schedule, errors, stops) == rates(schedule, errors)


@settings(deadline=None)
@given(schedule=st.one_of(eased, plateaus), seed=st.integers(0, 999))
def test_what_is_observed_changes_no_rate_of_the_past(schedule, seed):
    errors = noise(seed, 200)
    pace = Pace(schedule)
    found = rates(schedule, errors)
    for i, error in enumerate(errors):
        pace.after_update(i + 1, {"error": error})
        if (i + 1) % PER_EPOCH == 0:
            mean = sum(errors[i + 1 - PER_EPOCH : i + 1]) / PER_EPOCH
            pace.after_epoch(i + 1, {"train_error": mean, "validation_error": mean + 3})
    assert [pace.rate(i) for i in range(200)] == found


def test_the_warm_up_of_110_layers_ends_when_the_error_is_below_80():
    errors = [90.0] * 350 + [70.0] * 700
    schedule = EasedStepsConfig()
    found = rates(schedule, errors)
    # Looks at 100, 200, 300 see 90; that at 400 sees (50 * 90 + 50 * 70) / 100 = 80, not below.
    assert found[:500] == [0.01] * 500
    assert found[500:] == [0.1] * 550
    pace = Pace(schedule, Past(changes=(500,)))
    boundaries = (499, 500, 31_999, 32_000, 47_999, 48_000, 63_999)
    assert [pace.rate(i) for i in boundaries] == pytest.approx(
        [0.01, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001]
    )


def test_a_warm_up_that_does_not_help_ends_all_the_same():
    schedule = EasedStepsConfig(longest=150)
    assert rates(schedule, [90.0] * 200) == [0.01] * 150 + [0.1] * 50


def test_the_plan_of_an_eased_start_is_the_steps_with_the_longest_warm_up():
    schedule = EasedStepsConfig()
    phases = schedule.phases()
    assert [(p.start, p.stop, p.first_rate) for p in phases] == [
        (0, 4_000, 0.01),
        (4_000, 32_000, 0.1),
        (32_000, 48_000, pytest.approx(0.01)),
        (48_000, 64_000, pytest.approx(0.001)),
    ]
    assert phases[0].what == "warm-up, over sooner if the training error is below 80 %"


def test_the_rate_falls_after_so_many_epochs_without_a_better_error():
    errors = [[50.0], [40.0], [39.95], [39.93], [30.0], [30.0], [30.0], [30.0], [30.0], [30.0]]
    flat = [error for (error,) in errors for _ in range(PER_EPOCH)]
    schedule = PlateauConfig(patience=2, threshold=0.1, drops=2, until=100)
    # 39.95 and 39.93 are not below 40 by more than 0.1: the rate falls at 40. 30 is a new best;
    # the two epochs after it make it fall at 70, and a third time it may not.
    assert rates(schedule, flat) == pytest.approx([0.1] * 40 + [0.01] * 30 + [0.001] * 30)


def test_a_plateau_that_cannot_be_seen_is_said():
    with pytest.raises(ConfigError, match="watch is validation_error, which this run does not"):
        Pace(PlateauConfig()).after_epoch(10, {"train_error": 3.0})


def test_the_plan_of_plateaus_says_what_is_not_known():
    (phase,) = PlateauConfig(drops=2).phases()
    assert (phase.start, phase.stop, phase.first_rate) == (0, 600_000, 0.1)
    assert phase.last_rate == pytest.approx(0.001)
    assert "at most 2 times: when depends on the run" in phase.what
    assert phase.open


@pytest.mark.parametrize("schedule", [EasedStepsConfig(), PlateauConfig()])
@pytest.mark.parametrize("until", [2, 3, 100, 640])
def test_feedback_schedules_shrink(schedule, until):
    small = schedule.scaled(until)
    assert small.until == small.phases()[-1].stop == until
    assert len(rates(small, [50.0] * until)) == until
    assert dataclasses.replace(small, until=schedule.until).kind == schedule.kind


def test_a_schedule_without_feedback_has_no_past():
    schedule = StepsConfig(at=(50,), until=100)
    pace = Pace(schedule)
    assert rates(schedule, [5.0] * 100, stops={30}) == [schedule.rate(i) for i in range(100)]
    pace.after_update(1, {"error": 5.0})
    pace.after_epoch(1, {})
    assert pace.past == Past()
    assert pace.until == 100


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (EasedStepsConfig(below=0.0), r"below must be in \(0, 100\]"),
        (EasedStepsConfig(every=0), "every and longest at least 1"),
        (EasedStepsConfig(longest=64_000), r"warmup must be in \[0, 64000\)"),
        (EasedStepsConfig(warmup_lr=0.0), "warmup_lr must be above 0"),
        (PlateauConfig(factor=1.0), r"factor must be in \(0, 1\)"),
        (PlateauConfig(patience=0), "patience at least 1"),
        (PlateauConfig(threshold=math.nan), "threshold must be"),
        (PlateauConfig(lr=0.0), "lr must be above 0"),
    ],
)
def test_what_makes_no_schedule_is_refused(schedule, message):
    with pytest.raises(ConfigError, match=message):
        schedule.phases()
