"""The transcribed tables have the form of `tables/README.md`, and agree among themselves."""

import re
from collections import Counter

import pytest
from transcribed import FOLDER, TABLES, by_label, read, value

KEYS = {"row", "column", "value", "unit", "std", "n", "statistic", "code"}
UNITS = {
    "percent",
    "layers",
    "thousand parameters",
    "million parameters",
    "million multiplications",
    "giga multiply-adds",
    "seconds per epoch",
    "pixels",
    "factor",
    "initial bias",
}
KINDS = {"count": "counts", "setting": "settings"}
STATISTIC = r"(best|mean|median)( of [1-9]\d*)?|single run|lower bound|not stated|count|setting"
CODE = r"(P(×[23])?|R|D|S|M)(, (R|D))*"


def runs(statistic):
    """Return the number of runs that a statistic names, or None."""
    if statistic == "single run":
        return 1
    found = re.search(r" of (\d+)$", statistic)
    return int(found[1]) if found else None


def is_number(x):
    return isinstance(x, int | float) and not isinstance(x, bool)


def faults(cell):
    """Return the keys of a cell that are not as the README says."""
    if not KEYS <= cell.keys() <= KEYS | {"note"}:
        return {"keys"}
    of_mean = cell["statistic"].startswith("mean")
    good = {
        "row": isinstance(cell["row"], str) and cell["row"].strip() == cell["row"] != "",
        "column": isinstance(cell["column"], str)
        and cell["column"].strip() == cell["column"] != "",
        "value": is_number(cell["value"]) or (cell["value"] is None and bool(cell.get("note"))),
        "unit": cell["unit"] in UNITS,
        "std": cell["std"] is None or (is_number(cell["std"]) and cell["std"] > 0 and of_mean),
        "n": cell["n"] == runs(cell["statistic"]),
        "statistic": re.fullmatch(STATISTIC, cell["statistic"]) is not None,
        "code": cell["code"] is None or re.fullmatch(CODE, cell["code"]) is not None,
        "note": isinstance(cell.get("note", "none"), str) and cell.get("note") != "",
    }
    return {key for key, is_good in good.items() if not is_good}


def counts(table):
    """Return how many cells a table has: all, results, counts, settings, failed."""
    kinds = Counter(
        "failed" if cell["value"] is None else KINDS.get(cell["statistic"], "results")
        for cell in read(table)
    )
    return [kinds.total(), *(kinds[kind] for kind in ("results", "counts", "settings", "failed"))]


def promised():
    """Return the counts that the README gives, by table."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| (\w+\.\w+) ((?:\| \d+ )+)\|$", text, flags=re.MULTILINE)
    return {table: [int(number) for number in re.findall(r"\d+", cells)] for table, cells in lines}


@pytest.mark.parametrize("table", TABLES)
def test_cells_have_the_form(table):
    assert {(c.get("row"), c.get("column")): faults(c) for c in read(table) if faults(c)} == {}


@pytest.mark.parametrize("table", TABLES)
def test_no_two_cells_have_the_same_labels(table):
    assert len(by_label(table)) == len(read(table))


def test_the_counts_are_those_of_the_readme():
    assert {table: counts(table) for table in TABLES} == promised()


def test_only_the_blog_post_has_no_code():
    assert {t for t in TABLES if any(cell["code"] is None for cell in read(t))} == {"mnist.results"}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"row": ""}, "row"),
        ({"column": " error"}, "column"),
        ({"value": "6.61"}, "value"),
        ({"value": None}, "value"),
        ({"value": True}, "value"),
        ({"unit": "%"}, "unit"),
        ({"std": -0.16}, "std"),
        ({"statistic": "median of 5"}, "std"),
        ({"n": 3}, "n"),
        ({"statistic": "average of 5"}, "statistic"),
        ({"code": "Q"}, "code"),
        ({"note": ""}, "note"),
        ({"source": "he2015"}, "keys"),
    ],
)
def test_a_malformed_cell_is_found(change, key):
    cell = a_mean_with_its_std()
    assert faults(cell) == set()
    assert key in faults(cell | change)


def a_mean_with_its_std():
    return by_label("he2015.table6")["resnet-110", "testerror(mean)"]


@pytest.mark.parametrize("table", ["he2015.table10", "he2015.table11"])
def test_the_means_over_classes_are_those_of_the_classes(table):
    rows = {}
    for cell in read(table):
        rows.setdefault(cell["row"], {})[cell["column"]] = cell["value"]
    for row in rows.values():
        mean = row.pop("mAP")
        assert len(row) == 20
        assert sum(row.values()) / 20 == pytest.approx(mean, abs=0.0501)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ("he2015.table2", "plain-34", "top-1 error"),
            ("he2015.table3", "plain-34", "top-1 error"),
        ),
        (
            ("he2015.table2", "ResNet-34", "top-1 error"),
            ("he2015.table3", "ResNet-34 A", "top-1 error"),
        ),
        (
            ("he2015.table7", "ResNet-101", "VOC07 test mAP"),
            ("he2015.table10", "ResNet-101, 07+12", "mAP"),
        ),
        (
            ("he2015.table7", "VGG-16", "VOC12 test mAP"),
            ("he2015.table11", "VGG-16, 07++12", "mAP"),
        ),
        (
            ("he2015.table8", "ResNet-101", "mAP@[.5,.95]"),
            ("he2015.table9", "baseline ResNet-101", "train->val mAP@[.5,.95]"),
        ),
        (
            ("he2015.table13", "RPN+R-CNN ensemble", "top-5 error, predicted class"),
            ("he2015.table14", "ResNet (ILSVRC'15)", "val top-5 error"),
        ),
        (
            ("he2016.table2", "full pre-activation", "ResNet-164"),
            ("he2016.table3", "CIFAR-10 ResNet-164", "pre-activation unit"),
        ),
        (
            ("he2016.table3", "CIFAR-100 ResNet-1001", "pre-activation unit"),
            ("he2016.table4", "pre-act 1001", "CIFAR-100 test error"),
        ),
        (
            ("wide.final", "WRN-28-10", "CIFAR-100 test error"),
            ("wide.dropout", "WRN-28-10", "CIFAR-100 test error, no dropout"),
        ),
    ],
)
def test_what_is_printed_twice_is_the_same(one, other):
    assert value(*one) == value(*other)


def test_errors_and_accuracies_of_highway_nets_add_up():
    for row, net in (("Highway (19 layers)", "Highway B"), ("Highway (32 layers)", "Highway C")):
        error = value("he2015.table6", row, "test error")
        assert error + value("highway.cifar", net, "CIFAR-10 accuracy") == pytest.approx(100)
