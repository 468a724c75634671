"""How Sphinx builds the site: `make docs`."""

import re
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
    """Let links to Markdown outside of the site, such as results of benches, lead to its file."""
    app.connect("source-read", _give_files)


def _give_files(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = re.sub(r"\]\((?=(\.\./)+bench/[^)]+\.md\))", "](path:", source[0])
