import shutil
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pictured import class_folders
from residua.data.divide import divide
from residua.data.recognise import recognise
from residua.errors import ConfigError, DataError


def stems(part):
    return set(part.names)


def write(root, counts):
    """Files that only look like pictures: what they hold is all that matters here."""
    shutil.rmtree(root, ignore_errors=True)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            (root / name / f"{number}.png").write_text(f"{name} {number}")
    return root


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(counts=st.lists(st.integers(3, 40), min_size=2, max_size=4))
def test_every_class_is_divided_in_the_same_shares(tmp_path, counts):
    root = write(tmp_path / "set", {f"c{i}": count for i, count in enumerate(counts)})
    divided = divide(recognise(root), validation=0.2, test=0.1)
    parts = (divided.test, divided.validation, divided.train)
    assert sum(map(len, parts)) == sum(counts)
    assert len(set().union(*map(stems, parts))) == sum(counts)
    per_part = [Counter(part.labels) for part in parts]
    for label, count in enumerate(counts):
        test, validation, train = (found[label] for found in per_part)
        assert test == max(1, round(0.1 * count))
        assert validation == max(1, round(0.2 * count))
        assert train == count - test - validation >= 1


def test_renaming_and_moving_files_changes_nothing(tmp_path):
    root = write(tmp_path / "set", {"a": 20, "b": 20})
    before = divide(recognise(root), validation=0.15, test=0.15)
    contents = {(root / name).read_text() for name in before.test.names}
    (root / "a" / "deeper").mkdir()
    for file in sorted((root / "a").glob("*.png")):
        file.rename(root / "a" / "deeper" / f"x{file.name}")
    after = divide(recognise(root), validation=0.15, test=0.15)
    assert {(root / name).read_text() for name in after.test.names} == contents


def test_added_files_move_few_of_the_others(tmp_path):
    root = write(tmp_path / "set", {"a": 200, "b": 200})
    before = divide(recognise(root), validation=0.15, test=0.15)
    for number in range(200, 210):
        (root / "a" / f"{number}.png").write_text(f"a {number}")
    after = divide(recognise(root), validation=0.15, test=0.15)
    assert len(stems(before.test) & stems(after.train)) == 0
    assert len(stems(before.train) & stems(after.test)) <= 2


def test_copies_of_a_file_stay_together(tmp_path):
    root = write(tmp_path / "set", {"a": 20, "b": 3})
    for number in range(20):
        for copy in range(3):
            (root / "a" / f"copy{copy}-{number}.png").write_text(f"a {number}")
    divided = divide(recognise(root), validation=0.2, test=0.2)
    contents = [
        {(root / name).read_text() for name in part.names}
        for part in (divided.train, divided.validation, divided.test)
    ]
    assert sum(map(len, contents)) == 23


def test_what_is_held_out_already_is_the_test_part_and_is_not_chosen_with(tmp_path):
    write(tmp_path / "train", {"a": 20, "b": 10})
    class_folders(tmp_path / "val", {"a": 2, "b": 2})
    divided = divide(recognise(tmp_path), validation=0.1, test=0.1)
    assert len(divided.test) == 4
    assert all(name.startswith("val/") for name in divided.test.names)
    assert Counter(divided.validation.labels) == {0: 2, 1: 1}
    assert len(divided.train) == 27
    assert not stems(divided.train) & stems(divided.validation)
    without = divide(recognise(tmp_path), validation=0.0, test=0.1)
    assert without.validation is None
    assert len(without.train) == 30


def test_three_folders_stay_as_they_are(tmp_path):
    for part, count in (("train", 5), ("val", 2), ("test", 3)):
        class_folders(tmp_path / part, {"a": count, "b": count})
    divided = divide(recognise(tmp_path), validation=0.3, test=0.3)
    assert [len(p) for p in (divided.train, divided.validation, divided.test)] == [10, 4, 6]


def test_a_class_too_small_to_divide_is_named(tmp_path):
    root = write(tmp_path / "set", {"a": 20, "b": 2})
    with pytest.raises(DataError, match="class b has 2 different pictures, and 3 is the least"):
        divide(recognise(root), validation=0.1, test=0.1)
    assert divide(recognise(root), validation=0.0, test=0.1).validation is None


@pytest.mark.parametrize(("validation", "test"), [(-0.1, 0.1), (0.1, 0.0), (0.5, 0.5), (0.1, 1.0)])
def test_shares_that_leave_nothing_are_refused(tmp_path, validation, test):
    root = write(tmp_path / "set", {"a": 3, "b": 3})
    with pytest.raises(ConfigError, match="leave something to learn from"):
        divide(recognise(root), validation=validation, test=test)
