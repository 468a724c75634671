"""Recipes on ImageNet: values by hand from papers and code."""

import dataclasses
import importlib

import pytest
from held import assert_rates, claims

from pictured import class_folders
from residua import recipes
from residua.data.views import CenterCrop, MultiScale, TenCrop

# Tables 2 and 3 of arXiv:1512.03385, ten views: top-1 and top-5.
TEN_VIEWS = {
    "plain18": (27.94, None),
    "resnet18": (27.88, None),
    "plain34": (28.54, 10.02),
    "resnet34": (25.03, 7.76),
    "resnet34_b": (24.52, 7.46),
    "resnet34_c": (24.19, 7.40),
    "resnet50": (22.85, 6.71),
    "resnet101": (21.75, 6.05),
    "resnet152": (21.43, 5.71),
}
ONE_VIEW = {"resnet50": (24.7, 7.8), "resnet101": (23.6, 7.1), "resnet152": (23.0, 6.7)}
# Table 4, several scales.
SCALES = {
    "resnet34_b": (21.84, 5.71),
    "resnet34_c": (21.53, 5.60),
    "resnet50": (20.74, 5.25),
    "resnet101": (19.87, 4.60),
    "resnet152": (19.38, 4.49),
}
# Table 5 of arXiv:1603.05027.
CROP_320 = {
    "original152": (21.3, 5.5),
    "original200": (21.8, 6.0),
    "preresnet152": (21.1, 5.5),
    "preresnet200": (20.7, 5.3),
    "preresnet200_aspect": (20.1, 4.8),
}
# fb.resnet.torch: top-1 and top-5 with one view, then with ten.
FB = {
    18: (30.43, 10.76, 28.22, 9.42),
    34: (26.73, 8.74, 24.76, 7.35),
    50: (24.01, 7.02, 22.24, 6.08),
    101: (22.44, 6.21, 21.08, 5.35),
    152: (22.16, 6.16, 20.69, 5.21),
    200: (21.66, 5.79, 20.15, 4.93),
}


def only(values):
    return {} if values is None else {"single run": values}


@pytest.mark.parametrize("name", TEN_VIEWS)
def test_the_nets_of_2015_claim_ten_views(name):
    top1, top5 = TEN_VIEWS[name]
    forms = [name] if "_" in name else [name, f"{name}_plateau"]
    for form in forms:
        full = f"imagenet.{form}"
        assert claims(full, views=TenCrop()) == only(top1)
        assert claims(full, "top5_error", TenCrop()) == only(top5)
        for place, metric in enumerate(("test_error", "top5_error")):
            one, several = (found.get(name, (None, None))[place] for found in (ONE_VIEW, SCALES))
            assert claims(full, metric, CenterCrop()) == only(one)
            assert claims(full, metric, MultiScale()) == only(several)
        e = recipes.find(full)
        assert (e.batch_size, e.data.crop.short_side, e.augment.std) == (256, (256, 480), 0.1)


def test_2015_has_600k_updates_which_are_120_epochs():
    experiment = recipes.find("imagenet.resnet50")
    assert pytest.approx(119.9, abs=0.05) == 600_000 * 256 / 1_281_167
    # 1,281,167 / 256 = 5,004.5586 updates an epoch.
    falls = ((0, 0.1), (150_137, 0.01), (300_274, 0.001), (450_410, 1e-4))
    assert_rates("imagenet.resnet50", *falls, 600_000)
    plateau = recipes.find("imagenet.resnet50_plateau").schedule
    assert plateau.watch == "train_error"
    assert (plateau.kind, plateau.lr, plateau.factor, plateau.until) == (
        "plateau",
        0.1,
        0.1,
        600_000,
    )
    assert experiment.augment.kind == "pca_colour"


@pytest.mark.parametrize("name", CROP_320)
def test_2016_falls_at_30_and_60_epochs_and_claims_crops_of_320(name):
    full = f"imagenet.{name}"
    assert_rates(full, (0, 0.1), (150_137, 0.01), (300_274, 0.001), 450_410)
    top1, top5 = CROP_320[name]
    crop = CenterCrop(short_side=320, size=320)
    assert claims(full, views=crop) == only(top1)
    assert claims(full, "top5_error", crop) == only(top5)
    small = CenterCrop()
    assert claims(full, views=small) == only(23.0 if name == "original152" else None)
    assert claims(full, "top5_error", small) == only(6.7 if name == "original152" else None)
    expected = "full_preact" if name.startswith("pre") else "post"
    assert recipes.find(full).net.order == expected


@pytest.mark.parametrize("depth", FB)
def test_fb_has_90_epochs_and_claims_its_table(depth):
    full = f"fb.resnet{depth}"
    assert_rates(full, (0, 0.1), (150_137, 0.01), (300_274, 0.001), 450_410)
    found = [
        claims(full, metric, views)
        for views in (CenterCrop(), TenCrop(rule="logits"))
        for metric in ("test_error", "top5_error")
    ]
    assert found == [only(value) for value in FB[depth]]
    experiment = recipes.find(full)
    assert [step.kind for step in experiment.augment.steps] == ["colour_jitter", "pca_colour"]
    assert (experiment.net.stride_on, experiment.optimizer.nesterov) == ("3x3", True)


@pytest.mark.parametrize(
    "name",
    [
        f"{family}.{name}"
        for family in ("imagenet", "fb")
        for name in importlib.import_module(f"residua.recipes.{family}").__all__
    ],
)
def test_all_training_pictures_are_learned_from_and_none_is_opened_to_divide_them(
    name, tmp_path, monkeypatch
):
    class_folders(tmp_path / "train", {"ant": 3, "bee": 3})
    class_folders(tmp_path / "val", {"ant": 1, "bee": 1})
    monkeypatch.setattr("residua.data.divide.content_key", None)
    splits = dataclasses.replace(recipes.find(name).data, path=str(tmp_path), workers=0).load()
    assert (len(splits.train), splits.validation, len(splits.test)) == (6, None, 2)
