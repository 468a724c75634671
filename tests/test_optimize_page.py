"""The page of an optimized net, with numbers by hand."""

import dataclasses
import xml.etree.ElementTree as ET

import pytest

from residua.plots.engines import Speed, engines
from residua.report.optimize import (
    OptimizeRecord,
    Row,
    accuracies,
    finding,
    megabytes,
    speeds,
    speedup,
    verdict,
    write_optimize,
)

NET = Row(
    name="PyTorch, as it is",
    status="reference",
    milliseconds=(8.0, 90.0),
    quartiles=((7.5, 8.5), (88.0, 95.0)),
    agreement=100.0,
    error=5.0,
    change=0.0,
)
FAST = Row(
    name="OpenVINO bfloat16",
    status="picked",
    milliseconds=(2.0, 10.0),
    quartiles=((1.9, 2.1), (9.5, 11.0)),
    peak_bytes=123_000_000,
    file_bytes=1_234_000,
    seconds_to_open=1.25,
    agreement=99.5,
    error=5.25,
    change=0.25,
)
WRONG = dataclasses.replace(
    FAST,
    name="OpenVINO int8",
    status="inaccurate",
    why="+3.00 points of error, above the budget",
    milliseconds=(1.0, 9.0),
    change=3.0,
)
GONE = Row(
    name="onnxruntime float32",
    status="absent",
    why='needs onnxruntime: pip install "residua[onnx]"',
)
BROKEN = Row(name="torch.compile float32", status="failed", why="RuntimeError: <no kernel>")
RECORD = OptimizeRecord(
    title="runs/digits.resnet20/seed0",
    rows=(NET, FAST, WRONG, GONE, BROKEN),
    batch_sizes=(1, 32),
    rounds=10,
    checked_on="360 validation pictures",
    budget=0.5,
    calibration="300 training pictures",
    use=[("Name it:", "residua predict fast picture.jpg")],
)


def test_speed_is_the_geometric_mean_over_the_batches():
    assert speedup(FAST, NET) == pytest.approx(6.0)  # of 4 and 9
    assert finding(RECORD) == (
        "OpenVINO bfloat16: 4.0 times as fast with 1 picture, 9.0 with 32 pictures, "
        "+0.25 points of error"
    )
    same = dataclasses.replace(FAST, change=-0.001)
    assert finding(dataclasses.replace(RECORD, rows=(NET, same))).endswith(", the same error")
    blind = dataclasses.replace(FAST, change=None)
    told = finding(dataclasses.replace(RECORD, rows=(NET, blind)))
    assert told.endswith("agrees with the net on 99.50 %")


def test_what_became_of_an_engine_is_said():
    assert [verdict(row) for row in RECORD.rows] == [
        "as it is",
        "picked",
        "inaccurate: +3.00 points of error, above the budget",
        'not here: needs onnxruntime: pip install "residua[onnx]"',
        "failed: RuntimeError: <no kernel>",
    ]


def test_figures_of_a_row_are_in_their_order():
    assert speeds(FAST, NET, (1, 32)) == ["2", "4.00", "10", "9.00", "3,200", "123"]
    assert speeds(NET, NET, (1, 32))[-1] == ""
    # The largest batch need not be the last.
    turned = [dataclasses.replace(row, milliseconds=row.milliseconds[::-1]) for row in (FAST, NET)]
    assert speeds(*turned, (32, 1))[-2] == "3,200"
    assert accuracies(FAST) == ["99.50", "5.25", "+0.25"]
    assert accuracies(NET) == ["100.00", "5.00", "0.00"]
    assert accuracies(GONE) == ["", "", ""]
    assert [megabytes(count) for count in (0, 1_234_000, 123_456_000)] == ["", "1.2", "123"]


def test_the_page_holds_every_engine_and_how_to_use_what_was_picked(tmp_path):
    page = write_optimize(
        tmp_path, RECORD, environment={"torch": "2"}, command="residua optimize last"
    )
    assert page == tmp_path / "optimize.html"
    text = page.read_text()
    for told in (
        "4.0 times as fast with 1 picture", "<strong>OpenVINO bfloat16</strong>",
        "1.9 to 2.1 ms with 1", "not here: needs onnxruntime",
        "9.5 to 11 ms with 32", "300 training pictures", "360 validation pictures",
        "residua predict fast picture.jpg", "&lt;no kernel&gt;", "ms, batch 32", "99.50",
        "pip install &#34;residua[onnx]&#34;", "residua optimize last",
    ):  # fmt: skip
        assert told in text, told
    assert text.count('<th scope="row">onnxruntime float32') == 1


@pytest.mark.parametrize("narrow", [True, False])
def test_the_figure_says_every_speed(narrow):
    rows = [Speed("PyTorch", (1.0, 1.0), True), Speed("OpenVINO int8", (8.0, 10.0), False)]
    drawn = ET.fromstring(engines(rows, (1, 32), narrow=narrow))
    told = [element.text for element in drawn.iter("text")]
    for word in ("PyTorch", "8.0, 10.0", "1 picture at a time", "32 pictures at a time"):
        assert word in told
