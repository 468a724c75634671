"""He et al. 2015, section 4.2: the values are those of the paper."""

import pytest
from held import assert_rates, claims

from residua import recipes
from residua.train.pace import Pace

DEPTHS = (20, 32, 44, 56, 110)


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 1202])
def test_the_rate_falls_at_32k_and_48k_and_ends_at_64k(depth):
    assert_rates(f"cifar.resnet{depth}", (0, 0.1), (32_000, 0.01), (48_000, 0.001), 64_000)


def test_64k_updates_are_164_epochs():
    experiment = recipes.find("cifar.resnet20")
    assert experiment.schedule.until * experiment.batch_size / 50_000 == 163.84
    at = [update * 128 / 50_000 for update in experiment.schedule.at]
    assert at == pytest.approx([81.92, 122.88])


def test_110_layers_begin_with_a_hundredth_until_the_error_is_below_80():
    schedule = recipes.find("cifar.resnet110").schedule
    assert (schedule.kind, schedule.below, schedule.warmup_lr) == ("eased_steps", 80.0, 0.01)
    pace = Pace(schedule)
    for update in range(1, 401):
        assert pace.rate(update - 1) == 0.01
        pace.after_update(update, {"error": 90.0 if update <= 300 else 79.0})
    rates = [pace.rate(i) for i in (400, 31_999, 32_000, 47_999, 48_000, 63_999)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
    assert pace.until == 64_000


def test_the_claims_are_table_6():
    table = {20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 1202: 7.93}
    for depth, error in table.items():
        assert claims(f"cifar.resnet{depth}") == {"single run": error}
    assert claims("cifar.resnet110") == {"best of 5": 6.43, "mean of 5": 6.61}
    assert not any(recipes.find(f"cifar.plain{depth}").claims for depth in DEPTHS)


def test_the_recipe_is_that_of_the_text():
    for depth in (*DEPTHS, 1202):
        e = recipes.find(f"cifar.resnet{depth}")
        assert (e.batch_size, e.optimizer.momentum, e.optimizer.weight_decay) == (128, 0.9, 1e-4)
        assert (e.augment.pad, e.augment.flip, e.augment.fill) == (4, True, "zero")
        assert (e.normalize.kind, e.net.shortcut, e.select) == ("pixel_mean", "A", "last")
        assert e.data.holdout == 0
        assert not e.optimizer.nesterov


@pytest.mark.parametrize("depth", DEPTHS)
def test_plain_and_residual_twins_differ_in_the_shortcut(depth):
    plain, residual = (recipes.find(f"cifar.{kind}{depth}") for kind in ("plain", "resnet"))
    assert plain.net.shortcut == "none"
    for field in ("data", "optimizer", "augment", "normalize", "batch_size", "select"):
        assert getattr(plain, field) == getattr(residual, field)
