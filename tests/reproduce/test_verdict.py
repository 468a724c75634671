"""Every rule of a verdict, with what must not pass it; numbers by hand."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, strategies

from kept_runs import MINE, cell
from residua.nets.cifar import CifarConfig
from residua.reproduce.cell import Cell, Counted, Difference, Exceeds, OutOfScope, Quoted, Trained
from residua.reproduce.verdict import Measured, judge, tolerance


def verdict(of, *values, **more):
    return judge(of, Measured(values=values, **more)).verdict


def test_with_a_printed_deviation_both_means_are_uncertain():
    # 0.16 of 5, ours 0.1, 0.2 and 0.3: s = 0.1; 2 sqrt(0.0256 / 5 + 0.01 / 3).
    assert tolerance((0.1, 0.2, 0.3), std=0.16, n=5) == pytest.approx(0.183885, abs=1e-6)


def test_of_a_single_run_the_papers_deviation_stands_in():
    # 2 sqrt(0.0256 / 5 + 0.0256) = 2 * 0.16 * sqrt(1.2).
    assert tolerance((6.7,), std=0.16, n=5) == pytest.approx(0.350542, abs=1e-6)


def test_without_a_printed_deviation_ours_counts_twice_and_one_seed_has_half_a_point():
    assert tolerance((8.0, 8.2)) == pytest.approx(2 * math.sqrt(0.02))
    assert tolerance((8.0,)) == 0.5
    # A deviation of nobody knows how many runs says nothing of their mean.
    assert tolerance((8.0,), std=0.16) == 0.5


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (50.5, "reproduced"),
        (49.5, "reproduced"),
        (50.51, "outside tolerance"),
        (49.49, "outside tolerance"),
        (math.nan, "outside tolerance"),
    ],
)
def test_one_seed_may_be_half_a_point_off_and_no_more(error, expected):
    assert verdict(cell(), error) == expected


def test_several_seeds_are_held_to_their_own_spread():
    # The mean is 50.4 and the deviation 0.1: two seeds so close must be closer than 0.2.
    assert verdict(cell(), 50.3, 50.4, 50.5) == "outside tolerance"
    assert verdict(cell(), 50.1, 50.4, 50.7) == "reproduced"


def test_the_printed_deviation_is_used_where_there_is_one():
    of = cell(std=0.16)
    assert verdict(of, 50.36) == "outside tolerance"
    assert verdict(of, 50.35) == "reproduced"


def test_whatever_differs_makes_a_number_a_scaled_one_however_close():
    assert verdict(cell(), 50.0, differences=("2 updates",)) == "scaled down"
    assert verdict(cell(), 90.0, differences=("2 updates",)) == "scaled down"


def test_nothing_measured_is_not_run():
    assert judge(cell()).verdict == "not run"
    assert judge(cell(), Measured(values=())).verdict == "not run"


def test_what_nobody_has_seen_printed_is_never_reproduced():
    of = cell(code="M")
    assert judge(of).verdict == verdict(of, 50.0) == "unverified"
    assert judge(replace(of, how=Quoted(), stated=1.0)).verdict == "unverified"
    assert judge(replace(of, how=OutOfScope(why="so"), stated=1.0)).verdict == "unverified"


def test_other_peoples_numbers_and_those_out_of_scope_stay_so():
    assert verdict(replace(cell(), how=Quoted(), stated=50.0), 50.0) == "quoted"
    outside = judge(replace(cell(), how=OutOfScope(why="its layout is not known"), stated=50.0))
    assert (outside.verdict, outside.why) == ("out of scope", ("its layout is not known",))


def test_a_median_is_compared_with_a_median(monkeypatch):
    found = judge(of_statistic("median of 5", monkeypatch), Measured(values=(49.0, 50.1, 60.0)))
    assert (found.ours, found.statistic) == (50.1, "median, n = 3")
    assert found.difference == pytest.approx(0.1)


def of_statistic(statistic, monkeypatch, **how):
    """A cell whose recipe claims 50 % by some statistic."""
    recipe = __import__("kept_runs").mine()
    claim = replace(recipe.claims[0], statistic=statistic)
    monkeypatch.setattr("kept_runs.mine", lambda: replace(recipe, claims=(claim,)))
    return cell(how=Trained(recipe=MINE, statistic=statistic, **how))


def test_a_best_needs_as_many_runs_as_the_papers_and_has_no_more(monkeypatch):
    of = of_statistic("best of 3", monkeypatch)
    assert verdict(of, 50.0, 51.0) == "scaled down"
    assert verdict(of, 50.0, 51.0, 52.0) == "reproduced"
    # The fourth is better, and the paper had no fourth.
    assert judge(of, Measured(values=(52.0, 51.0, 50.2, 10.0))).ours == 50.2


def test_a_best_of_nobody_knows_how_many_is_never_reproduced(monkeypatch):
    assert verdict(of_statistic("best of several", monkeypatch), 50.0) == "scaled down"


def test_the_best_accuracy_is_the_largest(monkeypatch):
    of = of_statistic("best of 2", monkeypatch, accuracy=True)
    assert judge(of, Measured(values=(49.9, 50.1))).ours == 50.1


def test_a_failure_is_an_error_above_what_is_said():
    of = Cell(row="a", column="b", how=Exceeds(recipe=MINE), stated=20.0)
    assert verdict(of, 90.0) == "reproduced"
    assert verdict(of, 20.0) == verdict(of, math.nan) == "outside tolerance"
    assert verdict(of, 90.0, differences=("another",)) == "scaled down"
    assert judge(of, Measured(values=(90.0,))).tolerance is None


def test_a_difference_without_a_number_must_stand_out():
    of = Cell(row="a", column="b", how=Difference(larger=MINE, smaller=MINE), unit="points")
    assert verdict(of, 10.0, subtracted=(9.0,)) == "reproduced"
    assert verdict(of, 10.0, subtracted=(9.6,)) == "outside tolerance"
    assert verdict(of, 9.0, subtracted=(10.0,)) == "outside tolerance"
    # Deviations of sqrt(2) each: 2 sqrt(2 + 2) = 4.
    assert verdict(of, 13.0, 15.0, subtracted=(9.0, 11.0)) == "outside tolerance"
    assert verdict(of, 13.1, 15.1, subtracted=(9.0, 11.0)) == "reproduced"


def test_a_printed_difference_must_be_met():
    how = Difference(larger=MINE, smaller=MINE)
    of = Cell(row="a", column="b", how=how, unit="points", stated=2.8)
    assert verdict(of, 27.9, subtracted=(25.0,)) == "reproduced"
    assert verdict(of, 28.5, subtracted=(25.0,)) == "outside tolerance"


@pytest.mark.parametrize(
    ("printed", "step", "expected"),
    [(0.27e6, 1e4, "reproduced"), (0.26e6, 1e4, "outside tolerance"), (0.3e6, 1e5, "reproduced")],
)
def test_a_count_must_round_to_what_is_printed(printed, step, expected):
    how = Counted(net=CifarConfig(depth=20), what="parameters", step=step)
    of = Cell(row="a", column="b", how=how, stated=printed, unit="parameters")
    assert verdict(of, 269_722.0) == expected


@given(
    strategies.lists(strategies.floats(0, 100), min_size=1, max_size=6),
    strategies.sampled_from(("P", "R", "S", "M")),
    strategies.sampled_from(((), ("fewer updates",))),
)
def test_reproduced_is_said_of_nothing_but_whole_runs_within_the_tolerance(values, code, faults):
    found = judge(cell(code=code), Measured(values=tuple(values), differences=faults))
    mean = math.fsum(values) / len(values)
    within = abs(mean - 50.0) <= tolerance(values) + 1e-6
    if found.verdict == "reproduced":
        assert code != "M"
        assert not faults
        assert within
    if faults or code == "M":
        assert found.verdict in {"scaled down", "unverified"}
