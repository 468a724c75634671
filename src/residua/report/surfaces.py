"""The page of the loss around the weights of networks.

Sources:
    [L] Li et al., Visualizing the Loss Landscape of Neural Nets, arXiv:1712.09913: section 4,
        figures 1 (planes, with shortcuts and without) and 3 (lines).
"""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from residua import plots
from residua.plots import Panel
from residua.report.inside import About, Figure, Section, Table, write_inside
from residua.report.inside_parts import (
    LI,
    LI_URL,
    figure,
    listed,
    plain_values,
    profile,
    short,
    spread,
)

if TYPE_CHECKING:
    from residua.analyze.surface import Line, Plane


def write_surfaces(
    folder: Path,
    lines: Mapping[str, Sequence[Sequence["Line"]]],
    planes: Mapping[str, "Plane"],
    about: About,
) -> Path:
    """Draw the loss along lines and over planes, and write the page.

    Args:
        folder: of the page.
        lines: of every run of each network, one for each direction drawn.
        planes: of the first run of each network; none where none was measured.
        about: what was looked at.
    """
    told = [f"{statistics.mean(_rises(some)):.2g} nats in {name}" for name, some in lines.items()]
    reach = next(iter(lines.values()))[0][0].steps[-1]
    finding = f"At {reach / 2:g} filter norms from the weights the loss is up by {listed(told)}"
    sections = [_lines(lines, about)]
    if planes:
        sections.append(_planes(planes, about))
    record = {
        "lines": plain_values(lines),
        "planes": plain_values({name: [plane] for name, plane in planes.items()}),
    }
    return write_inside(folder, "surface", finding, sections, about=about, record=record)


def _lines(found: Mapping[str, Sequence[Sequence["Line"]]], about: About) -> Section:
    profiles = [
        profile(name, some[0][0].steps, [line.losses for each in some for line in each])
        for name, some in found.items()
    ]
    directions = max(len(each) for some in found.values() for each in some)
    panel = Panel(
        title="Along lines through the weights",
        xlabel="step (filter norms)",
        ylabel="loss (nats)",
        profiles=profiles,
        whole=False,
        log=all(value > 0 for line in profiles for value in (*line.mean, *line.low)),
    )
    rows = [
        [f"{step:g}", name, spread([line.losses[i] for each in some for line in each], short)]
        for name, some in found.items()
        for i, step in enumerate(some[0][0].steps)
    ]
    return Section(
        heading="Along lines",
        figure=figure(
            "lines",
            [panel],
            about=about,
            note=f"{directions} directions of each run; lines: means over directions and "
            "runs, bands: smallest to largest",
            caption="Mean cross-entropy along random directions, scaled filter by filter.",
            source=(f"{LI}, figure 3", LI_URL),
        ),
        sentences=[
            "Each filter of a direction has the norm of the network's own, so that networks whose "
            "weights are of different size can be compared: a step of 1 is as long as the weights "
            "themselves. Biases and batch normalization stay; running statistics are used.",
        ],
        table=Table(
            caption=f"Loss in nats; {about.n}",
            columns=[("step", False), ("network", False), ("loss", True)],
            rows=rows,
        ),
    )


def _planes(found: Mapping[str, "Plane"], about: About) -> Section:
    heights = {name: plane.losses for name, plane in found.items()}
    at = next(iter(found.values())).steps
    note = f"{about.n}; one plane of the first run of each; {len(at)} x {len(at)} points"
    lowest = [
        f"{min(map(min, plane.losses)):.3g} to {max(map(max, plane.losses)):.3g} in {name}"
        for name, plane in found.items()
    ]
    return Section(
        heading="Over a plane",
        figure=Figure(
            name="plane",
            wide=plots.contours(heights, at, name="plane", note=note),
            narrow=plots.contours(heights, at, name="plane", note=note, narrow=True),
            slides=plots.contours_for_slides(heights, at, note=note),
            caption="Contours of the mean cross-entropy in nats; the cross marks the weights.",
            source=(f"{LI}, figure 1", LI_URL),
        ),
        sentences=[
            "All networks are cut at the same heights, 1, 2 and 5 in every power of ten, and steps "
            f"have the same unit. The loss goes from {listed(lowest)}.",
            "In the paper plain nets of 20 layers are about as smooth as residual ones, and those "
            "of 56 and 110 layers are not.",
        ],
    )


def _rises(some: Sequence[Sequence["Line"]]) -> list[float]:
    """Say by how much the loss rises half way out, on average of both sides and all directions."""
    rises: list[float] = []
    for each in some:
        lines = [line.losses for line in each]
        half = len(lines[0]) // 2
        out = max(1, half // 2)
        sides = [losses[half + way * out] - losses[half] for losses in lines for way in (-1, 1)]
        rises.append(statistics.mean(sides))
    return rises
