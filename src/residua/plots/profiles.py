"""Lines of several networks over one another, in panels side by side.

Networks differ in colour, dash and mark, so that they are told apart in grey.
"""

import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from residua.plots.axes import scale_errors
from residua.plots.svg import MARKERS, MUTED, SERIES, drawing, for_page, for_slides

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.4)), (0, (6, 2, 1, 2)), (0, (2.5, 1)))


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What is drawn of one network.

    Args:
        name: of the network.
        x: places.
        mean: a value at each place.
        low: smallest value at each place, where there are several; the mean if not given.
        high: likewise, the largest.
        joined: whether points are joined by a line.
    """

    name: str
    x: Sequence[float]
    mean: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    joined: bool = True


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes.

    Args:
        title: what it shows.
        xlabel: name of the horizontal axis, with its unit.
        ylabel: name of the vertical axis, with its unit.
        profiles: of the networks.
        log: whether the vertical axis is logarithmic.
        whole: whether places are counted, so that ticks are whole numbers.
        percent: whether values are percents, whose axis begins at 0 and ends at 100 at the most.
        reverse: whether the horizontal axis runs from right to left.
        errors: whether values are percents of error along a training, which are drawn
            logarithmically above 1 % where that shows more.
    """

    title: str
    xlabel: str
    ylabel: str
    profiles: Sequence[Profile]
    log: bool = False
    whole: bool = True
    percent: bool = False
    reverse: bool = False
    errors: bool = False


def profiles(
    panels: Sequence[Panel],
    *,
    name: str,
    note: str,
    order: Sequence[str] = (),
    narrow: bool = False,
) -> str:
    """Draw panels beside one another, or one above the other for narrow windows.

    Args:
        panels: from left to right.
        name: of the figure in the page.
        note: what stands below, such as n.
        order: names of networks, in the order that gives them their lines; that of the first panel
            if not given.
        narrow: for narrow windows.
    """
    size = (4.6, 3.5 * len(panels) + 0.8) if narrow else (12.4, 4.7)
    with drawing(*size) as figure:
        _profiles(figure, panels, note, order, stacked=narrow)
        return for_page(figure, f"{name}-narrow" if narrow else name)


def profiles_for_slides(
    panels: Sequence[Panel], *, note: str, order: Sequence[str] = ()
) -> tuple[str, bytes]:
    """Draw the same on white, as SVG that needs no fonts, and as PNG of twice the size."""
    with drawing(11.0, 4.6) as figure:
        _profiles(figure, panels, note, order, stacked=False)
        return for_slides(figure), _pixels(figure)


def _pixels(figure: "Figure") -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=192, facecolor="white", metadata={"Software": None})
    return picture.getvalue()


def _profiles(
    figure: "Figure", panels: Sequence[Panel], note: str, order: Sequence[str], *, stacked: bool
) -> None:
    drawn = [each.name for panel in panels for each in panel.profiles]
    names = list(dict.fromkeys([*order, *drawn]))
    shape = (len(panels), 1) if stacked else (1, len(panels))
    grid = figure.subplots(*shape, squeeze=False).flatten().tolist()
    for axes, panel in zip(grid, panels, strict=True):
        # Marks of short and long lines stand as far apart.
        every = max(1, max((len(each.x) for each in panel.profiles), default=1) // 24)
        for each in panel.profiles:
            _profile(axes, each, names.index(each.name), every if each.joined else 1)
        _scales(axes, panel)
    _key(figure, {name: names.index(name) for name in names if name in drawn}, stacked=stacked)
    figure.supxlabel(
        textwrap.fill(note, int(figure.get_figwidth() * 13)),
        x=0.01,
        ha="left",
        fontsize=10,
        color=MUTED,
        linespacing=1.5,
    )


def _profile(axes: "Axes", profile: Profile, index: int, every: int) -> None:
    style = _style(index)
    if profile.low and profile.joined:
        color = style["color"]
        axes.fill_between(profile.x, profile.low, profile.high, color=color, alpha=0.16, lw=0)
    if not profile.joined:
        style["linestyle"] = "none"
    axes.plot(profile.x, profile.mean, markevery=every, clip_on=False, **style)
    if profile.low and not profile.joined:
        axes.vlines(profile.x, profile.low, profile.high, color=style["color"], linewidth=1)


def _style(index: int) -> dict[str, Any]:
    color = SERIES[index % len(SERIES)]
    return {
        "color": color,
        "linestyle": DASHES[index % len(DASHES)],
        "linewidth": 1.8,
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 5.5,
        "markerfacecolor": color if index % 2 == 0 else "none",
    }


def _scales(axes: "Axes", panel: Panel) -> None:
    axes.set_title(panel.title, fontsize=12)
    axes.set(xlabel=panel.xlabel, ylabel=panel.ylabel)
    axes.spines["bottom"].set_position(("outward", 6))
    if panel.whole:
        axes.locator_params(axis="x", nbins=7, integer=True)
    if panel.reverse:
        axes.invert_xaxis()
    highest = max((value for p in panel.profiles for value in (*p.mean, *p.high)), default=1.0)
    if panel.log:
        _scale_log(axes)
    elif panel.errors:
        scale_errors(axes, [value for each in panel.profiles for value in (*each.mean, *each.high)])
    elif panel.percent:
        axes.set_ylim(0, min(100.0, max(1.0, 1.1 * highest)))
    else:
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))


def _scale_log(axes: "Axes") -> None:
    """Scale an axis logarithmically, with numbers as one writes them: 0.2, 0.5, 1."""
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    wide = high / low > 300
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=9))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")


def _key(figure: "Figure", names: Mapping[str, int], *, stacked: bool) -> None:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], label=name, **_style(index)) for name, index in names.items()]
    figure.legend(
        handles=lines,
        loc="outside upper left",
        ncols=1 if stacked else len(names),
        frameon=False,
        fontsize=11,
        handlelength=3.2,
    )
