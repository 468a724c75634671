"""Batches of picture files, read ahead."""

import threading
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from residua.deploy.batches import batches
from residua.errors import DataError


class Numbers:
    """Reads the number that a file is named by; negative ones cannot be read."""

    def __init__(self):
        self.read_so_far = 0

    def read(self, source):
        self.read_so_far += 1
        if source.name.startswith("-"):
            raise DataError(f"{source} is bad")
        return torch.tensor([[[int(source.name)]]])


@given(numbers=st.lists(st.integers(-3, 9), max_size=40), size=st.integers(1, 7))
def test_every_file_comes_once_in_its_order(numbers, size):
    paths = [Path(str(number)) for number in numbers]
    found = list(batches(Numbers(), paths, size))
    good = [index for index, number in enumerate(numbers) if number >= 0]
    assert [index for batch in found for index in batch.indices] == good
    assert [int(p) for b in found for p in b.pictures] == [numbers[index] for index in good]
    assert [why for b in found for why in b.unread] == [f"{n} is bad" for n in numbers if n < 0]
    assert sum(batch.count for batch in found) == len(numbers)
    assert all(len(batch.pictures) == size for batch in found[:-1])
    assert all(batch.count for batch in found)


def test_only_about_one_batch_is_read_ahead(monkeypatch):
    monkeypatch.setattr("residua.runtime.own_cores", lambda: 2)
    reader = Numbers()
    following = batches(reader, [Path("1")] * 100, 5)
    next(following)
    # One batch is out, 5 + 2 are begun, and one more takes the place of each that was handed out.
    assert 5 <= reader.read_so_far <= 12
    following.close()


def test_the_next_batch_is_read_while_one_is_used():
    done = threading.Event()

    class Watched:
        def read(self, source):
            if source.name == "2":
                done.set()
            return torch.zeros(1, 1, 1)

    following = batches(Watched(), [Path("0"), Path("1"), Path("2"), Path("3")], 2)
    next(following)
    assert done.wait(10)
    following.close()


def test_faults_of_ours_are_not_taken_for_bad_files():
    class Broken:
        def read(self, source):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(batches(Broken(), [Path("1")], 2))
