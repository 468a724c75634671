"""Carry out an experiment: train, look at the validation pictures every epoch, test once."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import overload

from torch import nn

from residua import events, files, outcome, pretraining, runs, runtime
from residua.conduct import Conduct
from residua.config import digest, to_yaml
from residua.data.loading import Splits
from residua.data.objects import AnnotatedSplits
from residua.detection_experiment import AnyExperiment, DetectionExperiment
from residua.errors import CheckpointError
from residua.experiment import Experiment
from residua.outcome import AnyResult, DetectionResult, Result
from residua.session import STATE, Session
from residua.train import checkpoint, parallel
from residua.train.parallel import World


@dataclasses.dataclass(frozen=True)
class _Manner:
    """What of a call changes no number of its result; `run` says what each is."""

    memory: int | None
    listen: events.Listener | None
    page: bool


@overload
def run(
    experiment: Experiment,
    *,
    root: str | Path = ...,
    name: str | None = ...,
    device: str = ...,
    memory: int | None = ...,
    listen: events.Listener | None = ...,
    page: bool = ...,
) -> Result: ...


@overload
def run(
    experiment: DetectionExperiment,
    *,
    root: str | Path = ...,
    name: str | None = ...,
    device: str = ...,
    memory: int | None = ...,
    listen: events.Listener | None = ...,
    page: bool = ...,
) -> DetectionResult: ...


def run(
    experiment: AnyExperiment,
    *,
    root: str | Path = "runs",
    name: str | None = None,
    device: str = "auto",
    memory: int | None = None,
    listen: events.Listener | None = None,
    page: bool = True,
) -> AnyResult:
    """Train and test, in a new folder below `root`.

    Args:
        experiment: what to do.
        root: the folder of all runs.
        name: of this run; "seed0" and so on by default.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        memory: bytes that a training step may take; if it is predicted to take more, activations
            are recomputed, which changes no number.
        listen: called with every event as it happens.
        page: write `report.html` at the end, also of a run that stopped early.

    Raises:
        ConfigError: the settings do not fit one another, or the device is not there.
        RunError: the run stopped early; the message says why and how to resume.
    """
    manner = _Manner(memory, listen, page)
    with _joined(device) as world:
        begun = _begun_run(Path(root), experiment, world)
        if begun is not None:
            done = world.told(outcome.recorded(begun) if world.leads else None)
            return done or _resume(begun, experiment, world, manner)
        trunk = _trunk(experiment, Path(root), world, manner)
        session = Session(experiment, world, memory=memory, trunk=trunk)
        folder = world.told(_create(Path(root), experiment, name) if world.leads else Path())
        log = _log(folder, world, manner)
        log.write("start", **session.description())
        with _alone(folder, world):
            return Conduct(session, folder, log).to_the_end(page=page)


def resume(
    folder: str | Path,
    *,
    net: nn.Module | Callable[[], nn.Module] | None = None,
    data: Splits | AnnotatedSplits | None = None,
    device: str = "auto",
    memory: int | None = None,
    listen: events.Listener | None = None,
    page: bool = True,
) -> AnyResult:
    """Go on with a run that stopped, as if it had not; on the processor bit for bit.

    Args:
        folder: of the run.
        net: the module or function, if the experiment was given one in Python.
        data: the pictures, if the experiment was given them in Python.
        device: where to go on.
        memory: bytes that a training step may take, as in `run`.
        listen: called with every event as it happens.
        page: write `report.html` at the end, also if the run stops again.

    Raises:
        CheckpointError: the folder is not a run, has no checkpoint, or has come to its end.
        RunError: the run stopped again.
    """
    folder = Path(folder)
    experiment = runs.read_experiment(folder)
    experiment = _with_objects(experiment, net, data)
    with _joined(device) as world:
        return _resume(folder, experiment, world, _Manner(memory, listen, page))


def _with_objects(
    experiment: AnyExperiment,
    net: nn.Module | Callable[[], nn.Module] | None,
    data: Splits | AnnotatedSplits | None,
) -> AnyExperiment:
    """Put the objects that were handed over in Python into an experiment."""
    if isinstance(experiment, Experiment):
        own = data if isinstance(data, Splits) else experiment.data
        return dataclasses.replace(experiment, net=experiment.net if net is None else net, data=own)
    found = data if isinstance(data, AnnotatedSplits) else experiment.data
    return dataclasses.replace(experiment, data=found)


def _resume(folder: Path, experiment: AnyExperiment, world: World, manner: _Manner) -> AnyResult:
    with _alone(folder, world):
        state = world.told(_state(folder) if world.leads else {})
        session = Session(experiment, world, memory=manner.memory, fresh=False)
        session.restore(state)
        done, until = session.progress.iteration, experiment.schedule.until
        log = _log(folder, world, manner, iteration=done)
        log.write("resume", iteration=done, until=until, **session.where())
        return Conduct(session, folder, log).to_the_end(page=manner.page)


def _trunk(experiment: AnyExperiment, root: Path, world: World, manner: _Manner) -> Path | None:
    """Train the trunk of a detector first, if that is wanted."""
    first = pretraining.first_of(experiment)
    if first is None:
        return None
    assert isinstance(experiment, DetectionExperiment)

    folder = world.told(pretraining.trained(first, root) if world.leads else None)
    if folder is None:
        listen, device = manner.listen, str(world.device)
        folder = run(first, root=root, device=device, listen=listen, page=manner.page).folder
    return world.told(
        pretraining.averaged(folder, first, world.device, experiment.trunk_statistics)
        if world.leads
        else Path()
    )


def _state(folder: Path) -> checkpoint.State:
    """Read what a stopped run goes on from."""
    if events.result(events.read(folder)) is not None:
        raise CheckpointError(f"{folder} has come to its end: there is nothing to resume")
    files.sweep(folder)
    return checkpoint.latest(folder / "checkpoints", keys=STATE)


def _create(root: Path, experiment: AnyExperiment, name: str | None) -> Path:
    """Make the folder of a run, with its settings."""
    folder = runs.create(root, experiment.name, name or f"seed{experiment.seed}")
    files.write(folder / runs.CONFIG, to_yaml(experiment.recordable()))
    return folder


def _log(folder: Path, world: World, manner: _Manner, *, iteration: int = 0) -> events.Log:
    """Open the record of a run; only the leading process writes and is listened to."""
    log = events.Log(folder, manner.listen, silent=not world.leads)
    log.tell("opened", folder=folder, iteration=iteration)
    return log


@contextmanager
def _joined(device: str) -> Iterator[World]:
    """Prepare the process, and join the others of this training."""
    runtime.return_freed_memory()
    with parallel.joined(parallel.own_device(runtime.pick_device(device))) as world:
        yield world


def _begun_run(root: Path, experiment: AnyExperiment, world: World) -> Path | None:
    """Find the run that this start by torchrun has begun already, before a process was lost."""
    launch, found = parallel.launch(), None
    if world.leads and launch is not None:
        found = runs.launched(
            root / experiment.name,
            launch,
            digest(experiment.recordable()),
            finished=parallel.restarted(),
        )
    return world.told(found)


def _alone(folder: Path, world: World) -> AbstractContextManager[object]:
    return files.alone(folder / events.FILE) if world.leads else nullcontext()
