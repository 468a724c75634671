"""The page of a slimmed run, with numbers by hand."""

import dataclasses
import json
import xml.etree.ElementTree as ET

import pytest

from residua.plots.missed import missed
from residua.report.slimming import Side, SlimmingRecord, finding, rows, write_slimming

BEFORE = Side(
    test_error=6.61, blocks=27, parameters=850_000, multiply_adds=125_000_000, milliseconds=4.0
)
AFTER = Side(
    test_error=7.0, blocks=21, parameters=700_000, multiply_adds=100_000_000, milliseconds=3.0
)
RECORD = SlimmingRecord(
    title="runs/cifar.resnet56/seed0 without 2 of its residual functions",
    chosen_with="2,000 validation pictures",
    whole=6.0,
    alone={"stages.0.0": 30.0, "stages.0.1": 6.2, "stages.1.1": 6.1, "stages.2.1": 9.0},
    left_out={"stages.1.1": 6.1, "stages.0.1": 6.6},
    before=BEFORE,
    after=AFTER,
    batch=1,
    test_count=10_000,
    run="runs/cifar.resnet56_slimmed/seed0",
)


def words(svg):
    return [element.text for element in ET.fromstring(svg).iter("text")]


def test_the_finding_says_what_was_gained_and_what_it_cost():
    assert finding(RECORD) == (
        "2 of 27 residual functions left out: 20 % fewer multiply-adds and 25 % less time, "
        "+0.4 points of test error"
    )
    untested = dataclasses.replace(RECORD, before=dataclasses.replace(BEFORE, test_error=None))
    assert finding(untested).endswith("25 % less time")
    assert rows(untested)[0] == ("test error, %", "not tested", "7.00")
    slower = dataclasses.replace(RECORD, after=dataclasses.replace(AFTER, milliseconds=4.4))
    assert "10 % more time" in finding(slower)


def test_the_page_holds_the_numbers_and_their_order(tmp_path):
    page = write_slimming(tmp_path, RECORD, environment={"torch": "2"}, command="residua slim x")
    text = page.read_text()
    assert text.index('<th scope="row">stages.1.1') < text.index('<th scope="row">stages.0.1')
    for told in ("6.61", "7.00", "850,000", "125.0", "2,000 validation pictures", "6.60"):
        assert told in text
    assert json.loads((tmp_path / "slimming.json").read_text())["left_out"] == RECORD.left_out


@pytest.mark.parametrize("narrow", [True, False])
def test_the_figure_names_its_axes_and_marks(narrow):
    drawn = (["0.0", "0.1"], [30.0, 6.2], [False, True], 6.0)
    told = words(missed(*drawn, narrow=narrow))
    for word in ("0.0", "0.1", "kept", "left out", "all blocks", "error without it, %"):
        assert word in told
    assert "left out" not in words(missed(drawn[0], drawn[1], [False, False], 6.0))
