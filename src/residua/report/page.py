"""The shell of every page: one HTML file that needs nothing but itself."""

import shlex
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from residua import files

if TYPE_CHECKING:
    from jinja2 import Environment

FILE = "report.html"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def write(folder: Path, template: str, values: Mapping[str, object]) -> Path:
    """Fill a template and write it as the report of a folder."""
    path = folder / FILE
    files.write(path, filled(template, values))
    return path


def filled(template: str, values: Mapping[str, object]) -> str:
    """Fill a template."""
    return _environment().get_template(template).render(values)


def command(*words: object) -> str:
    """Write a command as one types it."""
    return shlex.join(str(word) for word in words)


def duration(seconds: float) -> str:
    """Say how long something took."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 100:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def phrase(settings: object) -> str:
    """Say settings in one line: "cosine, lr 0.1, until 340"."""
    if not isinstance(settings, dict):
        return str(settings)
    said = {name: value for name, value in settings.items() if value is not None}
    return ", ".join(_setting(name, value) for name, value in said.items())


def _setting(name: str, value: object) -> str:
    if name == "type":
        return str(value)
    return f"{name} {_plain(value)}".removeprefix("kind ").replace("_", " ")


def rate(value: float) -> str:
    """Write a learning rate: "0.1", "2.7·10⁻⁶"."""
    mantissa, _, exponent = f"{value:.3g}".partition("e")
    return f"{mantissa}·10{str(int(exponent)).translate(RAISED)}" if exponent else mantissa


def speed(value: float) -> str:
    """Write images a second: whole ones, unless they are few."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def points(difference: float) -> str:
    """Write a difference of two errors with its sign; what rounds to nothing has none."""
    text = f"{difference:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text


def number(value: float) -> str:
    """Write a count in full and anything else with two decimals."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _plain(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case list():
            return " and ".join(_plain(item) for item in value)
        case dict():
            what, *others = (_setting(name, inner) for name, inner in value.items())
            return f"{what} ({', '.join(others)})" if others else what
        case _:
            return str(value)


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("residua"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": "{:,}".format,
        "number": number,
        "error": "{:.1f}".format,
        "points": points,
        "rate": rate,
        "speed": speed,
        "duration": duration,
        "phrase": phrase,
    }
    return environment
