"""The papers' tables as pages of Markdown, from kept records alone: nothing is trained.

Every number of ours leads to the entry of its record (`residua.reproduce.kept`), which has its
seed, code version and command and leads to its settings.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, get_args

from residua.reproduce import kept, studies
from residua.reproduce.cell import Counted, Setting, Table
from residua.reproduce.markdown import code, slug, table
from residua.reproduce.run import Records, judge_all
from residua.reproduce.shown import shown
from residua.reproduce.tables import tables
from residua.reproduce.verdict import Judgement, Verdict

PAPERS = {
    "he2015": "He et al. 2015: Deep Residual Learning",
    "he2016": "He et al. 2016: Identity Mappings",
    "wide": "Zagoruyko and Komodakis 2016: Wide Residual Networks",
    "highway": "Srivastava et al. 2015: Highway Networks",
    "depth": "Huang et al. 2016: Stochastic Depth",
    "mnist": 'The blog post "Residual networks in Torch, MNIST"',
}
TESTED = [
    *(("table", False), ("row", False), ("column", False), ("paper", True)),
    *(("statistic", False), ("ours", True), ("of", False), ("verdict", False)),
]
COLUMNS = [
    *(("row", False), ("column", False), ("paper", True), ("statistic", False)),
    *(("seen in", False), ("ours", True), ("of", False), ("difference", True)),
    *(("tolerance", True), ("verdict", False)),
]
# Notes that hold for more cells than this are said once, with their number.
NAMED = 4

ABOUT = """# Results

Every table of the papers beside what runs here came to, as far as records of them are kept in the
folder `{records}`. [The papers' numbers](reproduce.md) says what the verdicts mean and by which
rule they are given. This page and those below it are made by `residua reproduce --pages docs` from
the records, and a test fails where they are not those of the records.

A number of ours leads to [the entry of its run](results/runs.md): seed, code version, command,
machine, and the files of the record with its settings. A network that is counted has neither seed
nor run: its settings are named below its table, and `residua reproduce TABLE --show` counts it
again.

How sure it is that a paper prints a value is said by a letter: P, read in a transcription of the
paper; R, in the authors' repository; D, derived by computation; S, in a secondary source alone; M,
from memory, no source was seen.
"""


def pages(records: Path, up: str = "..") -> dict[str, str]:
    """Write the pages.

    Args:
        records: the folder of kept records.
        up: the way to the folder that holds it, from that of the pages.

    Returns:
        The text of every page by its path: `results.md`, and those in `results/`.
    """
    there = Records((records,))
    judged = {
        name: [_placeless(found, records) for found in judge_all(each.cells, there)]
        for name, each in tables().items()
    }
    papers = dict.fromkeys(name.partition(".")[0] for name in judged)
    made = {f"results/{paper}.md": _paper(paper, judged) for paper in papers}
    way = f"{up}/{records.name}"
    below = [*papers, "studies", "runs"] if studies.headings(records) else [*papers, "runs"]
    if "studies" in below:
        made["results/studies.md"] = studies.page(records, f"../{way}")
    made["results/runs.md"] = kept.page(records, f"../{way}")
    return {"results.md": _overview(judged, below, records), **made}


def _placeless(judgement: Judgement, records: Path) -> Judgement:
    """Name runs by their places among the records, wherever these lie."""
    why = tuple(text.replace(f"{records}{os.sep}", "") for text in judgement.why)
    return replace(judgement, why=why)


def _overview(judged: dict[str, list[Judgement]], below: Iterable[str], records: Path) -> str:
    rows = []
    for name, found in judged.items():
        counts = Counter(judgement.verdict for judgement in found)
        said = [f"{counts[verdict]} {verdict}" for verdict in get_args(Verdict) if counts[verdict]]
        rows.append([_way(name), tables()[name].title, str(len(found)), ", ".join(said)])
    columns = [("table", False), ("what it shows", False), ("cells", True), ("state", False)]
    state = table(columns, rows)
    tested = ["## Trained or tested here", "", *table(TESTED, _tested(judged)), ""]
    tree = ["```{toctree}", ":hidden:", "", *(f"results/{name}" for name in below), "```"]
    head = [ABOUT.format(records=records.name), *tested, *_studies(records), "## All tables", ""]
    return "\n".join([*head, *state, "", *tree, ""])


def _tested(judged: dict[str, list[Judgement]]) -> Iterator[list[str]]:
    """List what rests on records, with the way to them."""
    for name, found in judged.items():
        for judgement in found:
            if judgement.measured is not None and judgement.measured.folders:
                row, column, printed, statistic, _, _, of, *_, verdict = _row(judgement)
                ours = shown(judgement).ours
                link = f"[{ours}](results/{kept.entry(Path(judgement.measured.folders[0]))})"
                yield [_way(name), row, column, printed, statistic, link, of, verdict]


def _studies(records: Path) -> list[str]:
    """List the kept studies with what each found."""
    rows = [
        [f"[{heading}](results/studies.md#{slug(heading)})", finding]
        for heading, finding in studies.headings(records).items()
    ]
    columns = [("study", False), ("found", False)]
    return ["## Studied here", "", *table(columns, rows), ""] if rows else []


def _way(name: str) -> str:
    return f"[{name}](results/{name.partition('.')[0]}.md#{slug(name)})"


def _paper(paper: str, judged: dict[str, list[Judgement]]) -> str:
    lines = [f"# {PAPERS.get(paper, paper)}", ""]
    for name, found in judged.items():
        if name.partition(".")[0] == paper:
            lines += _section(tables()[name], found)
    return "\n".join(lines)


def _section(each: Table, found: Sequence[Judgement]) -> list[str]:
    rows = [_row(judgement) for judgement in found]
    # What is empty in every row says nothing.
    shown = [place for place in range(len(COLUMNS)) if any(row[place] for row in rows)]
    return [
        f"## {each.name}",
        "",
        f"**{each.title}.** Source: {each.source}.{_sentence(each.note)}",
        "",
        f"Filled by {code(f'residua reproduce {each.name}')}, shown again with `--show`.",
        "",
        *table(
            [COLUMNS[place] for place in shown], [[row[place] for place in shown] for row in rows]
        ),
        "",
        *(f"- {note}" for note in _notes(found)),
        "",
        *_printed_too(each.settings),
    ]


def _printed_too(settings: Sequence[Setting]) -> list[str]:
    """Make a table of the numbers that say what was done, a column for each kind."""
    if not settings:
        return []
    units = {each.column: each.unit for each in settings}
    heads = [name if unit == name else f"{name} ({unit})" for name, unit in units.items()]
    rows: dict[str, dict[str, str]] = {}
    for each in settings:
        rows.setdefault(each.row, {})[each.column] = f"{each.value:g}"
    lines = [[row, *(values.get(name, "") for name in units)] for row, values in rows.items()]
    columns = [("row", False), *((head, True) for head in heads)]
    return ["Printed there too, and no results:", "", *table(columns, lines), ""]


def _sentence(note: str) -> str:
    return f" {note.rstrip('.')}." if note else ""


def _row(judgement: Judgement) -> list[str]:
    cell = judgement.cell
    ours, difference, tolerance = shown(judgement)
    folders = judgement.measured.folders if judgement.measured is not None else ()
    return [
        cell.row,
        cell.column,
        cell.printed,
        cell.statistic,
        cell.code,
        f"[{ours}]({kept.entry(Path(folders[0]))})" if folders else ours,
        judgement.statistic,
        difference,
        tolerance,
        judgement.verdict,
    ]


def _notes(found: Sequence[Judgement]) -> list[str]:
    """List what belongs beside the numbers, each once, with the cells that it is about."""
    about: dict[str, list[str]] = {}
    for judgement in found:
        for text in _said(judgement):
            about.setdefault(text, []).append(f"{judgement.cell.row}, {judgement.cell.column}")
    return [f"{_cells(cells, len(found))}: {text}" for text, cells in about.items()]


def _cells(cells: Sequence[str], count: int) -> str:
    if len(cells) == count > 1:
        return "All"
    return "; ".join(cells) if len(cells) <= NAMED else f"{len(cells)} cells"


def _said(judgement: Judgement) -> list[str]:
    cell, how = judgement.cell, judgement.cell.how
    said = [*judgement.why, *([cell.note] if cell.note else [])]
    if judgement.measured is not None and isinstance(how, Counted):
        said.append(f"counted of {code(_settings(how.net))}")
    if judgement.measured is not None and judgement.measured.folders:
        folders = judgement.measured.folders
        links = [f"[{kept.title(Path(folder))}]({kept.entry(Path(folder))})" for folder in folders]
        said.append(f"runs {', '.join(links)}")
    return said


def _settings(config: Any) -> str:
    """Name settings as Python writes them, without those that are the usual ones."""
    given = [
        f"{field.name}={getattr(config, field.name)!r}"
        for field in fields(config)
        if field.default is MISSING or getattr(config, field.name) != field.default
    ]
    return f"{type(config).__name__}({', '.join(given)})"
