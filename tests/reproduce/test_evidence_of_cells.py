"""Which runs count for a recipe: each of these differs in one thing and must not."""

import dataclasses
from pathlib import Path

import pytest

from kept_runs import MINE, cell, later, mine, other, record, seeded
from residua import recipes
from residua.data.views import CenterCrop, TenCrop
from residua.nets.describe import layers
from residua.reproduce.cell import Cell, Difference, Exceeds, Trained
from residua.reproduce.evidence import found
from residua.reproduce.run import judged
from residua.reproduce.same import configuration, pictures_of

RESNET20 = Cell(row="ResNet-20", column="error", how=Trained(recipe="cifar.resnet20"))


def of(root, *cells):
    return [judgement.verdict for judgement in judged(cells or (RESNET20,), [root])]


def only(root, cell=RESNET20):
    (judgement,) = judged([cell], [root])
    return judgement


def resnet20(**changes):
    return dataclasses.replace(recipes.find("cifar.resnet20"), **changes)


def test_a_whole_run_as_in_the_recipe_is_held_to_its_claim(tmp_path):
    record(tmp_path, resnet20(), 8.78)
    judgement = only(tmp_path)
    assert (judgement.verdict, judgement.ours, judgement.tolerance) == ("reproduced", 8.78, 0.5)
    assert judgement.difference == pytest.approx(0.03)
    assert judgement.statistic == "single run, n = 1"
    assert judgement.measured.folders == (str(tmp_path / "cifar.resnet20" / "seed0"),)


def test_a_whole_run_far_off_is_outside(tmp_path):
    record(tmp_path, resnet20(), 9.26)
    assert of(tmp_path) == ["outside tolerance"]


@pytest.mark.parametrize("seed", [0, 3])
def test_seed_place_compilation_and_precision_are_free_and_said(tmp_path, seed):
    data = dataclasses.replace(resnet20().data, folder="/elsewhere")
    record(tmp_path, resnet20(seed=seed, compile=True, precision="bfloat16", data=data), 8.75)
    judgement = only(tmp_path)
    assert judgement.verdict == "reproduced"
    assert "compiled" in judgement.why


def test_code_that_was_changed_and_several_processes_are_said(tmp_path):
    environment = {"precision": "float32", "processes": 4, "code": "abc1234+"}
    record(tmp_path, resnet20(), 8.75, environment=environment)
    told = ("float32", "4 processes", "its code was changed after commit abc1234")
    assert only(tmp_path).why == told


def fewer(e):
    return e.lasting(32_000)


def holding_out(e):
    return dataclasses.replace(e, data=dataclasses.replace(e.data, holdout=5_000))


def heavier(e):
    optimizer = dataclasses.replace(e.optimizer, weight_decay=5e-4)
    return dataclasses.replace(e, optimizer=optimizer)


def deeper(e):
    return dataclasses.replace(e, net=dataclasses.replace(e.net, depth=56))


def longer(e):
    return dataclasses.replace(e, schedule=dataclasses.replace(e.schedule, until=128_000))


def earlier(e):
    return dataclasses.replace(e, schedule=dataclasses.replace(e.schedule, at=(16_000, 48_000)))


def in_parts(e):
    return dataclasses.replace(e, accumulate=2)


def choosing(e):
    return dataclasses.replace(e, select="best")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (fewer, "32,000 updates, the recipe has 64,000"),
        (longer, "128,000 updates, the recipe has 64,000"),
        (earlier, "schedule.at is [16000, 48000]"),
        (holding_out, "data.holdout is 5000, the recipe has 0"),
        (heavier, "optimizer.weight_decay is 0.0005, the recipe has 0.0001"),
        (deeper, "net.depth is 56, the recipe has 20"),
        (in_parts, "accumulate is 2, the recipe has 1"),
        (choosing, "select is best, the recipe has last"),
        (lambda e: e.smoke(), "2 updates, the recipe has 64,000"),
    ],
)
def test_a_run_with_another_setting_is_scaled_and_says_which(tmp_path, change, said):
    record(tmp_path, change(resnet20()), 8.75)
    judgement = only(tmp_path)
    assert judgement.verdict == "scaled down"
    assert any(said in why for why in judgement.why), judgement.why


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sizes": [5_000, 0, 10_000]}, "5,000 images to learn from"),
        ({"sizes": [50_000, 0, 1_000]}, "1,000 to test on"),
        ({"test_count": 1_000}, "tested on 1000 of 10,000"),
        ({"iteration": 63_999}, "ends after 63,999 of 64,000"),
    ],
)
def test_a_run_whose_record_is_of_a_part_is_scaled(tmp_path, changes, said):
    record(tmp_path, resnet20(), 8.75, **changes)
    judgement = only(tmp_path)
    assert judgement.verdict == "scaled down"
    assert said in " ".join(judgement.why)


def test_a_run_of_other_layers_than_the_recipe_has_now_is_scaled(tmp_path):
    rows = [dataclasses.asdict(r) for r in layers(deeper(resnet20()).build_net(), (3, 32, 32))]
    record(tmp_path, resnet20(), 8.75, layers=rows)
    assert only(tmp_path).why[0].startswith("the layers in its record")


def test_another_recipes_run_is_none_of_this_one(tmp_path):
    record(tmp_path, recipes.find("cifar.resnet32"), 8.75)
    assert of(tmp_path) == ["not run"]
    run = record(tmp_path, recipes.find("cifar.resnet44"), 8.75)
    run.rename(tmp_path / "cifar.resnet44" / "renamed")
    (tmp_path / "cifar.resnet44").rename(tmp_path / "cifar.resnet20")
    judgement = only(tmp_path)
    assert judgement.verdict == "scaled down"
    assert "name is cifar.resnet44, the recipe has cifar.resnet20" in judgement.why


def test_whole_runs_go_before_scaled_ones_and_are_never_mixed_with_them(tmp_path):
    record(tmp_path, resnet20(seed=0), 8.9)
    for seed in range(1, 6):
        record(tmp_path, fewer(resnet20(seed=seed)), 8.75)
    judgement = only(tmp_path)
    assert (judgement.ours, judgement.statistic) == (8.9, "single run, n = 1")
    assert judgement.verdict == "reproduced"


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({"compile": True}, {}),
        ({}, {"environment": {"precision": "bfloat16", "processes": 1}}),
        ({}, {"fingerprints": ["other", "pictures"]}),
    ],
)
def test_runs_that_are_free_to_differ_are_still_not_summed_up_together(tmp_path, settings, start):
    for seed, error in enumerate((8.7, 8.8)):
        record(tmp_path, resnet20(seed=seed), error)
    record(tmp_path, resnet20(seed=2, **settings), 20.0, **start)
    assert only(tmp_path).measured.values == (8.7, 8.8)


def test_a_seed_that_was_run_twice_counts_once(tmp_path):
    record(tmp_path, resnet20(), 8.7)
    record(tmp_path, resnet20(), 8.9, name="seed0-2")
    assert only(tmp_path).measured.values == (8.7,)


def test_a_protocol_that_was_not_looked_under_is_not_measured(tmp_path):
    recipe = recipes.find("imagenet.resnet50")
    how = Trained(recipe="imagenet.resnet50", views=TenCrop())
    ten = Cell(row="a", column="b", how=how)
    folder = record(tmp_path, recipe, 24.7)
    assert of(tmp_path, ten) == ["not run"]
    later(folder, CenterCrop(short_side=320, size=320), 22.85)
    later(folder, TenCrop(), 22.85, weights="best")
    later(folder, TenCrop(), 22.85, exact_norm=True)
    later(folder, TenCrop(), 22.85, images="validation")
    later(folder, TenCrop(rule="logits"), 22.85)
    assert of(tmp_path, ten) == ["not run"]
    later(folder, TenCrop(), 22.9)
    assert of(tmp_path, ten) == ["reproduced"]


def test_a_cell_that_is_not_run_says_what_there_is_of_it(tmp_path):
    folder = record(tmp_path, resnet20(), 8.75)
    lines = (folder / "events.jsonl").read_text().splitlines()[:2]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n")
    judgement = only(tmp_path)
    assert judgement.verdict == "not run"
    assert judgement.why == (f"{folder} has come to 64,000 of 64,000 updates",)
    other = record(tmp_path, recipes.find("imagenet.plain18"), 27.94)
    how = Trained(recipe="imagenet.plain18", views=TenCrop())
    (why,) = only(tmp_path, Cell(row="a", column="b", how=how)).why
    assert why.startswith(f"{other} was not tested under this protocol (10-crop")


def test_a_part_of_coco_is_none_of_its_tables(tmp_path):
    how = Trained(recipe="detection.coco_resnet101", metric="coco_ap")
    recipe = recipes.find("detection.coco_resnet101")
    assert pictures_of(recipe.data) == (82_783, 40_504)
    assert Cell(row="a", column="b", how=how).value == 27.2


def test_what_has_no_record_or_a_damaged_one_is_no_run(tmp_path):
    folder = record(tmp_path, resnet20(), 8.75)
    (folder / "events.jsonl").write_text("{\n{}\n")
    (tmp_path / "cifar.resnet20" / "empty").mkdir()
    (tmp_path / "cifar.resnet20" / "empty" / "config.yaml").write_text("name: x\n")
    assert found(resnet20(), [tmp_path]) == []


def test_an_error_in_training_and_a_difference_are_read_from_both(tmp_path):
    how = Difference(larger="cifar.plain56", smaller="cifar.plain20", metric="train_error")
    deeper_is_worse = Cell(row="a", column="b", how=how, unit="points")
    record(tmp_path, recipes.find("cifar.plain20"), 9.0)
    assert of(tmp_path, deeper_is_worse) == ["not run"]
    record(tmp_path, recipes.find("cifar.plain56"), 13.0)
    assert only(tmp_path, deeper_is_worse).ours == 2.0
    assert of(tmp_path, deeper_is_worse) == ["reproduced"]


def test_a_difference_is_of_runs_that_are_alike(tmp_path):
    how = Difference(larger="cifar.plain56", smaller="cifar.plain20")
    deeper_is_worse = Cell(row="a", column="b", how=how)
    record(tmp_path, recipes.find("cifar.plain56"), 13.0)
    record(tmp_path, recipes.find("cifar.plain20").lasting(100), 80.0)
    judgement = only(tmp_path, deeper_is_worse)
    assert judgement.verdict == "not run"
    assert judgement.why[0].startswith("runs of both are there, and none of the one is as long")
    record(tmp_path, recipes.find("cifar.plain56").lasting(100), 85.0, name="short")
    judgement = only(tmp_path, deeper_is_worse)
    assert (judgement.verdict, judgement.ours) == ("scaled down", 5.0)
    record(tmp_path, recipes.find("cifar.plain20"), 9.0, name="whole")
    judgement = only(tmp_path, deeper_is_worse)
    assert (judgement.verdict, judgement.ours) == ("reproduced", 4.0)


def test_an_accuracy_is_what_is_left_of_an_error(tmp_path):
    how = Trained(recipe="mnist.plain34", statistic="not stated", accuracy=True)
    record(tmp_path, recipes.find("mnist.plain34"), 0.9)
    judgement = only(tmp_path, Cell(row="a", column="b", how=how))
    assert (judgement.cell.value, judgement.ours) == (99.16, pytest.approx(99.1))


def test_a_failure_counts_where_it_was_trained(tmp_path):
    fails = Cell(row="a", column="b", how=Exceeds(recipe="preact.dropout_shortcut"), stated=20.0)
    record(tmp_path, recipes.find("preact.dropout_shortcut"), 90.0)
    assert of(tmp_path, fails) == ["reproduced"]


def test_the_kept_record_of_resnet20_is_found():
    judgement = only(Path(__file__).parents[2] / "records")
    assert (judgement.verdict, round(judgement.ours, 2)) == ("reproduced", 8.78)
    assert {"bfloat16", "compiled"} <= set(judgement.why)


def test_configurations_differ_in_what_matters():
    same = configuration(mine())
    assert configuration(seeded(MINE, 4)) == same
    assert configuration(dataclasses.replace(mine(), claims=())) == same
    assert configuration(dataclasses.replace(mine(), batch_size=4)) != same
    assert configuration(dataclasses.replace(mine(), precision="auto")) != same
    assert configuration(dataclasses.replace(other(), name="mine")) != same


def test_sets_have_the_sizes_that_their_authors_say():
    assert pictures_of(recipes.find("cifar.resnet20").data) == (50_000, 10_000)
    assert pictures_of(recipes.find("stochastic.stochastic110").data) == (45_000, 10_000)
    assert pictures_of(recipes.find("svhn.wrn16_4").data) == (604_388, 26_032)
    assert pictures_of(recipes.find("mnist.plain34").data) == (60_000, 10_000)
    assert pictures_of(recipes.find("imagenet.resnet50").data) == (1_281_167, 50_000)
    assert pictures_of(mine().data) is None
    assert cell().value == 50.0
