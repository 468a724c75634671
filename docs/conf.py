"""How Sphinx builds the site: `make docs`."""

from importlib.metadata import version as installed

project = "Residua"
author = "The Residua developers"
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
html_copy_source = False
html_show_sphinx = False
