"""Options of a command, and settings of an experiment, from the words of a command line."""

import dataclasses
import inspect
from collections.abc import Sequence
from typing import Any, TypeVar, get_type_hints

import tyro
from torch import nn

from residua.data.loading import Splits
from residua.data.objects import AnnotatedSplits
from residua.detection_experiment import AnyExperiment
from residua.errors import ConfigError

T = TypeVar("T")
E = TypeVar("E", bound=AnyExperiment)

OBJECTS = nn.Module | Splits | AnnotatedSplits
HIDDEN = {"name", "claims", "pretrain"}


def parse(command: str, options: type[T], words: Sequence[str]) -> T:
    """Parse the words of a command into its options; leaves with exit code 2 if they do not fit."""
    return tyro.cli(
        options, prog=f"residua {command}", args=words, description=_introduction(options)
    )


def parse_with_experiment(
    command: str, options: type[T], experiment: E, words: Sequence[str]
) -> tuple[T, E]:
    """Parse options of a command mixed with overrides of an experiment's settings.

    Each setting is offered with the class that it has in this experiment, so that `--net.depth 56`
    needs no mention of the kind of net.
    """
    kind = type(experiment)
    hints = get_type_hints(kind, include_extras=True)
    offered = [
        (field.name, _concrete(getattr(experiment, field.name), hints[field.name]), value)
        for field in dataclasses.fields(kind)
        if field.name not in HIDDEN
        and not isinstance(
            value := getattr(experiment, field.name), nn.Module | Splits | AnnotatedSplits
        )
    ]
    own = dataclasses.fields(options)  # type: ignore[arg-type]
    mixed = dataclasses.make_dataclass(
        "Options",
        [*((f.name, get_type_hints(options)[f.name], f) for f in own), *offered],
        kw_only=True,
    )
    mixed.__doc__ = f"{inspect.getdoc(options)}\n{_attributes(kind)}"
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


def refuse(options: object, names: Sequence[str], what: str) -> None:
    """Refuse options that say nothing of what is at hand.

    Args:
        options: as they were given.
        names: those that do not belong.
        what: they are for, and what there is instead.

    Raises:
        ConfigError: one of them was given.
    """
    fields = dataclasses.fields(options)  # type: ignore[arg-type]
    usual = {field.name: field.default for field in fields}
    given = [name for name in names if getattr(options, name) != usual[name]]
    if given:
        words = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ConfigError(f"{words} {'is' if len(given) == 1 else 'are'} for {what}")


def _introduction(options: type) -> str:
    """Return a docstring without its list of attributes."""
    return (inspect.getdoc(options) or "").partition("Attributes:")[0].strip()


def _attributes(cls: type) -> str:
    """Return the lines of a docstring's list of attributes."""
    return (inspect.getdoc(cls) or "").partition("Attributes:\n")[2]


def _concrete(value: object, hint: Any) -> Any:
    return type(value) if dataclasses.is_dataclass(value) else hint
