"""The little of Markdown that pages of results are made of."""

import re
from collections.abc import Iterable, Sequence


def table(columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table.

    Args:
        columns: the head of each, and whether it stands at the right.
        rows: of as many texts.
    """
    rule = [" ---: " if right else " --- " for _, right in columns]
    heads = [f" {head} " for head, _ in columns]
    lines = [heads, rule, *([f" {_cell(text)} " for text in row] for row in rows)]
    return [f"|{'|'.join(line)}|" for line in lines]


def code(text: str) -> str:
    """Return text that is shown as it is."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def slug(heading: str) -> str:
    """Return what a link to a heading ends in, by the rule of GitHub, which the site has too."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
