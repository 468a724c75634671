"""One engine: made, opened in a process of its own, and compared with the net."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from residua.deploy import artefact
from residua.deploy.accuracy import accuracy, answers
from residua.deploy.artefact import Artefact, Normalization
from residua.deploy.engine import Engine
from residua.deploy.engines.build import build
from residua.deploy.engines.candidate import Candidate, absent
from residua.deploy.engines.job import Job
from residua.deploy.footprint import Footprint, footprint
from residua.deploy.task import OptimizePlan, Task
from residua.errors import ResiduaError
from residua.report.optimize import Row


@dataclass(frozen=True, kw_only=True)
class Made:
    """An engine that works.

    Args:
        row: its figures but for the times; "passed" if it keeps the budget.
        facts: what its description says.
        folder: of its files.
        engine: opened from them.
    """

    row: Row
    facts: Artefact
    folder: Path
    engine: Engine


def attempt(
    candidate: Candidate, task: Task, job: Job, expected: Tensor, plan: OptimizePlan, folder: Path
) -> Made | Row:
    """Make an engine and see what it says; where that fails, say why.

    Args:
        candidate: the engine and its precision.
        task: the net, and what to hold it to.
        job: what engines are made of.
        expected: logits of the net, N, K.
        plan: how.
        folder: that its folder is made in.
    """
    why = absent(candidate, job.device)
    if why is not None:
        return Row(name=candidate.name, status="absent", why=why)
    try:
        return _made(candidate, task, job, expected, plan, folder / candidate.folder)
    except Exception as error:  # every engine has kinds of its own, and one of them must not
        return Row(name=candidate.name, status="failed", why=reason(error))  # end the others


def reason(error: Exception) -> str:
    """Say in one line what went wrong."""
    first = str(error).strip().partition("\n")[0]
    return first if isinstance(error, ResiduaError) else f"{type(error).__name__}: {first}"


def _made(
    candidate: Candidate, task: Task, job: Job, expected: Tensor, plan: OptimizePlan, folder: Path
) -> Made:
    folder.mkdir()
    build(candidate, job, folder)
    facts = _facts(candidate, task, job)
    artefact.write(facts, folder)
    threads, batch = torch.get_num_threads(), max(plan.batch_sizes)
    alone = Footprint(seconds=None, peak_bytes=0)
    if plan.alone:
        alone = footprint(folder, batch=batch, threads=threads)
    engine = artefact.engine(folder, threads=threads)
    found = accuracy(answers(engine, task.sample.pixels, batch=batch), expected, task.sample.labels)
    broken = found.excess(plan.budget)
    row = Row(
        name=candidate.name,
        status="inaccurate" if broken else "passed",
        why=broken or "",
        peak_bytes=alone.peak_bytes,
        seconds_to_open=alone.seconds,
        file_bytes=sum(path.stat().st_size for path in folder.iterdir()),
        **dataclasses.asdict(found),
    )
    return Made(row=row, facts=facts, folder=folder, engine=engine)


def _facts(candidate: Candidate, task: Task, job: Job) -> Artefact:
    preparation = task.normalize.preparation
    return Artefact(
        kind=candidate.kind,
        precision=candidate.precision,
        device=str(job.device),
        batch_sizes=job.batch_sizes,
        classes=task.classes,
        shape=task.shape,
        pixels="uint8" if job.pixels == torch.uint8 else "float32",
        fit=task.fit,
        normalization=Normalization(
            mean=task.normalize.channel_mean,
            std=task.normalize.channel_std,
            first="" if preparation is None else preparation.what,
        ),
        run=task.run,
        versions=artefact.versions(),
    )
