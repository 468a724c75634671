from dataclasses import replace

import pytest
import torch

from residua import execute, recipes
from residua.config import digest, from_yaml, to_yaml
from residua.data.loading import ImageSet, Splits
from residua.errors import ConfigError
from residua.experiment import Experiment


def stand_in(shape, *, classes):
    """Pictures of noise in the place of a data set that is not here."""
    images = torch.randint(0, 256, (40, *shape), dtype=torch.uint8)
    return ImageSet(images, torch.arange(40) % classes, tuple(map(str, range(classes))))


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_builds_survives_yaml_and_is_documented(name):
    make = recipes.names()[name]
    assert make.__doc__
    experiment = make()
    assert experiment.name == name
    restored = from_yaml(Experiment, to_yaml(experiment))
    assert restored == experiment
    assert digest(restored) == digest(experiment)
    with torch.device("meta"):
        assert sum(p.numel() for p in experiment.build_net().parameters()) > 0


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_runs_two_iterations(name):
    experiment = recipes.find(name)
    if experiment.data.kind != "digits":
        noise = stand_in(experiment.net.input_shape, classes=10)
        experiment = replace(experiment, data=Splits(train=noise, validation=noise, test=noise))
    result = execute.run(experiment.smoke(), page=False)
    assert 0 <= result.test_error <= 100


def test_a_recipe_is_found_by_its_short_name():
    assert recipes.find("plain56") == recipes.find("digits.plain56")


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
