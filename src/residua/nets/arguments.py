"""Settings of a network as the arguments of the function that builds it."""

import dataclasses
from typing import Any


def arguments(config: Any) -> dict[str, Any]:
    """Return the fields of settings but for `kind`; a test holds them equal to the arguments."""
    fields = dataclasses.fields(config)
    return {field.name: getattr(config, field.name) for field in fields if field.name != "kind"}
