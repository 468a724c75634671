"""Recipes: one function per result, whose return value is the whole experiment.

A recipe is found by its name, `family.name`, in the module `residua.recipes.family`; the family's
`__all__` lists its recipes. One's own is addressed as `package.module:function`.
"""

import dataclasses
import importlib
import pkgutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from residua.detection_experiment import AnyExperiment, DetectionExperiment
from residua.errors import ConfigError, ResiduaError, closest
from residua.experiment import Experiment

if TYPE_CHECKING:
    from residua.recipes.objects import RecognisedObjects
    from residua.recipes.pictures import Recognised

Recipe = Callable[[], AnyExperiment]


def names() -> dict[str, Recipe]:
    """List all recipes of the package by their full names."""
    found: dict[str, Recipe] = {}
    for family in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{family.name}")
        for name in module.__all__:
            found[f"{family.name}.{name}"] = getattr(module, name)
    return found


def find(name: str) -> AnyExperiment:
    """Make the experiment of a recipe: `family.name`, a unique short name, or `module:function`.

    A folder of pictures is a name too.

    Raises:
        ConfigError: there is no such recipe; the closest names are given.
        DataError: it is a folder that holds no pictures in classes.
    """
    if ":" in name.strip(":"):
        return _imported_recipe(name)
    known = names()
    matches = [full for full in known if name in {full, full.partition(".")[2]}]
    if len(matches) > 1:
        raise ConfigError(f"{name} is the name of several recipes: say {' or '.join(matches)}")
    if not matches:
        if Path(name).is_dir() or name.endswith(".json"):
            return own(name).experiment
        if Path(name).exists():
            raise ConfigError(
                f"{name} is a file, not a recipe (`residua list` shows the recipes; the "
                "config.yaml of a run can be trained again, a stopped run resumed with --resume)"
            )
        if Path(name).name != name:
            raise ConfigError(f"{name} is not there: there is no such folder or file")
        raise ConfigError(
            f"no recipe is called {name}{closest(name, known)}; `residua list` shows all, and "
            "one's own is given as package.module:function"
        )
    return known[matches[0]]()


def find_classifier(name: str) -> Experiment:
    """Make the experiment of a recipe whose net names pictures.

    Raises:
        ConfigError: there is no such recipe, or it is one of a detector.
        DataError: it is a folder that holds no pictures in classes.
    """
    experiment = find(name)
    if not isinstance(experiment, Experiment):
        raise ConfigError(f"{name} is the recipe of a detector: a classifier is wanted here")
    return experiment


def own(path: str, *, weights: str | None = None) -> "Recognised | RecognisedObjects":
    """Make the experiment for one's own pictures, and sentences that say what they are.

    Args:
        path: a VOC tree, COCO's annotations, or a folder of pictures in classes.
        weights: to start from; the net is then theirs.

    Raises:
        ConfigError: it is the folder of a run, or the weights do not say of which net they are.
        DataError: it holds nothing that could be learned from.
    """
    from residua.recipes import objects, pictures
    from residua.recipes.finetune import finetuned

    if (Path(path) / "config.yaml").is_file():
        raise ConfigError(
            f"{path} is a run: go on with it by --resume {path}, or train its config.yaml again"
        )
    with_objects = objects.recognised(path, weights=weights)
    if with_objects is not None:
        return with_objects
    found = pictures.recognised(path)
    if weights is None:
        return found
    return dataclasses.replace(found, experiment=finetuned(found.experiment, weights))


def imported(name: str, *, also_in: Sequence[str] = ()) -> Any:
    """Import what `package.module:attribute` names, from the folder one is in or an installed one.

    Args:
        name: of the object.
        also_in: submodules that are searched if the module itself does not have the attribute.

    Raises:
        ConfigError: there is no such module, or no such attribute in it.
    """
    module_name, _, attribute = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    for place in (module_name, *(f"{module_name}.{inner}" for inner in also_in)):
        try:
            module = importlib.import_module(place)
        except ModuleNotFoundError as error:
            if place != module_name:
                continue
            raise ConfigError(
                f"{name}: cannot import {error.name} (run from the folder that holds it, or "
                "install it)"
            ) from None
        except Exception as error:
            raise ConfigError(f"{name}: importing it raised {_told(error)}") from error
        if hasattr(module, attribute):
            return getattr(module, attribute)
    raise ConfigError(f"{name}: {module_name} has no {attribute}")


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _imported_recipe(name: str) -> AnyExperiment:
    torch.manual_seed(0)
    try:
        experiment = imported(name)()
    except ResiduaError:
        raise
    except Exception as error:
        raise ConfigError(f"{name} raised {_told(error)}") from error
    if not isinstance(experiment, Experiment | DetectionExperiment):
        raise ConfigError(f"{name} returned {type(experiment).__name__}, not an Experiment")
    return experiment
