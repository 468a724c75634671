"""Which shortcuts are added to a net, as data: printed, edited, given back, kept with the weights.

    net: VGG
    way: graph
    example: [[2, 3, 64, 64]]
    layers: 2
    norm: false
    anneal: 0
    spans:
    - {name: span1, first: features.3, last: features.8, shortcut: B}

`first` takes x and `last` gives F(x); what becomes of it is F(x) + g h(x).
"""

import re
from collections.abc import Sequence
from typing import Literal

import yaml

from residua.config import encode, from_yaml, settings
from residua.errors import ConfigError
from residua.surgery.bridge import Kind

Way = Literal["graph", "modules"]


@settings
class Span:
    """One shortcut: `y = F(x) + g h(x)`.

    Attributes:
        name: of the shortcut in the new net; letters, digits and underscores.
        first: what takes x: a module by its path, or another value of the forward by its name.
        last: what gives F(x).
        shortcut: h: "identity", "A" (zeros in new channels), "B" (a 1x1 projection) or "conv2x2"
            (one of 2x2 where the stride is above 1).
    """

    name: str
    first: str
    last: str
    shortcut: Kind


@settings
class Plan:
    """All shortcuts of a net.

    Attributes:
        net: the class of the net.
        way: whether the forward is written out as a graph, or modules are put around others.
        example: shapes of what the net takes, with which it was examined.
        layers: weight layers of each span that was looked for.
        norm: whether projections get batch normalization.
        anneal: updates in which the gates go from 0 to 1; 0 for gates that are learned.
        spans: the shortcuts.
    """

    net: str
    way: Way
    example: tuple[tuple[int, ...], ...]
    layers: int = 2
    norm: bool = False
    anneal: int = 0
    spans: tuple[Span, ...]


def write(plan: Plan, left: Sequence[str] = ()) -> str:
    """Write a plan as YAML, and as comments which parts are not bridged, and why."""
    facts = encode(plan)
    spans = facts.pop("spans")
    head = yaml.safe_dump(facts, sort_keys=False, default_flow_style=None)
    rows = "".join(f"- {_row(span)}\n" for span in spans)
    comments = "".join(f"#   {line}\n" for line in left)
    told = f"# not bridged, because:\n{comments}" if left else ""
    return (
        "# y = F(x) + g h(x): `first` takes x, `last` gives F(x); g starts at 0.\n"
        "# Take out spans, add some, or change h: identity, A, B (1x1 projection), conv2x2.\n"
        f"{head}spans:\n{rows}{told}"
    )


def _row(span: object) -> str:
    return yaml.safe_dump(span, sort_keys=False, default_flow_style=True, width=10**6).strip()


def read(text: str, *, where: str = "plan") -> Plan:
    """Read a plan from YAML.

    Raises:
        ConfigError: it is not one; every fault is named.
    """
    plan = from_yaml(Plan, text, where=where)
    check(plan, where=where)
    return plan


def check(plan: Plan, *, where: str = "plan") -> None:
    """Refuse what no net could be changed by.

    Raises:
        ConfigError: no spans, two of one name, a name that is none, or numbers out of range.
    """
    if not plan.spans:
        raise ConfigError(f"{where}: spans is empty, so nothing would be added")
    names = [span.name for span in plan.spans]
    for name in names:
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ConfigError(
                f"{where}: a span's name must be letters, digits and underscores, got {name!r}"
            )
        if names.count(name) > 1:
            raise ConfigError(f"{where}: two spans are called {name!r}: rename one")
    ends = [span.last for span in plan.spans]
    twice = next((end for end in ends if ends.count(end) > 1), None)
    if twice is not None:
        raise ConfigError(f"{where}: two spans end at {twice}: take one out")
    if plan.layers < 1 or plan.anneal < 0:
        raise ConfigError(
            f"{where}: layers must be at least 1 and anneal at least 0, got {plan.layers} and "
            f"{plan.anneal}"
        )
