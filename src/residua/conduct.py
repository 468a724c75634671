"""The course of one training: validate every epoch, save now and then, test once at the end."""

import dataclasses
import math
import shlex
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from residua import events, files, outcome, report
from residua.errors import ResiduaError, RunError
from residua.experiment import Given
from residua.outcome import AnyResult, Course
from residua.session import Session
from residua.train import checkpoint
from residua.train.interrupt import asked_to_stop
from residua.train.loop import fit

# Between two checkpoints; longer where writing one would take more than this share of the time.
CHECKPOINT_SECONDS = 20.0
CHECKPOINT_SHARE = 0.05


class Conduct:
    """One training in progress: when to report, when to save, what to do when it stops.

    Args:
        session: what is trained.
        folder: of the run.
        log: its record.
    """

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

    def to_the_end(self, *, page: bool) -> AnyResult:
        """Train, test and record the result; a training that stops says how to resume it.

        Raises:
            RunError: it stopped early.
        """
        try:
            with asked_to_stop() as self.asked:
                fit(self.task, self.session.progress, self.after_update)
            result = self._finish()
        except RunError as error:
            raise self._stopped(error, page=page) from error
        except ResiduaError as error:
            self._record_stop(str(error), page=page)
            raise
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
        self.session.pace.after_update(iteration, terms)
        if iteration % self.session.updates_per_look == 0 or iteration == until:
            self._end_epoch(rate)
        if time.monotonic() > self.save_at:
            self._save()
        if self.session.world.agreed(asked=self.asked()):
            self._save()
            raise RunError(f"interrupted after iteration {iteration} of {until}")

    def _end_epoch(self, rate: float) -> None:
        session, now = self.session, time.monotonic()
        progress, experiment = session.progress, session.experiment
        shown = experiment.shown(progress.iteration)
        images = shown - experiment.shown(progress.iteration - progress.count)
        train = {f"train_{name}": value for name, value in progress.means().items()}
        with session.tested():
            found = session.work.validate()
        self.log.write(
            "epoch",
            iteration=progress.iteration,
            epoch=shown / session.work.count,
            lr=rate,
            **train,
            **(found or {}),
            images_per_second=images / max(now - self.epoch_began, 1e-9),
        )
        if found is not None:
            self._keep_best(found)
        session.pace.after_epoch(progress.iteration, {**train, **(found or {})})
        self.epoch_began = time.monotonic()

    def _keep_best(self, found: dict[str, float]) -> None:
        """Save the weights if no epoch before did better on the validation pictures."""
        rank = self.session.work.rank(found)
        if not self.session.best or rank < self.session.best:
            self.session.best = rank
            self._save_weights("best")

    def _save(self) -> None:
        session, began = self.session, time.monotonic()
        if not self.leads:
            return
        session.seconds = began - self.began
        checkpoint.save(self.folder / "checkpoints", session.progress.iteration, session.state())
        history = events.history(events.read(self.folder))
        files.write(self.folder / "results.csv", outcome.table(history))
        took = time.monotonic() - began
        self.save_at = began + max(CHECKPOINT_SECONDS, took / CHECKPOINT_SHARE)

    def _save_weights(self, which: str) -> None:
        if self.leads:
            with self.session.tested():
                self.session.work.save_weights(self.folder / "weights" / f"{which}.safetensors")

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

    def _finish(self) -> AnyResult:
        session = self.session
        self._save_weights("last")
        self._save()
        if self.leads:
            session.work.load_weights(self.folder, session.experiment.select)
        found = session.work.test()
        result = session.world.told(self._record(found) if self.leads else None)
        assert result is not None
        return result

    def _record(self, found: Any) -> AnyResult:
        session = self.session
        rows = events.history(events.read(self.folder))
        best = session.experiment.select == "best"
        course = Course(
            folder=self.folder,
            last=rows[-1],
            selected=min(rows, key=session.work.rank) if best else rows[-1],
            seed=session.experiment.seed,
            seconds=time.monotonic() - self.began,
        )
        result, facts = session.work.conclude(found, course)
        told = {k: v for k, v in dataclasses.asdict(result).items() if k != "folder"}
        self.log.write("result", **told, **facts, selected_iteration=course.selected["iteration"])
        return result
