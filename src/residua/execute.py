"""Carry out an experiment: train, look at the validation pictures every epoch, test once."""

import dataclasses
import math
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from torch import nn

from residua import events, files, outcome, report, runs, runtime
from residua import tensorboard as board
from residua.config import digest, to_yaml
from residua.data.loading import Splits
from residua.errors import CheckpointError, RunError
from residua.evaluate import Scores
from residua.experiment import Experiment, Given
from residua.outcome import Result
from residua.session import STATE, Session
from residua.train import checkpoint, parallel
from residua.train.interrupt import asked_to_stop
from residua.train.loop import fit
from residua.train.parallel import World

# Between two checkpoints; longer where writing one would take more than this share of the time.
CHECKPOINT_SECONDS = 20.0
CHECKPOINT_SHARE = 0.05


def run(
    experiment: Experiment,
    *,
    root: str | Path = "runs",
    name: str | None = None,
    device: str = "auto",
    listen: events.Listener | None = None,
    page: bool = True,
    tensorboard: bool = False,
) -> Result:
    """Train and test, in a new folder below `root`.

    Args:
        experiment: what to do.
        root: the folder of all runs.
        name: of this run; "seed0" and so on by default.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        listen: called with every event as it happens.
        page: write `report.html` at the end, also of a run that stopped early.
        tensorboard: write the epochs for TensorBoard too, in the folder of the run.

    Raises:
        ConfigError: the settings do not fit one another, or the device is not there.
        RunError: the run stopped early; the message says why and how to resume.
    """
    with _joined(device) as world:
        stopped = _lost_run(Path(root), experiment, world)
        if stopped is not None:
            return _resume(stopped, experiment, world, listen, page=page, tensorboard=tensorboard)
        session = Session(experiment, world)
        folder = world.told(_create(Path(root), experiment, name) if world.leads else Path())
        if tensorboard and world.leads:
            listen = board.beside(folder, listen)
        log = events.Log(folder, listen, silent=not world.leads)
        log.write("start", **session.description())
        with _alone(folder, world):
            return _Conduct(session, folder, log).to_the_end(page=page)


def resume(
    folder: str | Path,
    *,
    net: nn.Module | Callable[[], nn.Module] | None = None,
    data: Splits | None = None,
    device: str = "auto",
    listen: events.Listener | None = None,
    page: bool = True,
    tensorboard: bool = False,
) -> Result:
    """Go on with a run that stopped, as if it had not; on the processor bit for bit.

    Args:
        folder: of the run.
        net: the module or function, if the experiment was given one in Python.
        data: the pictures, if the experiment was given them in Python.
        device: where to go on.
        listen: called with every event as it happens.
        page: write `report.html` at the end, also if the run stops again.
        tensorboard: write the epochs for TensorBoard too, in the folder of the run.

    Raises:
        CheckpointError: the folder is not a run, has no checkpoint, or has come to its end.
        RunError: the run stopped again.
    """
    folder = Path(folder)
    experiment = runs.read_experiment(folder)
    experiment = dataclasses.replace(
        experiment,
        net=experiment.net if net is None else net,
        data=experiment.data if data is None else data,
    )
    with _joined(device) as world:
        return _resume(folder, experiment, world, listen, page=page, tensorboard=tensorboard)


def _resume(
    folder: Path,
    experiment: Experiment,
    world: World,
    listen: events.Listener | None,
    *,
    page: bool,
    tensorboard: bool,
) -> Result:
    with _alone(folder, world):
        state = world.told(_state(folder) if world.leads else {})
        session = Session(experiment, world)
        session.restore(state)
        done, until = session.progress.iteration, experiment.schedule.until
        if tensorboard and world.leads:
            listen = board.beside(folder, listen, iteration=done)
        log = events.Log(folder, listen, silent=not world.leads)
        log.write("resume", iteration=done, until=until, **session.where())
        return _Conduct(session, folder, log).to_the_end(page=page)


def _state(folder: Path) -> checkpoint.State:
    """Read what a stopped run goes on from."""
    if events.result(events.read(folder)) is not None:
        raise CheckpointError(f"{folder} has come to its end: there is nothing to resume")
    files.sweep(folder)
    return checkpoint.latest(folder / "checkpoints", keys=STATE)


def _create(root: Path, experiment: Experiment, name: str | None) -> Path:
    """Make the folder of a run, with its settings."""
    folder = runs.create(root, experiment.name, name or f"seed{experiment.seed}")
    files.write(folder / runs.CONFIG, to_yaml(experiment.recordable()))
    return folder


@contextmanager
def _joined(device: str) -> Iterator[World]:
    """Prepare the process, and join the others of this training."""
    runtime.hold_freed_memory()
    with parallel.joined(parallel.own_device(runtime.pick_device(device))) as world:
        yield world


def _lost_run(root: Path, experiment: Experiment, world: World) -> Path | None:
    """Find the run to go on with, if torchrun has started this process again after a loss."""
    launch, found = parallel.launch(), None
    if world.leads and launch is not None:
        found = runs.launched(root / experiment.name, launch, digest(experiment.recordable()))
    return world.told(found)


def _alone(folder: Path, world: World) -> AbstractContextManager[object]:
    return files.alone(folder / events.FILE) if world.leads else nullcontext()


class _Conduct:
    """One training in progress: when to report, when to save, what to do when it stops."""

    def __init__(self, session: Session, folder: Path, log: events.Log) -> None:
        self.session = session
        self.folder = folder
        self.log = log
        self.leads = session.world.leads
        self.task = session.task()
        self.epoch_began = time.monotonic()
        self.save_at = -math.inf
        self.began = time.monotonic() - session.seconds
        self.asked: Callable[[], bool] = bool

    def to_the_end(self, *, page: bool) -> Result:
        """Train, test and record the result; a training that stops says how to resume it."""
        try:
            with asked_to_stop() as self.asked:
                fit(self.task, self.session.progress, self.after_update)
            result = self._finish()
        except RunError as error:
            raise self._stopped(error, page=page) from error
        except BaseException as error:
            self._record_stop(type(error).__name__, page=page)
            raise
        finally:
            self.session.close()
        if page and self.leads:
            report.write(self.folder)
        return result

    def after_update(self, terms: dict[str, float]) -> None:
        """Report the update; at the end of an epoch validate; save when it is time."""
        iteration, until = self.session.progress.iteration, self.session.experiment.schedule.until
        self.log.tell("update", iteration=iteration, **terms)
        rate = self.session.pace.rate(iteration - 1)
        self.session.pace.after_update(iteration, terms["error"])
        if iteration % self.session.updates_per_epoch == 0 or iteration == until:
            self._end_epoch(rate)
        if time.monotonic() > self.save_at:
            self._save()
        if self.asked():
            self._save()
            raise RunError(f"interrupted after iteration {iteration} of {until}")

    def _end_epoch(self, rate: float) -> None:
        session, now = self.session, time.monotonic()
        progress, experiment = session.progress, session.experiment
        images = progress.count * experiment.batch_size
        train = {f"train_{name}": value for name, value in progress.means().items()}
        validation = session.splits.validation
        found = None if validation is None else session.scores(validation)
        self.log.write(
            "epoch",
            iteration=progress.iteration,
            epoch=progress.iteration * experiment.batch_size / len(session.splits.train),
            lr=rate,
            **train,
            **({} if found is None else outcome.validated(found)),
            images_per_second=images / max(now - self.epoch_began, 1e-9),
        )
        errors = {"train_error": train["train_error"]}
        if found is not None:
            self._keep_best(found)
            errors["validation_error"] = found.top1_error
        session.pace.after_epoch(progress.iteration, errors)
        self.epoch_began = time.monotonic()

    def _keep_best(self, found: Scores) -> None:
        """Save the weights if fewer validation pictures are wrong, or as many at a smaller loss."""
        if (found.top1_error, found.loss) < self.session.best:
            self.session.best = (found.top1_error, found.loss)
            self._save_weights("best")

    def _save(self) -> None:
        session, began = self.session, time.monotonic()
        if not self.leads:
            return
        session.seconds = began - self.began
        checkpoint.save(self.folder / "checkpoints", session.progress.iteration, session.state())
        files.write(
            self.folder / "results.csv", outcome.table(events.history(events.read(self.folder)))
        )
        took = time.monotonic() - began
        self.save_at = began + max(CHECKPOINT_SECONDS, took / CHECKPOINT_SHARE)

    def _save_weights(self, which: str) -> None:
        if self.leads:
            self.session.save_weights(self.folder / "weights" / f"{which}.safetensors")

    def _stopped(self, error: RunError, *, page: bool) -> RunError:
        """Record why the run ended, and add to the error how to go on."""
        self._record_stop(str(error), page=page)
        saved = checkpoint.found(self.folder / "checkpoints")
        if not saved:
            return RunError(f"{error}. It had not come to its first checkpoint: start it again")
        given = isinstance(self.session.experiment.recordable().net, Given)
        command = (
            f"residua.resume({str(self.folder)!r}, net=...) in Python"
            if given
            else f"residua train --resume {shlex.quote(str(self.folder))}"
        )
        return RunError(f"{error}. Go on from iteration {int(saved[-1].stem)} with: {command}")

    def _record_stop(self, reason: str, *, page: bool) -> None:
        with suppress(RunError):
            self.log.write("stop", reason=reason)
            if page and self.leads:
                report.write(self.folder)

    def _finish(self) -> Result:
        session = self.session
        self._save_weights("last")
        self._save()
        if self.leads:
            runs.load_weights(self.folder, session.experiment.select, session.net)
        found = session.scores(session.splits.test)
        result = session.world.told(self._record(found) if self.leads else None)
        assert result is not None
        return result

    def _record(self, found: Scores) -> Result:
        session = self.session
        rows = events.history(events.read(self.folder))
        selected = outcome.selected(rows, session.experiment.select)
        result = Result(
            folder=self.folder,
            test_error=found.top1_error,
            test_count=len(found.labels),
            train_error=rows[-1]["train_error"],
            validation_error=selected.get("validation_error"),
            seed=session.experiment.seed,
            seconds=time.monotonic() - self.began,
        )
        self.log.write(
            "result",
            **{**dataclasses.asdict(result), "folder": str(self.folder)},
            **outcome.tested(found),
            selected_iteration=selected["iteration"],
            confusion=found.confusion().tolist(),
            mistakes=outcome.mistakes(found, session.splits.test, session.evidence),
        )
        return result
