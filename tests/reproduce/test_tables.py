"""The tables are whole, and a number stands in one place."""

from collections import Counter

import pytest

from residua import recipes
from residua.errors import ConfigError
from residua.nets.describe import layers, total_multiply_adds
from residua.reproduce.cell import (
    Cell,
    Counted,
    Difference,
    Exceeds,
    OutOfScope,
    Trained,
    claim_of,
    in_units,
)
from residua.reproduce.count import counted
from residua.reproduce.run import asked_by
from residua.reproduce.tables import find, tables

CELLS = [(table.name, cell) for table in tables().values() for cell in table.cells]
WANTED = {
    *(f"he2015.table{number}" for number in range(1, 15)),
    *(f"he2015.figure{number}" for number in (1, 4, 6, 7)),
    *(f"he2016.table{number}" for number in range(1, 6)),
    *("wide.block_type", "wide.convs_per_block", "wide.width_depth", "wide.final", "wide.dropout"),
    *("highway.mnist", "highway.cifar", "depth.cifar", "mnist.results", "he2015.release"),
}


def test_every_table_is_there():
    assert tables().keys() >= WANTED
    assert all(table.cells and table.source for table in tables().values())


def test_no_cell_stands_twice_in_a_table():
    seen = Counter((name, cell.row, cell.column) for name, cell in CELLS)
    assert [place for place, count in seen.items() if count > 1] == []


def test_every_number_is_there_but_where_the_paper_prints_none():
    for name, cell in CELLS:
        if cell.value is None:
            assert isinstance(cell.how, Difference | OutOfScope), (name, cell.row)
        else:
            assert cell.printed, (name, cell.row)
            assert (cell.stated is None) == isinstance(cell.how, Trained), (name, cell.row)


def test_every_recipe_of_a_cell_exists_and_every_claim_is_in_a_table():
    named = {asked.recipe for _, cell in CELLS for asked in asked_by(cell.how)}
    assert named <= recipes.names().keys()
    used = {
        (cell.how.recipe, claim_of(cell.how)) for _, cell in CELLS if isinstance(cell.how, Trained)
    }
    twins = ("_plateau", "voc07_resnet101", "voc07_vgg16")
    for name in recipes.names():
        if name.startswith("fb.") or name.endswith(twins):
            continue
        for claim in recipes.find(name).claims:
            if claim.source != "KaimingHe/deep-residual-networks, README.md":
                assert (name, claim) in used, (name, claim)


@pytest.mark.parametrize("depth", [50, 101, 152])
def test_what_the_release_says_and_what_recipes_claim_of_it_agree(depth):
    (release,) = find("he2015.release")
    printed = {cell.column: cell.value for cell in release.cells if cell.row == f"ResNet-{depth}"}
    for form in ("", "_plateau"):
        claims = recipes.find(f"imagenet.resnet{depth}{form}").claims
        found = {claim.metric: claim.value for claim in claims if "README" in claim.source}
        assert found["test_error"] == printed["1-crop top-1"]
        assert found["top5_error"] == printed["1-crop top-5"]
        ten = {c.metric: c.value for c in claims if c.source.endswith("table 3")}
        assert ten["test_error"] == pytest.approx(printed["10-crop top-1"], abs=0.0501)
        assert ten["top5_error"] == pytest.approx(printed["10-crop top-5"], abs=0.0501)


@pytest.mark.parametrize(
    ("recipe", "twin"),
    [
        *((f"imagenet.{n}", f"imagenet.{n}_plateau") for n in ("plain18", "resnet34", "resnet152")),
        ("detection.voc07_resnet101", "detection.voc07_resnet101_alternating"),
        ("detection.voc07_vgg16", "detection.voc07_vgg16_alternating"),
    ],
)
def test_two_ways_to_train_one_net_claim_the_same(recipe, twin):
    assert recipes.find(recipe).claims == recipes.find(twin).claims


def test_a_number_that_two_tables_print_is_one_claim():
    def value(table, row, column):
        (found,) = find(table)
        return next(c.value for c in found.cells if (c.row, c.column) == (row, column))

    shared = [
        [("he2016.table1", "original", "test error"), ("he2016.table2", "original", "ResNet-110")],
        [
            ("he2015.table2", "plain-34", "top-1 error"),
            ("he2015.table3", "plain-34", "top-1 error"),
        ],
        [
            ("he2016.table3", "CIFAR-10 ResNet-1001", "pre-activation unit"),
            ("he2016.table4", "pre-act 1001", "CIFAR-10 test error"),
        ],
        [("he2015.table7", "VGG-16", "VOC07 test mAP"), ("he2015.table10", "VGG-16, 07+12", "mAP")],
    ]
    for one, two in shared:
        assert value(*one) == value(*two)


def test_the_differences_in_the_text_are_those_of_the_tables():
    (table4,) = find("he2015.figure4")
    for cell in table4.cells:
        if cell.value is not None:
            errors = [recipes.find(asked.recipe).claims[0].value for asked in asked_by(cell.how)]
            assert cell.value == pytest.approx(errors[0] - errors[1], abs=0.0501)
    (table8,) = find("he2015.table8")
    by_row = {(c.row, c.column): c.value for c in table8.cells}
    for column in ("mAP@.5", "mAP@[.5,.95]"):
        better = by_row["ResNet-101", column] - by_row["VGG-16", column]
        assert by_row["ResNet-101 above VGG-16", column] == pytest.approx(better)


def test_counts_are_counted():
    made = [cell.how for _, cell in CELLS if isinstance(cell.how, Counted)]
    (plain,) = {how for how in made if how.what == "multiply_adds" and how.net.depth == 18}
    rows = layers(plain.net.build(), (3, 224, 224))
    assert counted(plain).values == (total_multiply_adds(rows),) == (1_794_805_760,)
    # FACTS of two kinds: with batch normalization, and without.
    last = [how for how in made if how.net.kind == "cifar" and how.net.depth == 1001]
    assert [counted(how).values for how in last] == [(10_178_490,)]


def test_numbers_are_printed_as_in_the_papers():
    printed = {(name, c.row, c.column): c.printed for name, c in CELLS}
    assert printed["he2015.table6", "ResNet-20", "params"] == "0.27 M"
    assert printed["he2015.table6", "ResNet-110", "test error (mean)"] == "6.61 ± 0.16"
    assert printed["he2015.table1", "FLOPs", "152-layer"] == "11.3 G"
    assert printed["wide.final", "WRN-28-10", "CIFAR-10 test error"] == "4.00"
    assert printed["he2016.table1", "dropout shortcut", "test error"] == "> 20"
    assert printed["he2015.table4", "VGG v5", "top-1 error"] == "24.4"
    assert printed["highway.mnist", "Highway, width 16", "params"] == "39 K"
    assert printed["highway.cifar", "FitNet 1", "params"] == "250 K"
    assert printed["highway.cifar", "Highway C", "params"] == "1.25 M"
    assert in_units(9e6, 0) == "9 M"


def test_what_fails_in_the_paper_has_no_claim():
    for _, cell in CELLS:
        if isinstance(cell.how, Exceeds):
            assert recipes.find(cell.how.recipe).claims == ()


def test_a_paper_and_a_table_are_found_by_name():
    assert [table.name for table in find("mnist")] == ["mnist.results"]
    assert len(find("he2016")) == 5
    with pytest.raises(
        ConfigError, match=r"no table is called he2015.tabel6 \(did you mean he2015"
    ):
        find("he2015.tabel6")


def test_a_cell_whose_claim_is_not_there_is_refused():
    how = Trained(recipe="cifar.resnet20", statistic="median of 5")
    with pytest.raises(ConfigError, match=r"cifar.resnet20 must have one claim"):
        assert Cell(row="a", column="b", how=how).value
