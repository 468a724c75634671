"""The page of lesions: nets without one block, without several, and in another order.

Sources:
    [V] Veit et al., Residual Networks Behave Like Ensembles of Relatively Shallow Networks,
        arXiv:1605.06431, figures 3 to 5.
"""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from residua.plots import Panel, Profile
from residua.report.inside import About, Figure, Section, Table, write_inside
from residua.report.inside_parts import (
    VEIT,
    VEIT_URL,
    figure,
    listed,
    plain_values,
    profile,
    spread,
)

if TYPE_CHECKING:
    from residua.analyze.lesion import Lesions


def write_lesions(folder: Path, found: Mapping[str, Sequence["Lesions"]], about: About) -> Path:
    """Draw [V] figures 3 to 5, and write the page.

    Args:
        folder: of the page.
        found: of every run of each network.
        about: what was looked at.
    """
    told = [
        f"{statistics.mean(each.whole for each in some):.1f} to "
        f"{statistics.mean(each.middle for each in some):.1f} % in {name}"
        for name, some in found.items()
    ]
    finding = f"Without one block the error goes from {listed(told)}"
    sections = [_one(found, about), _several(found, about)]
    orders = {name: some for name, some in found.items() if all(each.reordered for each in some)}
    if orders:
        sections.append(_orders(orders, about))
    return write_inside(
        folder, "lesion", finding, sections, about=about, record=plain_values(found)
    )


def _one(found: Mapping[str, Sequence["Lesions"]], about: About) -> Section:
    lines = [
        profile(
            name,
            range(len(some[0].each) + 1),
            [[each.whole, *(block.error for block in each.each)] for each in some],
        )
        for name, some in found.items()
    ]
    panel = Panel(
        title="Without one block",
        xlabel="block deleted (0: none)",
        ylabel="error (%)",
        profiles=lines,
        percent=True,
    )
    rows = [
        [
            block.name + ("" if block.keeps_shape else " (changes the shape)"),
            name,
            spread([each.each[i].error for each in some], "{:.1f}".format),
        ]
        for name, some in found.items()
        for i, block in enumerate(some[0].each)
    ]
    return Section(
        heading="Without one block",
        figure=_figure("lesion", [panel], about, "", "Error without one block.", "figures 3 and 4"),
        sentences=[
            "Of a residual block F is left out, and the shortcut stays. Of a plain block all "
            "layers are left out; where it changes the shape, subsampling and channels of zeros "
            "stand in their place, as in a shortcut of option A. The heading gives the median "
            "block.",
        ],
        table=Table(
            caption=f"Error in percent; {about.n}",
            columns=[("block deleted", False), ("network", False), ("error %", True)],
            rows=rows,
        ),
    )


def _several(found: Mapping[str, Sequence["Lesions"]], about: About) -> Section:
    lines: list[Profile] = []
    for name, some in found.items():
        errors = {0: [each.whole for each in some for _ in each.several[0].errors]} | {
            group.count: [e for each in some for e in each.several[i].errors]
            for i, group in enumerate(some[0].several)
        }
        columns = list(zip(*errors.values(), strict=True))
        lines.append(profile(name, list(errors), columns))
    panel = Panel(
        title="Without several blocks",
        xlabel="blocks deleted at random",
        ylabel="error (%)",
        profiles=lines,
        percent=True,
    )
    draws = max(len(group.errors) for some in found.values() for group in some[0].several)
    return Section(
        heading="Without several blocks",
        figure=_figure(
            "several",
            [panel],
            about,
            f"{draws} draws for each number; lines: means over draws and runs, bands: "
            "smallest to largest",
            "Error without several blocks, drawn at random.",
            "figure 5a",
        ),
        sentences=[
            "In the paper the error of a residual network grows smoothly with the number of blocks "
            "deleted, as that of an ensemble does with the members that leave it."
        ],
    )


def _orders(found: Mapping[str, Sequence["Lesions"]], about: About) -> Section:
    lines: list[Profile] = []
    for name, some in found.items():
        tried = [one for each in some for one in each.reordered]
        by_correlation: dict[float, list[float]] = {}
        for one in tried:
            by_correlation.setdefault(round(one.correlation, 2), []).append(one.error)
        places = sorted(by_correlation)
        rows = [by_correlation[place] for place in places]
        lines.append(
            Profile(
                name=name,
                x=places,
                mean=[statistics.mean(row) for row in rows],
                low=[min(row) for row in rows],
                high=[max(row) for row in rows],
                joined=False,
            )
        )
    panel = Panel(
        title="In another order",
        xlabel="Kendall's rank correlation with the trained order",
        ylabel="error (%)",
        profiles=lines,
        percent=True,
        whole=False,
        reverse=True,
    )
    swaps = sorted({one.swaps for some in found.values() for one in some[0].reordered})
    return Section(
        heading="In another order",
        figure=_figure(
            "reordered",
            [panel],
            about,
            f"pairs of blocks of one shape change places, {swaps[0]} to {swaps[-1]} times; "
            "marks: means of equal correlation, bars: smallest to largest",
            "Error of the blocks in another order against how alike the orders are.",
            "figure 5b",
        ),
        sentences=[
            "1 is the order that was trained. Only blocks that keep the shape change places, among "
            "those of the same number of channels."
        ],
    )


def _figure(
    name: str, panels: Sequence[Panel], about: About, note: str, caption: str, where: str
) -> Figure:
    return figure(
        name, panels, about=about, note=note, caption=caption, source=(f"{VEIT}, {where}", VEIT_URL)
    )
