"""`residua list`: all recipes and networks."""

import dataclasses
import inspect
from collections.abc import Sequence

from residua import recipes
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.nets.catalogue import NETS


@dataclasses.dataclass(frozen=True)
class Options:
    """List all recipes (residua train NAME) and networks (residua show NAME)."""


def main(words: Sequence[str]) -> None:
    """Print both tables."""
    parse("list", Options, words)
    rows = [
        [name, (inspect.getdoc(make) or "").partition("\n")[0]]
        for name, make in recipes.names().items()
    ]
    table("recipes", [("name", False), ("what it is", False)], rows)
    say("")
    families: dict[str, list[str]] = {}
    for name in NETS:
        family, _, short = name.partition(".")
        families.setdefault(family, []).append(short)
    table(
        "networks",
        [("family", False), ("names", False)],
        [[family, ", ".join(shorts)] for family, shorts in families.items()],
    )
