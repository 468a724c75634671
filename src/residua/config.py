"""Settings as data: frozen dataclasses to plain values and YAML, and back with every key checked.

A closed choice between kinds of settings is a union of classes that each carry a `kind` tag;
annotate it with `tagged`, or decoding would try the members one by one.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar, dataclass_transform

import yaml
from pydantic import ConfigDict, Discriminator, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from residua.errors import ConfigError, closest

T = TypeVar("T")

tagged = Discriminator("kind")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def settings(cls: type[T]) -> type[T]:
    """Make a class a frozen, keyword-only dataclass whose decoding refuses unknown keys."""
    cls.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[attr-defined]
    return dataclasses.dataclass(frozen=True, kw_only=True)(cls)


def encode(value: object) -> Any:
    """Turn settings into plain dicts, lists, strings and numbers that YAML and JSON can hold."""
    return _adapter(type(value)).dump_python(value, mode="json", warnings=False)


def decode(cls: type[T], data: object, *, where: str = "config") -> T:
    """Turn plain values into settings; the opposite of `encode`.

    Args:
        cls: the settings class.
        data: what `encode` returned, or a user wrote.
        where: what the values came from; error messages begin with it.

    Raises:
        ConfigError: an unknown key, a missing key or a value of the wrong type; every fault is
            listed with its path.
    """
    try:
        return _adapter(cls).validate_json(json.dumps(data))
    except ValidationError as error:
        faults = [_sentence(fault, cls) for fault in _relevant(error.errors(include_url=False))]
        raise ConfigError(f"{where}: {'; '.join(faults)}") from None


def digest(value: object) -> str:
    """Name settings by what they hold: twelve hexadecimal digits, equal for equal settings.

    What has its default is left out, so that a setting that is added later, with a default that
    means what was before, changes no name.
    """
    # A whole number where a fraction is allowed is read back from a file as a fraction.
    settled = decode(type(value), encode(value))
    text = json.dumps(_without_defaults(settled), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _without_defaults(value: object) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_defaults(item) for item in value]
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return encode(value)
    fields = [
        (field, getattr(value, field.name))
        for field in dataclasses.fields(value)
        if field.name == "kind" or getattr(value, field.name) != field.default
    ]
    return {field.name: _without_defaults(held) for field, held in fields}


def to_yaml(value: object) -> str:
    """Write settings as YAML, keys in the order of their declaration."""
    return yaml.safe_dump(encode(value), sort_keys=False)


def from_yaml(cls: type[T], text: str, *, where: str = "config") -> T:
    """Read settings from YAML.

    Raises:
        ConfigError: the text is not YAML, or does not fit the class.
    """
    try:
        data = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not readable as YAML: {error}") from None
    return decode(cls, data, where=where)


class _Loader(yaml.SafeLoader):
    """Reads 1e-4 as a number, as YAML 1.2 does."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


@lru_cache(maxsize=512)
def _adapter(cls: Any) -> TypeAdapter[Any]:
    """Keep what pydantic makes of a class, which takes longer than its use."""
    return TypeAdapter(cls)


def _relevant(faults: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out that a setting is no Python object either, where objects are allowed."""
    about_objects = {"is_instance_of", "needs_python_object", "callable_type"}
    return [fault for fault in faults if fault["type"] not in about_objects] or faults


def _sentence(fault: ErrorDetails, cls: type) -> str:
    parts = [str(part) for part in fault["loc"]]
    path = ".".join(part for part in parts if not part.startswith("tagged-union[")) or "it"
    if fault["type"] == "unexpected_keyword_argument":
        return f"{path}: no such setting{closest(str(fault['loc'][-1]), _field_names(cls))}"
    return f"{path}: {fault['msg'][0].lower()}{fault['msg'][1:]}, got {fault['input']!r}"


def _field_names(cls: type) -> set[str]:
    """Collect the names of all settings below a class, whatever union they hide in."""
    schema = _adapter(cls).json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {name for part in parts for name in part.get("properties", {})}
