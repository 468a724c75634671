from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from residua.config import decode, digest, encode, from_yaml, settings, tagged, to_yaml
from residua.errors import ConfigError


@settings
class Steps:
    kind: Literal["steps"] = "steps"
    at: tuple[int, ...] = (10, 20)
    factor: float = 0.1


@settings
class Cosine:
    kind: Literal["cosine"] = "cosine"
    until: int = 100


@settings
class Job:
    schedule: Annotated[Steps | Cosine, tagged] = Steps()
    name: str = "job"


schedules = st.one_of(
    st.builds(Steps, at=st.lists(st.integers(0, 10**9)).map(tuple), factor=st.floats(0, 1)),
    st.builds(Cosine, until=st.integers(0, 10**9)),
)
jobs = st.builds(Job, schedule=schedules, name=st.text())


@given(jobs)
def test_decoding_undoes_encoding(job):
    assert decode(Job, encode(job)) == job


@given(jobs)
def test_yaml_keeps_every_value(job):
    assert from_yaml(Job, to_yaml(job)) == job


@given(jobs, jobs)
def test_equal_settings_and_only_they_have_equal_digests(one, two):
    assert (digest(one) == digest(two)) == (encode(one) == encode(two))


def test_the_kind_tag_chooses_the_class():
    assert decode(Job, {"schedule": {"kind": "cosine"}}).schedule == Cosine()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"nam": "x"}, "run.yaml: nam: no such setting (did you mean name?)"),
        ({"schedule": {"kind": "steps", "factr": 1}}, "schedule.steps.factr: no such setting"),
        ({"schedule": {"kind": "cosin"}}, "schedule: "),
        ({"schedule": {"until": 3}}, "schedule: "),
        ({"schedule": {"kind": "steps", "at": ["b"]}}, "valid integer, got 'b'"),
        ({"name": 3}, "name: input should be a valid string, got 3"),
        (None, "run.yaml: "),
    ],
)
def test_what_does_not_fit_is_named_with_its_path(data, message):
    with pytest.raises(ConfigError) as caught:
        decode(Job, data, where="run.yaml")
    assert message in str(caught.value)


def test_text_that_is_no_yaml_is_a_sentence():
    with pytest.raises(ConfigError, match="not readable as YAML"):
        from_yaml(Job, "a: [1", where="run.yaml")


def test_a_setting_that_is_added_with_a_default_changes_no_digest():
    @settings
    class Later:
        schedule: Annotated[Steps | Cosine, tagged] = Steps()
        name: str = "job"
        added: int = 3

    for schedule in (Steps(), Steps(factor=0.5), Cosine(), Cosine(until=7)):
        assert digest(Later(schedule=schedule)) == digest(Job(schedule=schedule))
    assert digest(Later(added=4)) != digest(Job())
