"""What a recipe is held to: rates at the boundaries of its schedule, and its claims."""

import pytest

from residua import recipes
from residua.data.views import Whole


def rates(name):
    """List what the schedule says: the first iteration of every rate, the rate, and the end."""
    schedule = recipes.find(name).schedule
    bounds = [(phase.start, phase.first_rate) for phase in schedule.phases()]
    for phase in schedule.phases():
        assert schedule.rate(phase.start) == schedule.rate(phase.stop - 1) == phase.first_rate
    return [*bounds, schedule.until]


def assert_rates(name, *expected):
    """Compare the rates of a recipe with pairs of first iteration and rate, and the end."""
    *pairs, until = expected
    *found, end = rates(name)
    assert end == until
    assert [start for start, _ in found] == [start for start, _ in pairs]
    assert [rate for _, rate in found] == pytest.approx([rate for _, rate in pairs])


def claims(name, metric="test_error", views=None):
    """Return the values that a recipe claims under a protocol, by statistic."""
    made = recipes.find(name).claims
    looked = views or Whole()
    return {c.statistic: c.value for c in made if (c.metric, c.views) == (metric, looked)}
