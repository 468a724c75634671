"""An experiment brought to life on one device: data, network, optimizer, and their whole state."""

import copy
import dataclasses
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from residua import runtime
from residua.agreement import check_fit, check_splits
from residua.config import digest
from residua.data.loading import Batch, Pictures, Served, Serving, Splits
from residua.data.normalize import Normalize
from residua.errors import CheckpointError, ConfigError
from residua.evaluate import Scores, scores
from residua.evaluate.evidence import evidence
from residua.experiment import Experiment
from residua.nets import weights
from residua.nets.describe import layers
from residua.nets.preprocessing import Preprocessing
from residua.starting import start
from residua.train import parallel
from residua.train.loop import Progress, Task, Terms, update
from residua.train.memory import choose
from residua.train.pace import Pace
from residua.train.parallel import World
from residua.train.profile import Profile, profile

STATE = frozenset(
    {
        *("digest", "fingerprints", "net", "optimizer", "scaler", "pace"),
        *("progress", "best", "seconds", "average", "normalize"),
    }
)


class Session:
    """One experiment on one device, between its loading and its result.

    Args:
        experiment: what to do.
        world: the processes that share its batches, and the device of this one.
        memory: bytes that a training step may take; activations are recomputed to fit.
        fresh: whether the training begins; one that goes on has the weights of its checkpoint.
    """

    def __init__(
        self,
        experiment: Experiment,
        world: World,
        *,
        memory: int | None = None,
        fresh: bool = True,
    ) -> None:
        experiment.check()
        if memory is not None and (experiment.compile or world.size > 1):
            raise ConfigError(
                "memory is for training without compile and by one process: leave out one of them"
            )
        self.share = world.share(experiment.batch_size)
        if experiment.batch_size % (experiment.accumulate * world.size):
            raise ConfigError(
                f"a batch of {experiment.batch_size} for {world.size} processes cannot be cut into "
                f"{experiment.accumulate} equal parts in each: change batch_size or accumulate"
            )
        self.experiment = experiment
        self.world = world
        device = self.device = world.device
        runtime.set_determinism(experiment.deterministic)
        self.dtype = runtime.pick_dtype(experiment.precision, device)
        splits = experiment.load_data()
        check_splits(splits, experiment.select)
        self.fingerprints = [part.fingerprint() for part in _parts(splits)]
        self.splits = _moved(splits, device)
        self.normalize = experiment.normalize.fit(splits.train).to(device)
        self.net = self._build_net(fresh=fresh)
        self.layers = layers(self.net, splits.train.shape)
        self.net = self.net.to(device).to(memory_format=torch.channels_last)
        self.optimizer = experiment.optimizer.build(self.net)
        # What the optimizer has frozen keeps its own statistics.
        self.net = self._synchronized(self.net)
        self.batches: Served | None = None
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.dtype is torch.float16)
        self.pace = Pace(experiment.schedule)
        self.progress = Progress()
        self.best: tuple[float, float] = (float("inf"), float("inf"))
        self.seconds = 0.0
        self.average = experiment.average.build(self.net)
        self.memory = memory
        self.plan = None if memory is None else choose(self.profile(), self.part_size, memory)

    @property
    def updates_per_epoch(self) -> int:
        """Updates between two looks at the validation pictures: one epoch, to the nearest."""
        return max(1, round(len(self.splits.train) / self.experiment.batch_size))

    @property
    def part_size(self) -> int:
        """Pictures that pass through the network at a time."""
        return self.experiment.batch_size // self.experiment.accumulate // self.world.size

    def task(self) -> Task:
        """What the training loop needs."""
        experiment = self.experiment
        self.close()
        self.batches = self.splits.train.batches(
            Serving(
                batch_size=experiment.batch_size,
                seed=experiment.seed,
                augment=experiment.augment.apply,
                normalize=self.normalize.finish,
                prepare=self.normalize.prepare,
                balance=experiment.balance,
                share=self.share,
            )
        )
        return Task(
            net=self._net_to_train(),
            batches=self.batches,
            loss=self._loss,
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
            return profile(
                self.net,
                self.splits.train.shape,
                batch=self.part_size,
                device=self.device,
                dtype=self.dtype,
                make_optimizer=self.experiment.optimizer.build,
                most=self.memory,
            )
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

    def scores(self, images: Pictures) -> Scores:
        """Score pictures with the net as it is now; each process takes its part of them."""
        if self.world.size == 1:
            return scores(self.net, images, self.normalize, dtype=self.dtype)
        self.world.align(self.net)
        mine = images.select(self.world.mine(len(images)))
        part = scores(self.net, mine, self.normalize, dtype=self.dtype)
        logits = self.world.gathered(part.logits, len(images))
        return dataclasses.replace(part, logits=logits, labels=images.labels.cpu())

    def evidence(self, images: Tensor, for_N: Tensor, against_N: Tensor) -> Tensor | None:
        """Say where pictures speak for one class rather than another to the net as it is now."""
        return evidence(self.net, self.normalize(images.to(self.device)), for_N, against_N)

    def description(self) -> dict[str, Any]:
        """What the record begins with."""
        experiment, train = self.experiment, self.splits.train
        validation = self.splits.validation
        return {
            "recipe": experiment.name,
            "seed": experiment.seed,
            "digest": digest(experiment.recordable()),
            "sizes": [len(part) for part in (train, validation or (), self.splits.test)],
            "fingerprints": self.fingerprints,
            "classes": list(train.classes),
            "shape": list(train.shape),
            "mean": list(self.normalize.channel_mean),
            "std": list(self.normalize.channel_std),
            "batch_size": experiment.batch_size,
            "until": experiment.schedule.until,
            "every": self.updates_per_epoch,
            "plan": [dataclasses.asdict(phase) for phase in experiment.schedule.phases()],
            "layers": [dataclasses.asdict(layer) for layer in self.layers],
            **self.where(),
        }

    def save_weights(self, path: Path) -> None:
        """Write the weights with what is needed to use them without the run."""
        train = self.splits.train
        mean, std = self.normalize.numbers()
        preparation = self.normalize.preparation
        weights.save(
            self.net,
            path,
            config=self.experiment.recordable().net,
            preprocessing=Preprocessing(
                mean=mean,
                std=std,
                source="the training images",
                first="" if preparation is None else preparation.what,
            ),
            card={
                "classes": train.classes,
                "shape": train.shape,
                **({} if preparation is None else {"preparation": preparation.facts()}),
            },
            beside=None if preparation is None else preparation.arrays(),
        )

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
            "fingerprints": self.fingerprints,
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "pace": self.pace.state(),
            "progress": dataclasses.asdict(self.progress),
            "best": list(self.best),
            "seconds": self.seconds,
            "scaler": self.scaler.state_dict(),
            "average": {} if self.average is None else self.average.state(),
            "normalize": self.normalize.numbers(),
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
        if state["fingerprints"] != self.fingerprints:
            raise CheckpointError("the pictures are not those that the run began with")
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.pace.restore(state["pace"])
        self.progress = Progress(**state["progress"])
        self.best = tuple(state["best"])
        self.seconds = state["seconds"]
        if self.average is not None:
            self.average.restore(state["average"])
        known = Normalize.of(*state["normalize"]).to(self.device)
        self.normalize = dataclasses.replace(self.normalize, mean=known.mean, std=known.std)
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(state["scaler"])

    def _build_net(self, *, fresh: bool) -> nn.Module:
        """Build the network on the processor, with the weights that the training begins with."""
        torch.manual_seed(runtime.derive(self.experiment.seed, "weights"))
        net = self.experiment.build_net()
        check_fit(net, self.splits.train)
        weights = self.experiment.weights
        if weights is not None and fresh:
            self.normalize = self._start_from(weights, net).to(self.device)
        return net

    def _start_from(self, weights: str, net: nn.Module) -> Normalize:
        """Take over weights, and the range of the pictures they were trained on if it is told."""
        known = start(net, weights, self.experiment.net, self.splits.train.classes)
        if known is None or len(known.mean) != self.splits.train.shape[0]:
            return self.normalize
        if self.normalize.preparation is not None:
            return self.normalize
        return Normalize.of(known.mean, known.std)

    def _loss(self, net: nn.Module, batch: Batch) -> Terms:
        """Compute the terms of a batch; what is drawn at random is seeded for the update."""
        return self.experiment.loss.terms(net, *batch, torch.default_generator)

    def _take_average(self) -> None:
        assert self.average is not None
        self.average.update(self.net)

    def _net_to_train(self) -> nn.Module:
        if self.plan is not None:
            return self.plan.recompute(self.net)
        net = self.world.wrap(self.net)
        if self.experiment.compile:
            compiled = torch.compile(net)
            assert isinstance(compiled, nn.Module)
            return compiled
        return net

    def _synchronized(self, net: nn.Module) -> nn.Module:
        """Let batch norm see the batch of all processes, if that is wanted."""
        if not self.experiment.sync_norm or self.world.size == 1:
            return net
        if self.device.type != "cuda":
            raise ConfigError(
                f"sync_norm needs GPUs: PyTorch's SyncBatchNorm does not run on {self.device.type}"
            )
        return nn.SyncBatchNorm.convert_sync_batchnorm(net)

    def _seed(self, iteration: int) -> None:
        """Begin the random numbers of dropout and the like anew; each process has its own."""
        seed, rank = self.experiment.seed, self.world.rank
        torch.manual_seed(runtime.derive(seed, "forward", iteration, rank))

    def _autocast(self) -> AbstractContextManager[object]:
        enabled = self.dtype is not torch.float32
        return torch.autocast(self.device.type, self.dtype, enabled=enabled)


def _parts(splits: Splits) -> list[Pictures]:
    parts = (splits.train, splits.validation, splits.test)
    return [part for part in parts if part is not None]


def _moved(splits: Splits, device: torch.device) -> Splits:
    """Move all parts to a device."""
    validation = splits.validation
    return Splits(
        train=splits.train.to(device),
        validation=None if validation is None else validation.to(device),
        test=splits.test.to(device),
    )
