"""Options of a command, and settings of an experiment, from the words of a command line."""

import dataclasses
import inspect
from collections.abc import Sequence
from typing import Any, TypeVar, get_type_hints

import tyro
from torch import nn

from residua.data.loading import Splits
from residua.experiment import Experiment

T = TypeVar("T")

HIDDEN = {"name", "claims"}


def parse(command: str, options: type[T], words: Sequence[str]) -> T:
    """Parse the words of a command into its options; leaves with exit code 2 if they do not fit."""
    return tyro.cli(
        options, prog=f"residua {command}", args=words, description=_introduction(options)
    )


def parse_with_experiment(
    command: str, options: type[T], experiment: Experiment, words: Sequence[str]
) -> tuple[T, Experiment]:
    """Parse options of a command mixed with overrides of an experiment's settings.

    Each setting is offered with the class that it has in this experiment, so that `--net.depth 56`
    needs no mention of the kind of net.
    """
    hints = get_type_hints(Experiment, include_extras=True)
    offered = [
        (field.name, _concrete(getattr(experiment, field.name), hints[field.name]), value)
        for field in dataclasses.fields(Experiment)
        if field.name not in HIDDEN
        and not isinstance(value := getattr(experiment, field.name), nn.Module | Splits)
    ]
    own = dataclasses.fields(options)  # type: ignore[arg-type]
    mixed = dataclasses.make_dataclass(
        "Options",
        [*((f.name, get_type_hints(options)[f.name], f) for f in own), *offered],
        kw_only=True,
    )
    mixed.__doc__ = f"{inspect.getdoc(options)}\n{_attributes(Experiment)}"
    parsed = tyro.cli(
        mixed,
        prog=f"residua {command}",
        args=words,
        description=_introduction(options),
        config=(tyro.conf.AvoidSubcommands,),
    )
    values: dict[str, Any] = {name: getattr(parsed, name) for name, *_ in offered}
    return (
        options(**{f.name: getattr(parsed, f.name) for f in own}),
        dataclasses.replace(experiment, **values),
    )


def _introduction(options: type) -> str:
    """Return a docstring without its list of attributes."""
    return (inspect.getdoc(options) or "").partition("Attributes:")[0].strip()


def _attributes(cls: type) -> str:
    """Return the lines of a docstring's list of attributes."""
    return (inspect.getdoc(cls) or "").partition("Attributes:\n")[2]


def _concrete(value: object, hint: Any) -> Any:
    return type(value) if dataclasses.is_dataclass(value) else hint
