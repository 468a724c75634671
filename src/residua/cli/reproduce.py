"""`residua reproduce`: the tables of the papers beside what runs here came to, with a verdict."""

import dataclasses
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

from residua import files, runtime
from residua.cli.options import parse
from residua.cli.screen import Screen, say, table
from residua.errors import ConfigError
from residua.reproduce import tables
from residua.reproduce.cell import Cell, Table
from residua.reproduce.effort import Effort
from residua.reproduce.pages import pages
from residua.reproduce.run import chosen, fill, judged
from residua.reproduce.shown import shown
from residua.reproduce.verdict import Judgement
from residua.train import parallel

ORDER = (
    *("reproduced", "outside tolerance", "scaled down", "not run"),
    *("unverified", "quoted", "out of scope"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Train or test what is missing for a table of a paper, and judge it by the records.

    residua reproduce he2015.table6 [--rows ResNet-20 ResNet-56] [--seeds 5]
    residua reproduce --list
    residua reproduce --pages docs

    Attributes:
        name: of a table, such as he2015.table6, or of a paper for all of its tables.
        list: show all tables with their state from the records found; train nothing.
        show: show the table itself as it stands; train nothing.
        rows: only these rows.
        seeds: runs of each recipe, finished ones included.
        budget: updates of each training; longer schedules are shrunk to so many, and such numbers
            are scaled down, never reproduced.
        weights: test given weights instead of training, NAME=FILE or NAME=torchvision; the name is
            that of a row of he2015.release or of a recipe of ImageNet, such as resnet50.
        data: where the pictures lie; by default where the recipes look for them.
        compile: let torch.compile join the operations of new trainings.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
        records: a folder of kept records, which count as runs.
        pages: write all tables as Markdown into this folder, beside kept records alone; train
            nothing.
    """

    name: Annotated[str, Positional] = ""
    list: bool = False
    show: bool = False
    rows: tuple[str, ...] = ()
    seeds: int = 1
    budget: int | None = None
    weights: tuple[str, ...] = ()
    data: str | None = None
    compile: bool = False
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")
    records: Path = Path("records")
    pages: Path | None = None


def main(words: Sequence[str]) -> None:
    """Fill the tables that are named, and print them with their verdicts.

    Raises:
        ConfigError: no table is named, or there is none of that name or row.
        RunError: a training stopped.
    """
    options = parse("reproduce", Options, words)
    runtime.set_threads(options.threads)
    if options.pages is not None:
        _write(options.pages, options.records)
    elif options.list:
        _list(tables.find(options.name) if options.name else [*tables.tables().values()], options)
    else:
        _reproduce(options)


def _reproduce(options: Options) -> None:
    """Fill what is missing of tables, and print them."""
    if not options.name:
        raise ConfigError("say which table, such as he2015.table6 (`residua reproduce --list`)")
    found = tables.find(options.name)
    cells = {each.name: _cells(each, found, options.rows) for each in found}
    effort = _effort(options)
    wanted = [cell for part in cells.values() for cell in part]
    if not wanted:
        raise ConfigError(f"no table of {options.name} has a row {' or '.join(options.rows)}")
    faults: Sequence[Exception] = () if options.show else _fill(wanted, effort)
    if parallel.leads():
        for each in found:
            if cells[each.name]:
                _print(each, judged(cells[each.name], effort.roots))
    if faults:
        raise faults[0]


def _write(into: Path, records: Path) -> None:
    """Write the pages of results."""
    up = Path(os.path.relpath(records.resolve().parent, into.resolve())).as_posix()
    for name, text in pages(records, up).items():
        files.write(into / name, text)
    say(f"page: {into / 'results.md'}")


def _cells(each: Table, found: Sequence[Table], rows: Sequence[str]) -> list[Cell]:
    """Choose rows; of several tables each has those that it has."""
    if len(found) == 1:
        return chosen(each, rows)
    known = {cell.row.casefold() for cell in each.cells}
    named = [row for row in rows if row.casefold() in known]
    return [] if rows and not named else chosen(each, named)


def _effort(options: Options) -> Effort:
    given: dict[str, str] = {}
    for word in options.weights:
        name, separator, source = word.partition("=")
        if not (name and separator and source):
            raise ConfigError(f"--weights takes NAME=FILE or NAME=torchvision, got {word}")
        given[name] = source
    return Effort(
        seeds=options.seeds,
        budget=options.budget,
        data=options.data,
        weights=given,
        compile=options.compile,
        device=options.device,
        runs=options.runs,
        records=options.records,
    )


def _fill(cells: Sequence[Cell], effort: Effort) -> Sequence[Exception]:
    with Screen() as screen:
        return fill(cells, dataclasses.replace(effort, listen=screen))


def _print(each: Table, judgements: Sequence[Judgement]) -> None:
    columns = [("row", False), ("column", False), ("paper", True), ("statistic", False)]
    columns += [("ours", True), ("of", False), ("difference", True), ("tolerance", True)]
    rows = [_row(judgement) for judgement in judgements]
    table(f"{each.name}: {each.title}", [*columns, ("verdict", False)], rows)
    for judgement in judgements:
        folders = judgement.measured.folders if judgement.measured is not None else ()
        note = judgement.cell.note
        why = [*judgement.why, *([note] if note else []), *([" ".join(folders)] if folders else [])]
        if why and judgement.verdict not in {"quoted", "out of scope"}:
            say(f"{judgement.cell.row}, {judgement.cell.column}: {'; '.join(why)}")
    say(f"source: {each.source}{f'. {each.note}' if each.note else ''}\n")


def _row(judgement: Judgement) -> list[str]:
    cell = judgement.cell
    ours, difference, tolerance = shown(judgement)
    return [
        cell.row,
        cell.column,
        cell.printed,
        cell.statistic,
        ours,
        judgement.statistic,
        difference,
        tolerance,
        judgement.verdict,
    ]


def _list(found: Sequence[Table], options: Options) -> None:
    """Print how many cells of each table have which verdict."""
    if not parallel.leads():
        return
    roots = _effort(options).roots
    rows = []
    for each in found:
        counts = Counter(judgement.verdict for judgement in judged(each.cells, roots))
        numbers = [str(counts[verdict] or "") for verdict in ORDER]
        rows.append([each.name, each.title, str(len(each.cells)), *numbers])
    columns = [("table", False), ("what it shows", False), ("cells", True)]
    table("tables", [*columns, *((verdict, True) for verdict in ORDER)], rows)
    say("residua reproduce TABLE fills one; --show only shows it")
