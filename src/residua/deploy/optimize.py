"""A net in its fastest form: every engine that is here is tried, and the fastest that passes kept.

Dimension key:
    N pictures   C channels   H, W height and width   K classes
"""

import copy
import dataclasses
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from residua import files, runtime
from residua.data.normalize import Normalize
from residua.deploy import artefact
from residua.deploy.accuracy import Sample, accuracy, answers
from residua.deploy.artefact import Artefact
from residua.deploy.attempt import Made, attempt
from residua.deploy.convert.bound import bind
from residua.deploy.engine import Engine
from residua.deploy.engines.job import Job
from residua.deploy.task import OptimizePlan, Task
from residua.deploy.timing import interleaved
from residua.errors import ConfigError, RunError, ShapeError
from residua.report.optimize import Row, speedup

AS_IT_IS = "PyTorch, as it is"
DEFAULT = OptimizePlan()

Listen = Callable[[Row], None]


@dataclass(frozen=True, kw_only=True)
class Optimized:
    """What came of it; called with pictures, it computes their logits.

    Args:
        engine: the fastest that passed.
        facts: which one that is, and what it takes.
        rows: the net as it is, then every engine in the order of the plan.
        folder: that holds the files; None if none was wanted.
    """

    engine: Engine
    facts: Artefact
    rows: tuple[Row, ...]
    folder: Path | None

    def __call__(self, pixels_NCHW: Tensor) -> Tensor:
        """Compute N, K logits of N, C, H, W pictures of the type it was made with."""
        return self.engine(pixels_NCHW)


def optimize(
    net: nn.Module,
    example: Tensor,
    *,
    normalize: Normalize | None = None,
    labels: Tensor | None = None,
    calibration: Tensor | None = None,
    plan: OptimizePlan = DEFAULT,
    folder: Path | None = None,
) -> Optimized:
    """Make every engine that is here of a net, and keep the fastest that says what the net says.

    Example:
        >>> fast = residua.optimize(net, images)
        >>> logits = fast(images)

    Args:
        net: a classifier from N, C, H, W to N, K; is not changed.
        example: N, C, H, W pictures that engines are compared with the net on: float32 as the net
            takes them, or with `normalize` in [0, 255], uint8 or float32. Some hundreds make the
            comparison worth something.
        normalize: from pixels to the net's input; is bound into what is made.
        labels: N, what the pictures show. Without them every disagreement with the net counts as
            an error.
        calibration: pictures that the ranges of int8 are taken from; by default the example.
        plan: the budget, the numbers of pictures that matter, the engines.
        folder: that gets the files; it must not exist, or be empty. By default none is kept.

    Raises:
        ShapeError: the example has no N, C, H, W, or the labels do not belong to it.
        ConfigError: the plan has no sense, the example has the wrong type, or no engine passes.
        RunError: the folder holds something, or cannot be written.
    """
    _check_example(example, labels, normalize)
    channels = example.shape[1]
    identity = Normalize.of((0.0,) * channels, (1 / 255,) * channels)
    used = identity if normalize is None else normalize
    task = Task(
        net=net,
        normalize=used,
        sample=Sample(example.cpu(), labels, f"{len(example):,} pictures given"),
        calibration=example.cpu() if calibration is None else calibration.cpu(),
        classes=tuple(map(str, range(_outputs(net, used(example[:1].cpu()))))),
    )
    return optimized(task, plan, folder)


def optimized(
    task: Task, plan: OptimizePlan, folder: Path | None, *, listen: Listen | None = None
) -> Optimized:
    """Make, compare and time every engine, and keep the fastest that passes.

    Args:
        task: the net.
        plan: how.
        folder: that gets the files; must not exist, or be empty.
        listen: called with what became of each engine, before it is timed.

    Raises:
        ConfigError: the plan has no sense, or no engine passes.
        RunError: the folder holds something, or cannot be written.
    """
    plan.check()
    device = runtime.pick_device(plan.device)
    _check_folder(folder)
    sample, batch = task.sample, max(plan.batch_sizes)
    reference = as_it_is(task.net, task.normalize, device)
    expected = answers(reference, sample.pixels, batch=batch)
    own = dataclasses.asdict(accuracy(expected, expected, sample.labels))
    first = Row(name=AS_IT_IS, status="reference", **own)
    job = Job(
        bound=bind(task.net, task.normalize, task.shape),
        pixels=sample.pixels.dtype,
        batch_sizes=plan.batch_sizes,
        device=device,
        calibration=task.calibration,
    )
    with tempfile.TemporaryDirectory(prefix=".optimizing-", dir=_place(folder)) as work:
        found: list[Made | Row] = []
        for candidate in plan.engines:
            found.append(attempt(candidate, task, job, expected, plan, Path(work)))
            if listen is not None:
                listen(_row(found[-1]))
        picked, rows = _timed(first, reference, found, task, plan)
        facts = dataclasses.replace(picked.facts, measured=rows)
        if folder is not None:
            _keep(picked.folder, facts, folder)
    return Optimized(engine=picked.engine, facts=facts, rows=rows, folder=folder)


def _timed(
    first: Row, reference: Engine, found: Sequence[Made | Row], task: Task, plan: OptimizePlan
) -> tuple[Made, tuple[Row, ...]]:
    """Time the net and all engines that work; return the fastest that passes, and all rows."""
    made = [each for each in found if isinstance(each, Made)]
    if not any(each.row.status == "passed" for each in made):
        told = "; ".join(f"{_row(each).name}: {_row(each).why}" for each in found)
        raise ConfigError(f"no engine that was tried passes ({told})")
    times = _times([reference, *(each.engine for each in made)], task, plan)
    first = _with_times(first, times[0])
    rows = {
        each.row.name: _with_times(each.row, taken)
        for each, taken in zip(made, times[1:], strict=True)
    }
    passed = [each for each in made if each.row.status == "passed"]
    picked = max(passed, key=lambda each: speedup(rows[each.row.name], first))
    rows[picked.row.name] = dataclasses.replace(rows[picked.row.name], status="picked")
    return picked, (first, *(rows.get(_row(each).name, _row(each)) for each in found))


def _keep(made: Path, facts: Artefact, folder: Path) -> None:
    """Move an engine's folder to its place."""
    artefact.write(facts, made)
    with files.explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in made.iterdir():
            shutil.move(path, folder / path.name)


def as_it_is(net: nn.Module, normalize: Normalize, device: torch.device) -> Engine:
    """Return what most people run: the net in float32, in PyTorch's default order in memory."""
    own = copy.deepcopy(net).to(device).eval()
    here = normalize.to(device)

    @torch.inference_mode()
    def compute(pixels_NCHW: Tensor) -> Tensor:
        return own(here(pixels_NCHW.to(device)).contiguous()).float().cpu()

    return compute


def _times(engines: Sequence[Engine], task: Task, plan: OptimizePlan) -> list[list[list[float]]]:
    """Time engines: of each, of each number of pictures, the seconds of every round."""
    taken = []
    for size in plan.batch_sizes:
        repeats = -(-size // len(task.sample.pixels))
        pixels = task.sample.pixels.repeat(repeats, 1, 1, 1)[:size].contiguous()
        calls = [partial(engine, pixels) for engine in engines]
        taken.append(interleaved(calls, rounds=plan.rounds))
    return [list(each) for each in zip(*taken, strict=True)]


def _with_times(row: Row, taken: Sequence[Sequence[float]]) -> Row:
    """Add medians and quartiles to a row, in milliseconds of a batch."""
    quartiles = [
        statistics.quantiles(each, n=4, method="inclusive") if len(each) > 1 else [each[0]] * 3
        for each in taken
    ]
    return dataclasses.replace(
        row,
        milliseconds=tuple(1000 * middle for _, middle, _ in quartiles),
        quartiles=tuple((1000 * low, 1000 * high) for low, _, high in quartiles),
    )


def _outputs(net: nn.Module, inputs: Tensor) -> int:
    """Count the classes of a net; refuse what is no classifier."""
    with torch.no_grad():
        found = copy.deepcopy(net).cpu().eval()(inputs)
    if not isinstance(found, Tensor) or found.ndim != 2:
        what = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ConfigError(f"the net must give logits N, K for its pictures, got {what}")
    return found.shape[1]


def _row(found: Made | Row) -> Row:
    return found.row if isinstance(found, Made) else found


def _place(folder: Path | None) -> Path | None:
    """Make the folder that work is done in: on the disk of the result, so that files are moved."""
    if folder is None:
        return None
    with files.explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    return folder.parent


def _check_folder(folder: Path | None) -> None:
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder} holds something already: name another folder, or empty it")


def _check_example(example: Tensor, labels: Tensor | None, normalize: Normalize | None) -> None:
    if example.ndim != 4 or not len(example):
        raise ShapeError(f"the example must be N, C, H, W pictures, got {tuple(example.shape)}")
    if labels is not None and labels.shape != example.shape[:1]:
        raise ShapeError(f"{len(example)} pictures need as many labels, got {tuple(labels.shape)}")
    allowed = (torch.float32,) if normalize is None else (torch.float32, torch.uint8)
    if example.dtype not in allowed:
        raise ConfigError(
            f"the example must be float32 as the net takes it, or with normalize=... pixels in "
            f"[0, 255] of uint8 or float32, got {example.dtype}"
        )
