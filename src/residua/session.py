"""An experiment brought to life on one device: work, schedule and progress, and their state."""

import copy
import dataclasses
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import nn

from residua import runtime
from residua.agreement import check_memory, check_parts
from residua.classification import Classification
from residua.config import digest
from residua.data.loading import Served
from residua.detection import Detection
from residua.detection_experiment import AnyExperiment, DetectionExperiment
from residua.errors import CheckpointError
from residua.nets import weights
from residua.train import parallel
from residua.train.loop import Progress, Task, update
from residua.train.memory import choose
from residua.train.pace import Pace
from residua.train.parallel import World
from residua.train.profile import Profile
from residua.work import Work

STATE = frozenset(
    {
        *("digest", "fingerprints", "net", "optimizer", "scaler", "pace"),
        *("progress", "best", "seconds", "average", "work"),
    }
)


class Session:
    """One experiment on one device, between its loading and its result.

    Args:
        experiment: what to do.
        world: the processes that share its batches, and the device of this one.
        memory: bytes that a training step may take; activations are recomputed to fit.
        fresh: whether the training begins; one that goes on has the weights of its checkpoint.
        trunk: weights of a detector's trunk that was trained first.
    """

    def __init__(
        self,
        experiment: AnyExperiment,
        world: World,
        *,
        memory: int | None = None,
        fresh: bool = True,
        trunk: Path | None = None,
    ) -> None:
        experiment.check()
        if memory is not None:
            check_memory(experiment, world.size)
        check_parts(experiment, world.size)
        self.experiment = experiment
        self.world = world
        device = self.device = world.device
        runtime.set_determinism(experiment.deterministic)
        self.dtype = runtime.pick_dtype(experiment.precision, device)
        self.work: Work = _work(experiment, world, self.dtype, fresh=fresh, trunk=trunk)
        self.net, self.optimizer = self.work.net, self.work.optimizer
        self.batches: Served[Any] | None = None
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.dtype is torch.float16)
        self.pace = Pace(experiment.rates)
        self.progress = Progress()
        self.best: tuple[float, ...] = ()
        self.seconds = 0.0
        self.average = experiment.average.build(self.net)
        self.memory = memory
        self.plan = None if memory is None else choose(self.profile(), self.part_size, memory)

    @property
    def updates_per_look(self) -> int:
        """Updates between two looks at the validation pictures, an epoch where nothing is said."""
        return max(1, round(self.work.look_every * self.work.count / self.experiment.batch_size))

    @property
    def part_size(self) -> int:
        """Pictures that pass through the network at a time."""
        return self.experiment.batch_size // self.experiment.accumulate // self.world.size

    def task(self) -> Task:
        """What the training loop needs."""
        experiment = self.experiment
        self.close()
        self.batches = self.work.batches(self.world.share(experiment.batch_size))
        return Task(
            net=self._net_to_train(),
            batches=self.batches,
            loss=self.work.loss,
            optimizer=self.optimizer,
            schedule=self.pace,
            autocast=self._autocast,
            parts=experiment.accumulate,
            clip=experiment.clip,
            scaler=self.scaler if self.scaler.is_enabled() else None,
            seed=self._seed,
            mean=self.world.mean,
            after_step=None if self.average is None else self._take_average,
        )

    def close(self) -> None:
        """End what prepares batches ahead."""
        if self.batches is not None:
            self.batches.close()

    def profile(self) -> Profile:
        """Measure what the units of the net keep and how long they take."""
        runtime.hold_freed_memory()
        try:
            return self.work.profile(self.part_size, self.memory)
        finally:
            runtime.return_freed_memory()

    def estimate_seconds(self) -> float:
        """Predict how long the training takes from a few updates, and undo them."""
        state = copy.deepcopy(self.state())
        task = self.task()
        task.net.train()
        update(task, 0)
        runtime.hold_freed_memory()
        began = time.monotonic()
        for iteration in range(3):
            update(task, iteration)
        seconds = (time.monotonic() - began) / 3
        self.close()
        runtime.return_freed_memory()
        self.restore(state)
        return seconds * self.experiment.schedule.until

    def tested(self) -> AbstractContextManager[object]:
        """Give the net the weights that are tested for a while: their average, if one is kept."""
        return nullcontext() if self.average is None else self.average.applied(self.net)

    def description(self) -> dict[str, Any]:
        """What the record begins with."""
        experiment = self.experiment
        return {
            "recipe": experiment.name,
            "seed": experiment.seed,
            "digest": digest(experiment.recordable()),
            "fingerprints": self.work.fingerprints,
            "batch_size": experiment.batch_size,
            "until": experiment.schedule.until,
            "every": self.updates_per_look,
            "plan": [dataclasses.asdict(phase) for phase in experiment.rates.phases()],
            **self.work.description(),
            **self.where(),
        }

    def where(self) -> dict[str, Any]:
        """The machine and the command."""
        facts: dict[str, Any] = {
            "environment": {
                **runtime.environment(self.device, self.dtype),
                "processes": self.world.size,
            },
            "launch": parallel.launch(),
            "command": runtime.command_line(),
        }
        if self.plan is not None:
            facts["memory"] = {"budget": self.memory, **self.plan.record()}
        return facts

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the training depends on."""
        return {
            "digest": digest(self.experiment.recordable()),
            "fingerprints": self.work.fingerprints,
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "pace": self.pace.state(),
            "progress": dataclasses.asdict(self.progress),
            "best": list(self.best),
            "seconds": self.seconds,
            "scaler": self.scaler.state_dict(),
            "average": {} if self.average is None else self.average.state(),
            "work": self.work.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state that `state` returned, of the same experiment."""
        differences = weights.compare(self.net.state_dict(), state["net"])
        if differences:
            raise CheckpointError(f"the checkpoint is of another net: {'; '.join(differences[:3])}")
        if state["digest"] != digest(self.experiment.recordable()):
            raise CheckpointError(
                "the checkpoint was made with other settings than the run's config.yaml now has: "
                "start a new run with them instead"
            )
        if state["fingerprints"] != self.work.fingerprints:
            raise CheckpointError("the pictures are not those that the run began with")
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.pace.restore(state["pace"])
        self.progress = Progress(**state["progress"])
        self.best = tuple(state["best"])
        self.seconds = state["seconds"]
        if self.average is not None:
            self.average.restore(state["average"])
        self.work.restore(state["work"])
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(state["scaler"])

    def _take_average(self) -> None:
        assert self.average is not None
        self.average.update(self.net)

    def _net_to_train(self) -> nn.Module:
        if self.plan is not None:
            return self.plan.recompute(self.net)
        net = self.world.wrap(self.work.learner, partial=self.work.partial)
        if self.work.compile:
            compiled = torch.compile(net)
            assert isinstance(compiled, nn.Module)
            return compiled
        return net

    def _seed(self, iteration: int) -> None:
        """Begin the random numbers of an update anew, for each process its own."""
        seed, rank = self.experiment.seed, self.world.rank
        torch.manual_seed(runtime.derive(seed, "forward", iteration, rank))
        self.work.before_update(iteration)

    def _autocast(self) -> AbstractContextManager[object]:
        enabled = self.dtype is not torch.float32
        return torch.autocast(self.device.type, self.dtype, enabled=enabled)


def _work(
    experiment: AnyExperiment,
    world: World,
    dtype: torch.dtype,
    *,
    fresh: bool,
    trunk: Path | None,
) -> Classification | Detection:
    if isinstance(experiment, DetectionExperiment):
        return Detection(experiment, world, dtype=dtype, fresh=fresh, trunk=trunk)
    return Classification(experiment, world, dtype=dtype, fresh=fresh)
