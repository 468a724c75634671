"""Fills the cells of tables, and judges them by the records that are there."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from residua import recipes, runtime
from residua.data.folder import FilesConfig
from residua.data.views import Views, Whole
from residua.detection_experiment import AnyExperiment
from residua.errors import ConfigError, DataError, ResiduaError, RunError, closest
from residua.experiment import Experiment
from residua.nets.imagenet import ImagenetConfig
from residua.reproduce import given
from residua.reproduce.cell import (
    RESPONSE,
    Cell,
    Counted,
    Difference,
    Evaluated,
    Exceeds,
    Table,
    Trained,
)
from residua.reproduce.count import counted
from residua.reproduce.effort import Effort
from residua.reproduce.evidence import Found, found, groups
from residua.reproduce.missing import complete
from residua.reproduce.verdict import Judgement, Measured, judge
from residua.train import parallel
from residua.train.parallel import World

GIVEN = "the weights were not trained by the recipe"


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a cell wants of a recipe.

    Attributes:
        recipe: its full name.
        metric: the number that is wanted.
        views: under which protocol.
        pictures: learned from and tested on, where the data set does not say.
    """

    recipe: str
    metric: str
    views: Views
    pictures: tuple[int, int] | None = None


def fill(cells: Sequence[Cell], effort: Effort) -> list[ResiduaError]:
    """Train and test what is missing for some cells.

    Several processes that torchrun started share every training.

    Args:
        cells: that are to be filled.
        effort: how often, how long and where.

    Returns:
        What kept recipes or weights from being tried, and what others are at work on; the rest was
        done.

    Raises:
        ConfigError: the effort comes to nothing, or weights are given that no cell asks for.
        RunError: a training stopped; starting again goes on with it.
    """
    effort.check()
    _check_weights(cells, effort)
    faults: list[ResiduaError] = []
    with parallel.joined(parallel.own_device(runtime.pick_device(effort.device))) as world:
        for cell in cells:
            try:
                _give(cell, effort, world)
            except (ConfigError, DataError) as fault:
                faults.append(fault)
        for name, asked in _by_recipe(cells).items():
            try:
                faults += _train(recipes.find(name), asked, effort, world)
            except (ConfigError, DataError) as fault:
                faults.append(fault)
    return faults


def judged(cells: Iterable[Cell], roots: Sequence[Path]) -> list[Judgement]:
    """Judge cells by the records below some folders; nothing is trained or tested."""
    return judge_all(cells, Records(tuple(roots)))


def judge_all(cells: Iterable[Cell], there: "Records") -> list[Judgement]:
    """Judge cells by records that may have been read already."""
    return [_with_state(judge(cell, measured(cell, there)), there) for cell in cells]


class Records:
    """The records below some folders, each read once.

    Args:
        roots: folders of runs.
    """

    def __init__(self, roots: tuple[Path, ...]) -> None:
        self.roots = roots
        self._read: dict[tuple[str, tuple[int, int] | None], list[Found]] = {}

    def of(self, asked: Asked) -> list[Found]:
        """List the runs of a recipe."""
        key = asked.recipe, asked.pictures
        if key not in self._read:
            self._read[key] = found(recipes.find(asked.recipe), self.roots, asked.pictures)
        return self._read[key]


def measured(cell: Cell, there: Records) -> Measured | None:
    """Find what was measured for a cell."""
    how = cell.how
    match how:
        case Counted():
            return counted(how)
        case Evaluated():
            return given.measured(how, there.roots)
        case Difference():
            return _difference(*(_all_of_recipe(asked, there) for asked in asked_by(how)))
        case Trained() | Exceeds():
            (asked,) = asked_by(how)
            ours = _of_recipe(asked, there)
            if ours is not None and isinstance(how, Trained) and how.accuracy:
                right = tuple(100 - value for value in ours.values)
                return dataclasses.replace(ours, values=right)
            return ours
    return None


def _with_state(judgement: Judgement, there: Records) -> Judgement:
    """Say of a cell that is not run what there is of it."""
    if judgement.verdict != "not run":
        return judgement
    wanted = asked_by(judgement.cell.how)
    told = [
        _untested(run, asked)
        if run.finished
        else f"{run.folder} has come to {run.record.iteration:,} of "
        f"{run.experiment.schedule.until:,} updates"
        for asked in wanted
        for run in there.of(asked)
        if run.number(asked.metric, asked.views) is None
    ]
    if len(wanted) > 1 and all(_of_recipe(each, there) for each in wanted):
        told.append(
            "runs of both are there, and none of the one is as long and set as of the other"
        )
    return dataclasses.replace(judgement, why=tuple(told))


def _untested(run: Found, asked: Asked) -> str:
    """Say what was not measured of a finished run."""
    if asked.metric == RESPONSE:
        return f"the responses of {run.folder} were not measured"
    return f"{run.folder} was not tested under this protocol ({asked.views.protocol})"


def asked_by(how: object) -> list[Asked]:
    """List what a cell wants of recipes."""
    match how:
        case Trained():
            return [Asked(how.recipe, how.metric, how.views, how.pictures)]
        case Exceeds():
            return [Asked(how.recipe, how.metric, Whole())]
        case Difference():
            return [Asked(name, how.metric, how.views) for name in (how.larger, how.smaller)]
    return []


def chosen(table: Table, rows: Sequence[str]) -> list[Cell]:
    """Return the cells of some rows, or of all if none is named.

    Raises:
        ConfigError: the table has no such row.
    """
    known = {cell.row.casefold() for cell in table.cells}
    for row in rows:
        if row.casefold() not in known:
            labels = list(dict.fromkeys(cell.row for cell in table.cells))
            hint = closest(row, labels) or f" (there are {', '.join(labels)})"
            raise ConfigError(f"{table.name} has no row {row}{hint}")
    wanted = {row.casefold() for row in rows} or known
    return [cell for cell in table.cells if cell.row.casefold() in wanted]


def _of_recipe(asked: Asked, there: Records) -> Measured | None:
    """Find the runs of a recipe, or else a test of given weights in its place."""
    return next(iter(_all_of_recipe(asked, there)), None)


def _all_of_recipe(asked: Asked, there: Records) -> list[Measured]:
    """List the runs of a recipe, those of one configuration together, or else given weights."""
    ours = groups(there.of(asked), asked.metric, asked.views)
    how = _in_its_place(recipes.find(asked.recipe), asked)
    weights = None if how is None or ours else given.measured(how, there.roots)
    if weights is None:
        return ours
    told = (GIVEN, *weights.differences)
    return [dataclasses.replace(weights, differences=told)]


def _difference(larger: Sequence[Measured], smaller: Sequence[Measured]) -> Measured | None:
    """Set runs against those of the other recipe that are alike: whole, or as short as they."""
    for one in larger:
        for other in smaller:
            if one.differences == other.differences:
                return dataclasses.replace(
                    one,
                    subtracted=other.values,
                    remarks=tuple(dict.fromkeys((*one.remarks, *other.remarks))),
                    folders=(*one.folders, *other.folders),
                )
    return None


def _by_recipe(cells: Iterable[Cell]) -> dict[str, list[Asked]]:
    """Collect what is wanted of each recipe, in the order of the cells."""
    wanted: dict[str, list[Asked]] = {}
    for cell in cells:
        for asked in asked_by(cell.how):
            wanted.setdefault(asked.recipe, []).append(asked)
    return wanted


def _train(
    recipe: AnyExperiment, asked: Sequence[Asked], effort: Effort, world: World
) -> list[RunError]:
    """Fill what is wanted of a recipe, unless weights were given in its place."""
    if recipe.name.partition(".")[2] in effort.weights:
        return []
    looks = [(each.metric, each.views) for each in asked]
    left = complete(recipe, effort, world, looks=looks, pictures=asked[0].pictures)
    return [
        RunError(f"another process is at work on {folder}: start again when it has ended")
        for folder in left
    ]


def _give(cell: Cell, effort: Effort, world: World) -> None:
    for how in _given(cell):
        if how.name in effort.weights:
            given.evaluate(how.name, how.net, how.views, effort, world)


def _given(cell: Cell) -> Iterator[Evaluated]:
    """List the tests of given weights that say something of a cell."""
    if isinstance(cell.how, Evaluated):
        yield cell.how
    for asked in asked_by(cell.how):
        how = _in_its_place(recipes.find(asked.recipe), asked)
        if how is not None:
            yield how


def _in_its_place(recipe: AnyExperiment, asked: Asked) -> Evaluated | None:
    """Say which test of given weights may stand, scaled, in the place of a recipe of ImageNet."""
    if not isinstance(recipe, Experiment) or not isinstance(recipe.data, FilesConfig):
        return None
    if not isinstance(recipe.net, ImagenetConfig) or asked.metric not in given.ERRORS:
        return None
    name = recipe.name.partition(".")[2]
    return Evaluated(
        name=name, net=recipe.net, origin="residua", views=asked.views, metric=asked.metric
    )


def _check_weights(cells: Iterable[Cell], effort: Effort) -> None:
    names = {how.name for cell in cells for how in _given(cell)}
    for name in effort.weights:
        if name not in names:
            there = f" (there are {', '.join(sorted(names))})" if names else ""
            hint = closest(name, names) or there
            raise ConfigError(f"no cell that was asked for takes weights called {name}{hint}")
