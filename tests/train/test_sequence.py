import pytest
from hypothesis import given
from hypothesis import strategies as st

from residua.config import decode, encode
from residua.errors import ConfigError
from residua.train.schedule import CosineConfig, StepsConfig
from residua.train.sequence import SequenceConfig

TWO = SequenceConfig(
    parts=(StepsConfig(lr=0.1, at=(3,), until=5), CosineConfig(lr=0.02, until=4, warmup=1))
)


def test_every_part_begins_anew():
    rates = [TWO.rate(i) for i in range(TWO.until)]
    assert rates[:5] == pytest.approx([0.1, 0.1, 0.1, 0.01, 0.01])
    assert rates[5:] == [TWO.parts[1].rate(i) for i in range(4)]
    assert [TWO.part(i) for i in range(9)] == [0] * 5 + [1] * 4
    assert TWO.lr == 0.1


def test_phases_are_those_of_the_parts_in_their_places():
    phases = TWO.phases()
    assert [(phase.start, phase.stop) for phase in phases] == [(0, 3), (3, 5), (5, 6), (6, 9)]
    for phase in phases:
        assert phase.first_rate == pytest.approx(TWO.rate(phase.start))
        assert phase.last_rate == pytest.approx(TWO.rate(phase.stop - 1))


@given(st.integers(2, 500))
def test_scaling_keeps_all_parts(until):
    scaled = TWO.scaled(until)
    assert len(scaled.parts) == 2
    assert abs(scaled.until - until) <= 1


def test_higher_rates_and_plain_values():
    assert [TWO.times(3).rate(i) for i in range(9)] == pytest.approx(
        [3 * TWO.rate(i) for i in range(9)]
    )
    assert decode(SequenceConfig, encode(TWO)) == TWO


def test_no_part_is_refused():
    with pytest.raises(ConfigError, match="one part at least"):
        SequenceConfig(parts=()).phases()
