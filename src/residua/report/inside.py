"""The page of a look inside networks: figures, tables, and what was looked at."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from residua import files
from residua.report import page


@dataclass(frozen=True, kw_only=True)
class Network:
    """What is known of one network that was looked into.

    Args:
        label: what its line is called.
        folders: of its runs, which differ in their seed alone.
        part: of the data, which the pictures are from.
        pictures: how many were looked at with.
        there: how many that part has.
        fingerprint: of the pictures.
    """

    label: str
    folders: Sequence[str]
    part: str
    pictures: int
    there: int
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class About:
    """What a page says beside its findings.

    Args:
        networks: that were looked into.
        weights: which of their weights.
        environment: of the measurement.
        command: that repeats it.
    """

    networks: Sequence[Network]
    weights: str
    environment: Mapping[str, object]
    command: str

    @property
    def n(self) -> str:
        """How many runs of each network, and on how many pictures."""
        counts = sorted({len(each.folders) for each in self.networks})
        runs = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        shown = dict.fromkeys(f"{each.pictures:,} {each.part}" for each in self.networks)
        bands = "; lines: means over runs, bands: smallest to largest" if counts[-1] > 1 else ""
        words = f"n = {runs} run{'' if runs == '1' else 's'} of each network"
        return f"{words}{bands}; {' and '.join(shown)} pictures; {self.weights} weights"

    @property
    def alike(self) -> bool:
        """Whether all networks were looked into with the same pictures."""
        return len({each.fingerprint for each in self.networks}) == 1


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: its caption, headings with whether they are of numbers, and rows of words."""

    caption: str
    columns: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure in its three forms.

    Args:
        name: of its files.
        wide: SVG for the page.
        narrow: SVG for narrow windows.
        slides: SVG and PNG on white.
        caption: what it shows, and after which paper.
        source: the paper with its figure, and its address.
    """

    name: str
    wide: str
    narrow: str
    slides: tuple[str, bytes]
    caption: str
    source: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading, a figure if there is one, sentences on how to read it, and a table."""

    heading: str
    figure: Figure | None
    sentences: Sequence[str]
    table: Table | None = None


def write_inside(
    folder: Path,
    study: str,
    finding: str,
    sections: Sequence[Section],
    *,
    about: About,
    record: object,
) -> Path:
    """Write a page with its figures and the numbers they are drawn from.

    Args:
        folder: gets `report.html`, the figures as SVG and PNG, and `STUDY.json`.
        study: "responses", "gradients", "lesion" or "surface".
        finding: the heading.
        sections: from top to bottom.
        about: what was looked at.
        record: plain values that the figures are drawn from.

    Returns:
        The page.

    Raises:
        RunError: the files cannot be written.
    """
    for section in sections:
        if section.figure is not None:
            picture, pixels = section.figure.slides
            files.write(folder / f"{section.figure.name}.svg", picture)
            files.write(folder / f"{section.figure.name}.png", pixels)
    kept = {
        "study": study,
        "finding": finding,
        "n": about.n,
        "networks": [asdict(network) for network in about.networks],
        "command": about.command,
        "environment": dict(about.environment),
        "found": record,
    }
    files.write(folder / f"{study}.json", json.dumps(kept, indent=1) + "\n")
    values = {
        "study": study,
        "finding": finding,
        "sections": sections,
        "about": about,
        "start": {"environment": about.environment},
    }
    return page.write(folder, "inside.html", values)
