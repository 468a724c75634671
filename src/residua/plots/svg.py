"""From a figure to SVG that lives in a page, or alone on a slide.

On a page the colours become CSS variables, so that a figure follows it from light to dark.
"""

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, LINE = "#1f2328", "#59636e", "#d5dae0"
SERIES = ("#1f75bf", "#c2410c", "#46227a", "#0f7b5f", "#8a6100")
MARKERS = ("o", "s", "^", "D", "v")

_VARIABLES = {
    INK: "currentColor",
    MUTED: f"var(--muted, {MUTED})",
    LINE: f"var(--line, {LINE})",
    **{color: f"var(--series-{i}, {color})" for i, color in enumerate(SERIES, start=1)},
}
_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": INK,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "figure.constrained_layout.h_pad": 0.09,
    "figure.constrained_layout.hspace": 0.06,
    "figure.constrained_layout.use": True,
    "figure.dpi": 72,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 12,
    "grid.color": LINE,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "residua",
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.major.size": 0,
}


@contextmanager
def drawing(width: float, height: float) -> Iterator["Figure"]:
    """Give an empty figure, in inches, in our style whatever the reader's own settings are."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield Figure(figsize=(width, height))


def _svg(figure: "Figure") -> ET.Element:
    """Draw a figure as SVG without metadata, outside names, or identifiers that nothing uses."""
    text = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    root = ET.fromstring(text.getvalue())
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {name.rpartition("}")[2]: it for name, it in element.attrib.items()}
        if "d" in element.attrib:
            element.attrib["d"] = " ".join(element.attrib["d"].split())
    for parent in root.findall("defs"):
        for style in parent.findall("style"):
            parent.remove(style)
    return root


def for_page(figure: "Figure", name: str) -> str:
    """Return SVG to put into a page: its colours and font, and identifiers of its own."""
    root = _svg(figure)
    for size in ("width", "height"):
        root.attrib.pop(size)
    _rename(root, name)
    for element in root.iter():
        style = element.attrib.get("style")
        if style:
            style = style.replace("'DejaVu Sans', sans-serif", "var(--font, sans-serif)")
            style = re.sub(r"#[0-9a-f]{6}", lambda it: _VARIABLES.get(it[0], it[0]), style)
            element.attrib["style"] = style
    return ET.tostring(root, encoding="unicode")


def for_slides(figure: "Figure") -> str:
    """Return SVG that stands alone, on white, its letters drawn as shapes."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "path"}):
        root = _svg(figure)
    root.attrib = {"xmlns": "http://www.w3.org/2000/svg", **root.attrib}
    root.insert(0, ET.Element("rect", {"width": "100%", "height": "100%", "fill": "#ffffff"}))
    return ET.tostring(root, encoding="unicode")


def _rename(root: ET.Element, name: str) -> None:
    """Give what is referred to an identifier that begins with `name`, and all else none."""
    links = re.compile(r"(?<=url\(#)[^)]+(?=\))|(?<=^#).+")
    used = {
        found[0]
        for element in root.iter()
        for key, value in element.attrib.items()
        if key in {"href", "clip-path"} and (found := links.search(value))
    }
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key == "id" and value not in used:
                del element.attrib[key]
            elif key == "id":
                element.attrib[key] = f"{name}-{value}"
            elif key in {"href", "clip-path"}:
                element.attrib[key] = links.sub(lambda it: f"{name}-{it[0]}", value)
