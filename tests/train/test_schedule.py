import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from residua.errors import ConfigError
from residua.train.schedule import CosineConfig, InverseConfig, StepsConfig, iterations

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


def test_a_constant_warm_up_is_that_of_he_et_al_2016():
    schedule = StepsConfig(warmup=400, warmup_lr=0.01)
    assert [schedule.rate(i) for i in (0, 399, 400, 31_999)] == [0.01, 0.01, 0.1, 0.1]
    assert [(p.start, p.stop, p.first_rate, p.last_rate) for p in schedule.phases()[:2]] == [
        (0, 400, 0.01, 0.01),
        (400, 32_000, 0.1, 0.1),
    ]
    assert schedule.scaled(32_000).warmup_lr == 0.01
    with pytest.raises(ConfigError, match="warmup_lr must be above 0"):
        StepsConfig(warmup=4, warmup_lr=0.0).phases()


def test_the_inverse_schedule_is_torchs():
    schedule = InverseConfig(lr=0.1, decay=5e-6, until=14_063)
    assert schedule.rate(0) == 0.1
    assert schedule.rate(14_062) == pytest.approx(0.1 / 1.07031)
    (phase,) = schedule.phases()
    assert (phase.start, phase.stop, phase.first_rate) == (0, 14_063, 0.1)
    half = schedule.scaled(7_000)
    assert half.rate(6_999) == pytest.approx(schedule.rate(14_061), rel=1e-3)
    with pytest.raises(ConfigError, match="decay must be at least 0"):
        InverseConfig(decay=-1.0).phases()


@pytest.mark.parametrize(
    ("epochs", "pictures", "batch_size", "expected"),
    [
        (60, 50_000, 128, 23_438),
        (200, 50_000, 128, 78_125),
        (30, 60_000, 128, 14_063),
        (1, 10, 4, 3),
        (90, 1_281_167, 256, 450_410),
    ],
)
def test_epochs_are_counted_in_updates_to_the_nearest(epochs, pictures, batch_size, expected):
    assert iterations(epochs, pictures, batch_size) == expected


def test_the_papers_iterations_are_so_many_epochs():
    assert 64_000 * 128 / 50_000 == 163.84
    assert iterations(163.84, 50_000, 128) == 64_000
    assert pytest.approx(119.9, abs=0.05) == 600_000 * 256 / 1_281_167
