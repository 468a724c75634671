"""Carry out an experiment: train, look at the validation pictures every epoch, test once."""

import dataclasses
import math
import shlex
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from torch import nn

from residua import events, files, outcome, report, runs, runtime
from residua.config import to_yaml
from residua.data.loading import Splits
from residua.errors import CheckpointError, RunError
from residua.evaluate import Scores
from residua.experiment import Experiment, Given
from residua.outcome import Result
from residua.session import STATE, Session
from residua.train import checkpoint
from residua.train.interrupt import asked_to_stop
from residua.train.loop import fit

CHECKPOINT_SECONDS = 20.0


def run(
    experiment: Experiment,
    *,
    root: str | Path = "runs",
    name: str | None = None,
    device: str = "auto",
    memory: int | None = None,
    listen: events.Listener | None = None,
    page: bool = True,
) -> Result:
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
    runtime.hold_freed_memory()
    session = Session(experiment, runtime.pick_device(device), memory=memory)
    folder = runs.create(Path(root), experiment.name, name or f"seed{experiment.seed}")
    files.write(folder / runs.CONFIG, to_yaml(experiment.recordable()))
    log = events.Log(folder, listen)
    log.write("start", **session.description())
    with files.alone(log.path):
        return _Conduct(session, folder, log).to_the_end(page=page)


def resume(
    folder: str | Path,
    *,
    net: nn.Module | None = None,
    data: Splits | None = None,
    device: str = "auto",
    memory: int | None = None,
    listen: events.Listener | None = None,
    page: bool = True,
) -> Result:
    """Go on with a run that stopped, as if it had not; on the processor bit for bit.

    Args:
        folder: of the run.
        net: the module, if the experiment was given one in Python.
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
    experiment = dataclasses.replace(
        experiment,
        net=experiment.net if net is None else net,
        data=experiment.data if data is None else data,
    )
    with files.alone(folder / events.FILE):
        if events.result(events.read(folder)) is not None:
            raise CheckpointError(f"{folder} has come to its end: there is nothing to resume")
        runtime.hold_freed_memory()
        state = checkpoint.latest(folder / "checkpoints", keys=STATE)
        session = Session(experiment, runtime.pick_device(device), memory=memory)
        session.restore(state)
        log = events.Log(folder, listen)
        done, until = session.progress.iteration, experiment.schedule.until
        log.write("resume", iteration=done, until=until, **session.where())
        return _Conduct(session, folder, log).to_the_end(page=page)


class _Conduct:
    """One training in progress: when to report, when to save, what to do when it stops."""

    def __init__(self, session: Session, folder: Path, log: events.Log) -> None:
        self.session = session
        self.folder = folder
        self.log = log
        self.task = session.task()
        self.epoch_began = time.monotonic()
        self.saved = -math.inf
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
        if page:
            report.write(self.folder)
        return result

    def after_update(self, terms: dict[str, float]) -> None:
        """Report the update; at the end of an epoch validate; save when it is time."""
        iteration, until = self.session.progress.iteration, self.session.experiment.schedule.until
        self.log.tell("update", iteration=iteration, **terms)
        if iteration % self.session.updates_per_epoch == 0 or iteration == until:
            self._end_epoch()
        if self.asked():
            self._save()
            raise RunError(f"interrupted after iteration {iteration} of {until}")

    def _end_epoch(self) -> None:
        session, now = self.session, time.monotonic()
        progress, experiment = session.progress, session.experiment
        images = progress.count * experiment.batch_size
        rate = experiment.schedule.rate(progress.iteration - 1)
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
        if found is not None:
            self._keep_best(found)
        if time.monotonic() - self.saved > CHECKPOINT_SECONDS:
            self._save()
        self.epoch_began = time.monotonic()

    def _keep_best(self, found: Scores) -> None:
        """Save the weights if fewer validation pictures are wrong, or as many at a smaller loss."""
        if (found.top1_error, found.loss) < self.session.best:
            self.session.best = (found.top1_error, found.loss)
            self._save_weights("best")

    def _save(self) -> None:
        session = self.session
        session.seconds = time.monotonic() - self.began
        checkpoint.save(self.folder / "checkpoints", session.progress.iteration, session.state())
        files.write(
            self.folder / "results.csv", outcome.table(events.history(events.read(self.folder)))
        )
        self.saved = time.monotonic()

    def _save_weights(self, which: str) -> None:
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
            if page:
                report.write(self.folder)

    def _finish(self) -> Result:
        session = self.session
        self._save_weights("last")
        self._save()
        runs.load_weights(self.folder, session.experiment.select, session.net)
        found = session.scores(session.splits.test)
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
            test_loss=found.loss,
            protocol="top-1, one view of each picture",
            selected_iteration=selected["iteration"],
            confusion=found.confusion().tolist(),
            mistakes=outcome.mistakes(found, session.splits.test),
        )
        return result
