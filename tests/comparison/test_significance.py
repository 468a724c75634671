"""Tests over seeds: by hand, against SciPy's, and what they must not claim."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from residua.comparison.significance import contrast, holm

# SciPy warns of numbers that are nearly equal.
pytestmark = pytest.mark.filterwarnings("ignore:Precision loss:RuntimeWarning")
numbers = st.floats(-100, 100).map(lambda value: round(value, 2))


def test_pairs_by_hand():
    # Differences 1, 2, 3: mean 2, standard error 1 / sqrt(3), t = 3.464, the 97.5 % point of t with
    # 2 degrees of freedom is 4.3027.
    found = contrast({0: 5.0, 1: 6.0, 2: 7.0}, {2: 10.0, 0: 6.0, 1: 8.0})
    assert (found.kind, found.n, found.freedom) == ("paired by seed", (3, 3), 2)
    assert found.difference == pytest.approx(2)
    assert found.low == pytest.approx(2 - 4.30265 / math.sqrt(3), abs=1e-4)
    assert found.high == pytest.approx(2 + 4.30265 / math.sqrt(3), abs=1e-4)
    # With 2 degrees of freedom, p = 1 - t / sqrt(t^2 + 2) = 1 - sqrt(12 / 14).
    assert found.p == pytest.approx(1 - math.sqrt(12 / 14))


def test_welch_by_hand():
    # Variances 2 and 8 of two each: standard error sqrt(1 + 4), freedom 25 / (1 + 16).
    found = contrast({0: 1.0, 1: 3.0}, {2: 6.0, 3: 10.0})
    assert found.kind == "Welch"
    assert found.difference == pytest.approx(6)
    assert found.freedom == pytest.approx(25 / 17)
    assert found.p == pytest.approx(stats.ttest_ind([1, 3], [6, 10], equal_var=False).pvalue)


def test_seeds_that_are_shared_in_part_are_not_paired():
    assert contrast({0: 1.0, 1: 2.0}, {0: 1.5, 1: 2.0, 2: 3.0}).kind == "Welch"
    assert contrast({0: 1.0, 1: 2.0}, {1: 1.5, 0: 2.0}).kind == "paired by seed"


@settings(max_examples=40)
@given(st.lists(numbers, min_size=2, max_size=8), st.lists(numbers, min_size=2, max_size=8))
def test_welch_is_that_of_scipy(first, other):
    found = contrast(dict(enumerate(first)), {100 + i: value for i, value in enumerate(other)})
    if len({*first}) == 1 and len({*other}) == 1:
        assert found.kind is None
        return
    expected = stats.ttest_ind(other, first, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6)


@settings(max_examples=40)
@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=8))
def test_pairs_are_those_of_scipy_and_turn_round_with_the_groups(pairs):
    first, other = zip(*pairs, strict=True)
    found = contrast(dict(enumerate(first)), dict(enumerate(other)))
    back = contrast(dict(enumerate(other)), dict(enumerate(first)))
    assert back.difference == pytest.approx(-found.difference)
    differences = [b - a for a, b in pairs]
    if max(differences) - min(differences) < 1e-6:
        assert found.kind is back.kind is None
        return
    expected = stats.ttest_rel(other, first)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-9)
    assert found.p == pytest.approx(back.p)
    assert (-back.high, -back.low) == pytest.approx((found.low, found.high))


@pytest.mark.parametrize(("first", "other"), [({0: 1.0}, {0: 9.0}), ({0: 1.0}, {0: 9.0, 1: 8.0})])
def test_nothing_is_claimed_of_a_single_training(first, other):
    found = contrast(first, other)
    assert found.kind is None
    assert math.isnan(found.p)
    assert "fewer than two seeds" in found.why


def test_nothing_is_claimed_without_a_spread():
    found = contrast({0: 1.0, 1: 2.0}, {0: 2.0, 1: 3.0})
    assert (found.kind, found.difference) == (None, 1)
    assert found.why == "the seeds do not spread: no test"
    assert contrast({0: 1.0, 1: 1.0}, {2: 3.0, 3: 3.0}).kind is None


def test_several_p_are_corrected_for_their_number():
    # 3 x 0.01, then 2 x 0.02 and 1 x 0.03, which must not be less than what came before.
    assert holm([0.03, math.nan, 0.01, 0.02])[::3] == pytest.approx([0.04, 0.04])
    assert holm([0.03, math.nan, 0.01, 0.02])[2] == pytest.approx(0.03)
    assert math.isnan(holm([0.03, math.nan])[1])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
