"""`residua lab surface`: the loss around the weights of trained networks."""

import dataclasses
import statistics
from collections.abc import Sequence
from typing import Annotated, Literal

from tyro.conf import arg

from residua import report
from residua.analyze.surface import Plane
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.cli.studies.source import Source, about
from residua.lab.inside import lines_of, planes_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Draw the loss along lines and over a plane through the weights (Li et al., figures 1 and 3).

    residua lab surface RUN [RUN ...]

    Attributes:
        source: runs and pictures.
        weights: best or last; by default those that the run was tested with.
        reach: of the steps, in norms of the filters.
        points: along each line, an odd number.
        directions: lines through the weights of each run.
        plane: points along each side of the plane, an odd number; 0 leaves the plane out.
        seed: of the directions.
    """

    source: Annotated[Source, arg(name="")] = dataclasses.field(default_factory=Source)
    weights: Literal["best", "last"] | None = None
    reach: float = 1.0
    points: int = 21
    directions: int = 3
    plane: int = 15
    seed: int = 0


def main(words: Sequence[str]) -> None:
    """Look, and print a table and where the page is."""
    options = parse("lab surface", Options, words)
    opened = options.source.open(options.weights)
    if options.source.smoke:
        options = dataclasses.replace(options, points=5, directions=1, plane=min(options.plane, 3))
    lines = lines_of(
        opened,
        reach=options.reach,
        points=options.points,
        directions=options.directions,
        seed=options.seed,
    )
    planes: dict[str, Plane] = {}
    if options.plane:
        planes = planes_of(opened, reach=options.reach, points=options.plane, seed=options.seed)
    rows = []
    for name, some in lines.items():
        along = [line.losses for each in some for line in each]
        middle, ends = len(along[0]) // 2, [value for row in along for value in (row[0], row[-1])]
        rows.append(
            [
                name,
                str(len(some)),
                f"{statistics.mean(row[middle] for row in along):.3g}",
                f"{statistics.mean(ends):.3g}",
            ]
        )
    columns = [("network", False), ("n", True), ("loss", True)]
    table("surface", [*columns, (f"loss {options.reach:g} filter norms away", True)], rows)
    folder = options.source.folder("surface")
    page = report.write_surfaces(folder, lines, planes, about(opened, options.weights))
    say(str(page))
