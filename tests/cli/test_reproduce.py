"""`residua reproduce`, by the records that are there."""

import re

import pytest

from kept_runs import record
from residua import recipes


@pytest.fixture
def kept(tmp_path):
    """The command on a folder of runs with one whole run and a short one."""
    record(tmp_path / "runs", recipes.find("cifar.resnet20"), 8.9)
    record(tmp_path / "runs", recipes.find("cifar.resnet32").lasting(100), 7.51)
    return tmp_path


def test_a_table_is_shown_with_its_verdicts(run, kept):
    code, text = run("reproduce", "he2015.table6", "--show")
    assert code == 0
    line = next(x for x in text.splitlines() if re.match(r"ResNet-20 +test error ", x))
    found = ["ResNet-20", "test error", "8.75", "single run", "8.90", "single run, n = 1"]
    assert re.split(r"  +", line) == [*found, "+0.15", "0.50", "reproduced"]
    assert re.search(r"ResNet-32 +test error .* 7.51 .*scaled down", text)
    told = "ResNet-32, test error: 100 updates, the recipe has 64,000; float32; "
    assert f"{told}{kept}/runs/cifar.resnet32/seed0\n".replace(f"{kept}/", "") in text
    assert re.search(r"ResNet-44 +test error .*not run", text)
    assert re.search(r"NIN +test error .*quoted", text)
    assert "source: arXiv:1512.03385, table 6" in text


def test_rows_are_chosen(run, kept):
    code, text = run("reproduce", "he2015.table6", "--rows", "resnet-20", "--show")
    assert code == 0
    assert "ResNet-20" in text
    assert "ResNet-32" not in text


def test_a_row_or_table_that_is_not_there_is_answered(run, kept):
    code, text = run("reproduce", "he2015.table6", "--rows", "ResNet-21", "--show")
    assert code == 2
    assert "he2015.table6 has no row ResNet-21 (did you mean ResNet-" in text
    assert run("reproduce", "he2015", "--rows", "x")[0] == 2
    code, text = run("reproduce")
    assert (code, "say which table" in text) == (2, True)
    code, text = run("reproduce", "he2015.table6", "--weights", "resnet50", "--show")
    assert (code, "takes NAME=FILE" in text) == (2, True)


def test_what_is_there_already_is_not_trained_again(run, kept):
    code, text = run("reproduce", "he2015.table6", "--rows", "ResNet-20", "--device", "cpu")
    assert code == 0
    assert "iterations" not in text
    assert sorted(path.name for path in (kept / "runs" / "cifar.resnet20").iterdir()) == ["seed0"]


def test_all_tables_are_listed_with_their_state(run, kept):
    code, text = run("reproduce", "mnist", "--list")
    assert code == 0
    heading, line = text.splitlines()[1:3]
    assert heading.split()[0] == "table"
    assert re.match(r"mnist.results +MNIST accuracy +3 +3$", line.rstrip())
    code, text = run("reproduce", "he2015.table6", "--list")
    # Six counts and one run are reproduced, one run is scaled down.
    assert re.search(r"he2015.table6 +CIFAR-10 test error +23 +7 +1 +7 +8\n", text)
