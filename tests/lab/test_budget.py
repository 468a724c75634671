import pytest
from hypothesis import given
from hypothesis import strategies as st

from residua.errors import ConfigError
from residua.lab import budget
from residua.lab.budget import Cost, length, measured, parse_budget, rounded
from residua.lab.degradation import USUAL, experiments
from residua.lab.ground import ground

PLAN = ["the first", "the second"]


def costs(plan):
    assert plan == PLAN
    return [Cost(update=0.1, once=1.0), Cost(update=0.2, once=1.0)]


def long(**options):
    chosen = {"budget": None, "updates": None} | options
    return length(ground("digits"), PLAN, usual=USUAL, costs=costs, **chosen)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1m", 60), ("1.5m", 90), ("2H", 7200), ("full", None)]
)
def test_a_budget_is_a_time_or_the_whole_recipe(text, seconds):
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "0m", "-1m", "1d", "1m30s", "whole"])
def test_what_is_no_budget_is_a_sentence(text):
    with pytest.raises(ConfigError, match="1m, 10m or 1h, or full"):
        parse_budget(text)


def test_a_time_is_divided_over_trainings_of_equally_many_updates():
    # (33 s - 2 * 1 s) / (0.1 s + 0.2 s) of each are 103, rounded down.
    found = long(budget="33s")
    assert found.updates == 100
    assert found.predicted == pytest.approx(32)
    assert "--updates 100 repeats it anywhere" in found.why


def test_more_than_the_whole_recipe_is_not_made():
    found = long(budget="1h")
    assert found.updates == 800
    assert found.predicted == pytest.approx(2 + 800 * 0.3)
    assert "more is not made" in found.why


def test_a_time_that_is_too_short_says_what_would_do():
    with pytest.raises(ConfigError, match="10 updates of each are predicted to take 5 s"):
        long(budget="4s")


def test_updates_leave_no_question_and_go_with_no_budget():
    assert long(updates=7).updates == 7
    assert long().updates == 336
    assert long(budget="full").updates == 800
    with pytest.raises(ConfigError, match="give one of them"):
        long(updates=7, budget="1m")
    with pytest.raises(ConfigError, match="at least 2, got 1"):
        long(updates=1)


@given(st.floats(min_value=10, max_value=1e6))
def test_a_rounded_number_has_two_digits_and_is_no_larger(updates):
    found = rounded(updates)
    assert 0.9 * updates < found <= updates
    assert len(str(found).rstrip("0")) <= 2


def test_what_is_measured_is_in_proportion_to_the_nets(monkeypatch):
    monkeypatch.setattr(budget, "TRIES", 1)
    plan = experiments((8, 26), range(2), families=("resnet",))
    shallow, again, deep, _ = measured("cpu")(plan)
    assert shallow is again
    assert 0 < shallow.update < deep.update
    assert shallow.once >= budget.SECONDS_EACH
