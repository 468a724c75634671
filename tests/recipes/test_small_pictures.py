"""Recipes on CIFAR, SVHN and MNIST after He et al. 2015: values by hand from papers and code."""

import pytest
import torch
from held import assert_rates, claims

from residua import recipes

# Table 1 to 4 of arXiv:1603.05027, medians of 5.
IDENTITY = {
    "original110": 6.61,
    "original110_single": 9.90,
    "original164": 5.93,
    "original1001": 7.61,
    "original164_cifar100": 25.16,
    "original1001_cifar100": 27.82,
    "preresnet110": 6.37,
    "preresnet110_single": 8.91,
    "preresnet164": 5.46,
    "preresnet1001": 4.92,
    "preresnet164_cifar100": 24.33,
    "preresnet1001_cifar100": 22.71,
    "preresnet1001_batch64": 4.62,
    "bn_after_add110": 8.17,
    "relu_before_add110": 7.84,
    "relu_preact110": 6.71,
    "bn_after_add164": 6.50,
    "relu_before_add164": 6.14,
    "relu_preact164": 5.91,
    "constant_scaling": 12.35,
    "exclusive_gating": 8.70,
    "exclusive_gating_7": 9.81,
    "shortcut_only_gating": 6.91,
    "shortcut_only_gating_0": 12.86,
    "conv_shortcut": 12.22,
}
FAILED = (
    "constant_scaling_half",
    "constant_scaling_plain",
    "dropout_shortcut",
    "exclusive_gating_0",
)
# Table 4, means of 5.
MEANS = {
    "preresnet1001": 4.89,
    "preresnet1001_batch64": 4.69,
    "preresnet1001_cifar100": 22.68,
}


def test_the_claims_of_2016_are_its_tables():
    names = {full for full in recipes.names() if full.startswith("preact.")}
    assert names == {f"preact.{name}" for name in (*IDENTITY, *FAILED)}
    for name, error in IDENTITY.items():
        mean = {"mean of 5": MEANS[name]} if name in MEANS else {}
        assert claims(f"preact.{name}") == {"median of 5": error, **mean}
    assert not any(recipes.find(f"preact.{name}").claims for name in FAILED)


@pytest.mark.parametrize("name", [n for n in (*IDENTITY, *FAILED) if n != "preresnet1001_batch64"])
def test_every_net_of_2016_has_400_updates_at_a_hundredth(name):
    assert_rates(f"preact.{name}", (0, 0.01), (400, 0.1), (32_000, 0.01), (48_000, 0.001), 64_000)


def test_the_release_of_2016_has_200_epochs_of_batches_of_64():
    # 50,000 / 64 = 781.25 updates: 80 epochs are 62,500, 121 are 94,531.25, 200 are 156,250.
    name = "preact.preresnet1001_batch64"
    assert_rates(name, (0, 0.1), (62_500, 0.01), (94_531, 0.001), 156_250)
    assert recipes.find(name).batch_size == 64


# arXiv:1605.07146v4, mean and deviation; CIFAR-10 and CIFAR-100.
WIDE = {
    "wrn40_4": (4.53, 21.18),
    "wrn16_8": (4.27, 20.43),
    "wrn28_10": (4.00, 19.25),
    "wrn16_4": (5.02, 24.03),
    "wrn52_1": (6.43, 29.89),
    "wrn28_10_dropout": (3.89, 18.85),
    "wrn16_4_dropout": (5.24, 23.91),
    "wrn52_1_dropout": (6.28, 29.78),
}
# v1, whitened.
WHITENED = {
    "wrn40_1": (6.85, 30.89),
    "wrn40_2": (5.33, 26.04),
    "wrn40_4": (4.97, 22.89),
    "wrn40_8": (4.66,),
    "wrn28_10": (4.17, 20.50),
    "wrn28_12": (4.33, 20.43),
    "wrn22_8": (4.38, 21.22),
    "wrn22_10": (4.44, 20.75),
    "wrn16_8": (4.81, 22.07),
    "wrn16_10": (4.56, 21.59),
}
# v4, sections 3 and 4: kernels of a unit, units per group, the error.
UNITS = {
    "b131": ((1, 3, 1), 6, 6.06),
    "b31": ((3, 1), 6, 5.78),
    "b13": ((1, 3), 6, 6.42),
    "b311": ((3, 1, 1), 6, 5.86),
    "b33": ((3, 3), 4, 5.73),
    "b313": ((3, 1, 3), 3, 5.78),
    "l1": ((3,), 12, 6.69),
    "l2": ((3, 3), 6, 5.43),
    "l3": ((3, 3, 3), 4, 5.65),
    "l4": ((3, 3, 3, 3), 3, 5.93),
}


@pytest.mark.parametrize(("name", "errors"), WIDE.items())
def test_wide_nets_claim_medians(name, errors):
    for suffix, error in zip(("", "_cifar100"), errors, strict=True):
        assert claims(f"wide.{name}{suffix}") == {"median of 5": error}
        experiment = recipes.find(f"wide.{name}{suffix}")
        assert experiment.normalize.kind == "channel_stats"
        assert experiment.net.dropout == (0.3 if "dropout" in name else 0.0)


@pytest.mark.parametrize(("name", "errors"), WHITENED.items())
def test_whitened_wide_nets_claim_medians(name, errors):
    for suffix, error in zip(("", "_cifar100"), errors, strict=False):
        experiment = recipes.find(f"whitened.{name}{suffix}")
        assert claims(f"whitened.{name}{suffix}") == {"median of 5": error}
        assert experiment.normalize.kind == "whiten"
        depth, widen = map(int, name.removeprefix("wrn").split("_"))
        assert (experiment.net.depth, experiment.net.widen) == (depth, widen)
        assert experiment.net.num_classes == (100 if suffix else 10)


def test_whitened_wide_nets_with_dropout_claim_medians():
    for suffix, error in (("", 4.39), ("_cifar100", 20.0)):
        name = f"whitened.wrn28_10_dropout{suffix}"
        assert claims(name) == {"median of 5": error}
        assert recipes.find(name).net.dropout == 0.3


@pytest.mark.parametrize(("name", "expected"), UNITS.items())
def test_units_of_wide_nets_have_their_convolutions(name, expected):
    kernels, units, error = expected
    experiment = recipes.find(f"wide_units.{name}")
    assert claims(f"wide_units.{name}") == {"median of 5": error}
    assert (experiment.net.kernels, experiment.net.widen) == (kernels, 2.0)
    with torch.device("meta"):
        net = experiment.build_net()
    assert [len(stage) for stage in net.stages] == [units] * 3


def test_the_best_wide_nets_are_single_runs():
    assert claims("wide.wrn40_10_dropout") == {"single run": 3.8}
    assert claims("wide.wrn40_10_dropout_cifar100") == {"single run": 18.3}
    assert claims("svhn.wrn16_8_dropout") == {"single run": 1.54}
    for name, error in (("16_4", 1.85), ("16_4_dropout", 1.64), ("52_1", 2.08)):
        assert claims(f"svhn.wrn{name}") == {"median of 5": error}
    assert claims("svhn.wrn52_1_dropout") == {"median of 5": 1.70}
    assert claims("svhn.wrn16_8") == {"single run": 1.81}


FAMILIES = ("wide.", "wide_units.", "whitened.")


@pytest.mark.parametrize("name", [n for n in recipes.names() if n.startswith(FAMILIES)])
def test_wide_nets_have_200_epochs_and_fifths_after_60_120_and_160(name):
    # 50,000 / 128 = 390.625 updates: 60 epochs are 23,437.5.
    falls = ((0, 0.1), (23_438, 0.02), (46_875, 0.004), (62_500, 0.0008))
    assert_rates(name, *falls, 78_125)
    experiment = recipes.find(name)
    assert experiment.augment.fill == "reflect"
    assert experiment.optimizer.nesterov
    assert experiment.optimizer.weight_decay == 5e-4


@pytest.mark.parametrize("name", [n for n in recipes.names() if n.startswith("svhn.")])
def test_house_numbers_have_160_epochs(name):
    # 604,388 / 128 = 4,721.78125 updates.
    assert_rates(name, (0, 0.01), (377_743, 0.001), (566_614, 0.0001), 755_485)
    assert recipes.find(name).data.extra


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stochastic110", {"single run": 5.25}),
        ("constant110", {"single run": 6.41}),
        ("stochastic110_cifar100", {"single run": 24.58}),
        ("stochastic1202", {"single run": 4.91}),
    ],
)
def test_stochastic_depth_has_500_epochs_of_45000_and_takes_the_best(name, expected):
    # 45,000 / 128 = 351.5625 updates: half of 500 epochs are 87,890.6, three quarters 131,835.9.
    full = f"stochastic.{name}"
    assert_rates(full, (0, 0.1), (87_891, 0.01), (131_836, 0.001), 175_781)
    assert claims(full) == expected
    experiment = recipes.find(full)
    assert (experiment.data.holdout, experiment.select) == (5_000, "best")
    assert experiment.net.survival == (1.0 if name == "constant110" else 0.5)


def test_stochastic_depth_on_house_numbers_has_50_epochs():
    # 598,388 / 128 = 4,674.90625 updates; the rate falls after 60 and 70 % of 50 epochs.
    name = "stochastic.stochastic152_svhn"
    assert_rates(name, (0, 0.1), (140_247, 0.01), (163_622, 0.001), 233_745)
    assert claims(name) == {"single run": 1.75}
    experiment = recipes.find(name)
    # N = 25 units in each stage.
    assert (experiment.net.depth - 2) // 6 == 25
    assert (experiment.data.holdout, experiment.augment.kind) == (6_000, "as_is")


def test_highway_nets_have_the_rates_of_their_solver_files():
    for name in ("cifar19", "cifar19_cifar100"):
        falls = ((0, 0.025), (100_000, 2.5e-3), (150_000, 2.5e-4), (175_000, 2.5e-5))
        assert_rates(f"highway.{name}", *falls, 200_000)
        experiment = recipes.find(f"highway.{name}")
        assert (experiment.augment.pad, experiment.batch_size) == (8, 100)
        assert (experiment.optimizer.bias_lr, experiment.optimizer.decay_bias) == (2.0, False)
        assert experiment.normalize.kind == "contrast_normalize"
    for name in ("mnist10", "mnist10_narrow"):
        assert_rates(f"highway.{name}", (0, 0.01), (60_000, 1e-3), (120_000, 1e-4), 180_000)
        assert recipes.find(f"highway.{name}").normalize.factor == 1 / 256
    assert claims("highway.mnist10") == {"not stated": 0.45, "single run": 0.46}
    assert claims("highway.mnist10_narrow") == {"not stated": 0.57}
    assert claims("highway.cifar19_cifar100") == {
        "mean of several": 32.39,
        "not stated": 32.24,
        "single run": 31.91,
    }
    found = [(c.statistic, c.value) for c in recipes.find("highway.cifar19").claims]
    assert found == [
        ("best of several", 7.54),
        ("mean of several", 7.72),
        ("not stated", 7.76),
        ("not stated", 7.60),
        ("single run", 7.86),
    ]


@pytest.mark.parametrize("name", [n for n in recipes.names() if n.startswith("mnist.")])
def test_mnist_is_trained_as_coded_or_as_meant(name):
    experiment = recipes.find(name)
    meant = name.endswith("_meant")
    first = 0.1 if meant else 0.1 / 128
    assert experiment.optimizer.momentum == (0.9 if meant else 0.0)
    assert experiment.optimizer.weight_decay == 0
    # 30 epochs of 60,000 / 128 = 468.75 updates are 14,062.5.
    assert experiment.schedule.until == 14_063
    assert experiment.schedule.rate(0) == first
    assert experiment.schedule.rate(10_000) == pytest.approx(first / 1.05)
    assert experiment.normalize.factor == 1.0
    expected = {"residual34": 0.77, "residual100": 0.51, "plain34": 0.84}
    error = expected.get(name.partition(".")[2])
    assert claims(name) == ({} if error is None else {"not stated": error})
