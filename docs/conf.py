"""How Sphinx builds the site: `make docs`."""

import dataclasses
import re
import sys
from importlib.metadata import version as installed

from sphinx.application import Sphinx

project = "Residua"
author = project_copyright = "The Residua developers"
version = release = installed("residua")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
# Single backticks in docstrings are code, as in Markdown.
default_role = "literal"
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autosummary_generate = False
napoleon_custom_sections = ["Shape", "Differs", "Sources", "Source"]
napoleon_use_ivar = True

html_theme = "furo"
html_title = "Residua"
html_static_path = ["style"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    """Add what extensions do not do."""
    app.connect("source-read", _give_files)
    app.connect("autodoc-process-docstring", _name_sources, priority=100)
    app.connect("autodoc-process-signature", _shorten)


def _shorten(app: Sphinx, kind: str, name: str, what: type, *rest: object) -> object:
    """Show the names of settings alone: their types and meanings stand below."""
    fields = dataclasses.fields(what) if dataclasses.is_dataclass(what) else ()
    if not fields or not all(field.kw_only for field in fields):
        return None
    return f"(*, {', '.join(field.name for field in fields)})", None


def _name_sources(app: Sphinx, kind: str, name: str, what: object, *rest: object) -> None:
    """Say below a docstring which sources its letters stand for; the head of its module does."""
    (*_, lines) = rest
    module = sys.modules.get(getattr(what, "__module__", ""))
    found = re.findall(
        r"^ {4}\[([A-Z])\] (.*(?:\n {8,}.*)*)", getattr(module, "__doc__", None) or "", re.M
    )
    text = "\n".join(lines)
    said = [(letter, " ".join(source.split())) for letter, source in found if f"[{letter}]" in text]
    if said:
        lines += ["", "Sources:", *(f"    - [{letter}] {source}" for letter, source in said), ""]


def _give_files(app: Sphinx, page: str, source: list[str]) -> None:
    """Let links to Markdown outside of the site, such as results of benches, lead to its file."""
    source[0] = re.sub(r"\]\((?=(\.\./)+bench/[^)]+\.md\))", "](path:", source[0])
