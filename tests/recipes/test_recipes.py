"""Every recipe: that it can be built, written down and carried out; and how recipes are found."""

from dataclasses import replace
from functools import cache

import pytest
import torch

from residua import execute, recipes
from residua.config import digest, from_yaml, to_yaml
from residua.data.images import ImageSet
from residua.data.loading import Splits
from residua.errors import ConfigError
from residua.experiment import Experiment

NAMES = tuple(recipes.names())
# Recipes of detectors are carried out in test_detection_recipes.py.
CLASSIFIERS = tuple(n for n in NAMES if isinstance(recipes.find(n), Experiment))


def stand_in(shape, *, classes, count=40):
    """Pictures of noise in the place of a data set that is not here."""
    images = torch.randint(0, 256, (count, *shape), dtype=torch.uint8)
    return ImageSet(images, torch.arange(count) % classes, tuple(map(str, range(classes))))


def classes_of(experiment):
    return getattr(experiment.net, "num_classes", 10)


def shallow(net):
    """Cut a net to the smallest of its family, with the same kinds of units."""
    match net.kind:
        case "cifar":
            return replace(net, depth={"basic": 8, "bottleneck": 11, "single": 5}[net.block])
        case "wide":
            return replace(net, depth=3 * len(net.kernels) + 4, units=None, widen=1.0)
        case "mnist":
            return replace(net, depth=10)
        case "imagenet":
            return replace(net, depth=18, widen=0.125)
        case _:
            return net


def shape_of(net):
    """C, H, W of a picture, cut to what is quick where the net takes it."""
    channels, *size = net.input_shape
    if net.kind == "imagenet":
        return channels, 32, 32
    fits_any = net.kind in {"cifar", "wide"} or getattr(net, "layout", "") == "cifar19"
    return (channels, 8, 8) if fits_any else (channels, *size)


@cache
def on_meta(net):
    """Build a net without memory for its weights."""
    with torch.device("meta"):
        return net.build().eval()


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_builds_survives_yaml_and_is_documented(name):
    make = recipes.names()[name]
    assert make.__doc__
    experiment = make()
    experiment.check()
    assert experiment.name == name
    restored = from_yaml(type(experiment), to_yaml(experiment))
    assert restored == experiment
    assert digest(restored) == digest(experiment)


def deep_is_slow(name):
    """Leave nets of more than 60 layers to `make slow`: a second of processor time each."""
    deep = getattr(recipes.find(name).net, "depth", 0) > 60
    return pytest.param(name, marks=pytest.mark.slow) if deep else name


@pytest.mark.parametrize("name", [deep_is_slow(name) for name in CLASSIFIERS])
def test_the_net_of_every_recipe_gives_one_number_per_class(name):
    experiment = recipes.find(name)
    net = on_meta(experiment.net)
    classes = {"cifar100": 100, "files": 1000}.get(experiment.data.kind, 10)
    shape = (1, 8, 8) if experiment.data.kind == "digits" else experiment.net.input_shape
    assert net(torch.empty(2, *shape, device="meta")).shape == (2, classes)


def way_of(name):
    """What a training does beside the depth, the width and the units of its net."""
    e = recipes.find(name)
    settings = (e.augment, e.normalize, e.optimizer, e.select, type(e.schedule))
    return (*settings, e.net.kind, getattr(e.net, "survival", 1.0))


@pytest.mark.parametrize("name", list({way_of(name): name for name in CLASSIFIERS}.values()))
def test_every_way_to_train_runs_two_iterations_on_a_shallow_net(name):
    experiment = recipes.find(name)
    experiment = replace(experiment, net=shallow(experiment.net))
    if experiment.data.kind != "digits":
        noise = stand_in(shape_of(experiment.net), classes=classes_of(experiment))
        experiment = replace(experiment, data=Splits(train=noise, validation=noise, test=noise))
    result = execute.run(experiment.smoke(), page=False)
    assert 0 <= result.test_error <= 100


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_recipe_runs_two_iterations_as_it_is(name):
    experiment = recipes.find(name)
    if experiment.data.kind != "digits":
        shape, classes = experiment.net.input_shape, classes_of(experiment)
        noise = stand_in(shape, classes=classes, count=4)
        experiment = replace(experiment, data=Splits(train=noise, validation=noise, test=noise))
    result = execute.run(replace(experiment.smoke(), batch_size=2), page=False)
    assert 0 <= result.test_error <= 100


def test_a_recipe_is_found_by_its_short_name():
    assert recipes.find("resnet1202") == recipes.find("cifar.resnet1202")


def test_a_short_name_of_several_recipes_is_answered_with_all_of_them():
    with pytest.raises(ConfigError, match=r"say cifar.plain56 or digits.plain56"):
        recipes.find("plain56")


def test_an_unknown_recipe_is_answered_with_the_closest():
    with pytest.raises(
        ConfigError, match=r"no recipe is called digits.resnt20 \(did you mean digits.resnet20"
    ):
        recipes.find("digits.resnt20")


def test_ones_own_recipe_is_imported_from_the_folder_one_is_in(tmp_path):
    (tmp_path / "my_recipes_a.py").write_text(
        "from dataclasses import replace\nfrom residua.recipes.digits import resnet20\n"
        "def mine():\n    return replace(resnet20(), name='mine', seed=9)\n"
        "def wrong():\n    return 3\n"
    )
    assert recipes.find("my_recipes_a:mine").seed == 9
    with pytest.raises(ConfigError, match="returned int, not an Experiment"):
        recipes.find("my_recipes_a:wrong")
    with pytest.raises(ConfigError, match="has no other"):
        recipes.find("my_recipes_a:other")


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="cannot import no_such_module"):
        recipes.find("no_such_module:mine")


def test_plain_and_residual_twins_differ_in_nothing_but_the_shortcut():
    for depth in (20, 56, 110):
        plain, residual = (
            recipes.find(f"digits.{family}{depth}") for family in ("plain", "resnet")
        )
        assert plain.net.shortcut == "none"
        assert residual.net.shortcut == "A"
        for field in (
            "data",
            "schedule",
            "optimizer",
            "augment",
            "batch_size",
            "seed",
            "precision",
        ):
            assert getattr(plain, field) == getattr(residual, field)
