import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from residua.errors import ConfigError
from residua.train.schedule import CosineConfig, StepsConfig

steps = st.builds(
    lambda until, warmup, at: StepsConfig(
        until=until, warmup=min(warmup, until - 1), at=tuple(sorted(set(at)))
    ),
    st.integers(2, 500),
    st.integers(0, 50),
    st.lists(st.integers(0, 600), max_size=4),
)
cosines = st.builds(
    lambda until, warmup: CosineConfig(until=until, warmup=min(warmup, until - 1)),
    st.integers(2, 500),
    st.integers(0, 50),
)


def test_the_cifar_schedule_is_the_papers():
    schedule = StepsConfig()
    rates = {i: schedule.rate(i) for i in (0, 31_999, 32_000, 47_999, 48_000, 63_999)}
    assert rates == pytest.approx(
        {0: 0.1, 31_999: 0.1, 32_000: 0.01, 47_999: 0.01, 48_000: 0.001, 63_999: 0.001}
    )
    assert [(phase.start, phase.stop) for phase in schedule.phases()] == [
        (0, 32_000),
        (32_000, 48_000),
        (48_000, 64_000),
    ]


@given(st.one_of(steps, cosines))
def test_the_phases_cover_every_iteration_once_and_state_its_rates(schedule):
    phases = schedule.phases()
    assert phases[0].start == 0
    assert phases[-1].stop == schedule.until
    for phase, following in pairwise(phases):
        assert phase.stop == following.start
    for phase in phases:
        assert phase.start < phase.stop
        assert phase.first_rate == schedule.rate(phase.start)
        assert phase.last_rate == schedule.rate(phase.stop - 1)
        if phase.what == "constant":
            rates = {schedule.rate(i) for i in range(phase.start, phase.stop)}
            assert len(rates) == 1


@given(st.one_of(steps, cosines))
def test_the_rate_is_never_above_lr_and_never_negative(schedule):
    assert all(0 <= schedule.rate(i) <= schedule.lr for i in range(schedule.until))


@given(st.one_of(steps, cosines))
def test_the_warm_up_ends(schedule):
    assert schedule.rate(max(schedule.warmup - 1, 0)) == pytest.approx(schedule.lr) or (
        schedule.kind == "steps" and any(step <= schedule.warmup for step in schedule.at)
    )


def test_the_cosine_is_half_way_down_in_the_middle():
    schedule = CosineConfig(lr=0.4, until=100)
    assert schedule.rate(50) == pytest.approx(0.2)
    assert schedule.rate(25) == pytest.approx(0.2 * (1 + math.sqrt(0.5)))


def test_a_schedule_scales_with_its_drops():
    half = StepsConfig(warmup=400).scaled(32_000)
    assert (half.at, half.until, half.warmup) == ((16_000, 24_000), 32_000, 200)
    assert CosineConfig(until=100, warmup=10).scaled(2).phases()[-1].stop == 2


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (StepsConfig(lr=0.0), "lr must be above 0, got 0.0"),
        (CosineConfig(lr=math.nan), "lr must be above 0, got nan"),
        (StepsConfig(until=0), "until must be at least 1"),
        (CosineConfig(until=10, warmup=10), r"warmup must be in \[0, 10\), got 10"),
        (StepsConfig(at=(20, 10)), "increasing"),
        (StepsConfig(at=(-1,)), "increasing"),
    ],
)
def test_what_makes_no_schedule_is_refused(schedule, message):
    with pytest.raises(ConfigError, match=message):
        schedule.phases()
