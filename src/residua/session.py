"""An experiment brought to life on one device: data, network, optimizer, and their whole state."""

import copy
import dataclasses
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from residua import runtime
from residua.config import digest
from residua.data.loading import Batch, Pictures, Served, Serving, Splits
from residua.errors import CheckpointError, ConfigError, DataError, ResiduaError
from residua.evaluate import Scores, scores
from residua.evaluate.evidence import evidence
from residua.experiment import Experiment
from residua.nets import weights
from residua.nets.describe import layers
from residua.nets.preprocessing import Preprocessing
from residua.train import parallel
from residua.train.loop import Progress, Task, update
from residua.train.pace import Pace
from residua.train.parallel import World

STATE = frozenset(
    {
        *("digest", "fingerprints", "net", "optimizer", "scaler", "pace"),
        *("progress", "best", "seconds"),
    }
)


def loss(net: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Cross-entropy in nats, and top-1 error in percent, of one batch."""
    logits = net(batch.images).float()
    wrong = (logits.argmax(dim=1) != batch.labels).float()
    return {"loss": F.cross_entropy(logits, batch.labels), "error": 100 * wrong.mean()}


class Session:
    """One experiment on one device, between its loading and its result.

    Args:
        experiment: what to do.
        world: the processes that share its batches, and the device of this one.
    """

    def __init__(self, experiment: Experiment, world: World) -> None:
        experiment.check()
        self.share = world.share(experiment.batch_size)
        self.experiment = experiment
        self.world = world
        device = self.device = world.device
        runtime.set_determinism(experiment.deterministic)
        self.dtype = runtime.pick_dtype(experiment.precision, device)
        self.splits = experiment.load_data()
        _check_splits(self.splits)
        if experiment.select == "best" and self.splits.validation is None:
            raise ConfigError(
                'select is "best", but there are no validation images to choose with: hold some '
                'out, or take the "last" weights'
            )
        self.fingerprints = [part.fingerprint() for part in _parts(self.splits)]
        self.normalize = experiment.normalize.fit(self.splits.train.sample()).to(device)
        self.splits = _moved(self.splits, device)
        torch.manual_seed(runtime.derive(experiment.seed, "weights"))
        self.net = experiment.build_net()
        _check_fit(self.net, self.splits.train)
        self.layers = layers(self.net, self.splits.train.shape)
        self.net = self._synchronized(self.net)
        self.net = self.net.to(device).to(memory_format=torch.channels_last)
        self.optimizer = experiment.optimizer.build(self.net)
        self.batches: Served | None = None
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.dtype is torch.float16)
        self.pace = Pace(experiment.schedule)
        self.progress = Progress()
        self.best: tuple[float, float] = (float("inf"), float("inf"))
        self.seconds = 0.0

    @property
    def updates_per_epoch(self) -> int:
        """Updates between two looks at the validation pictures: one epoch, to the nearest."""
        return max(1, round(len(self.splits.train) / self.experiment.batch_size))

    def task(self) -> Task:
        """What the training loop needs."""
        experiment = self.experiment
        self.close()
        prepared = self.normalize.preparation is not None
        self.batches = self.splits.train.batches(
            Serving(
                batch_size=experiment.batch_size,
                seed=experiment.seed,
                augment=experiment.augment.apply,
                normalize=self.normalize.finish,
                prepare=self.normalize.prepare if prepared else None,
                balance=experiment.balance,
                share=self.share,
            )
        )
        return Task(
            net=self._net_to_train(),
            batches=self.batches,
            loss=loss,
            optimizer=self.optimizer,
            schedule=self.pace,
            autocast=self._autocast,
            parts=experiment.accumulate,
            clip=experiment.clip,
            scaler=self.scaler if self.scaler.is_enabled() else None,
            seed=self._seed,
            mean=self.world.mean,
        )

    def close(self) -> None:
        """End what prepares batches ahead."""
        if self.batches is not None:
            self.batches.close()

    def estimate_seconds(self) -> float:
        """Predict how long the training takes from a few updates, and undo them."""
        state = copy.deepcopy(self.state())
        task = self.task()
        update(task, 0)
        began = time.monotonic()
        for iteration in range(3):
            update(task, iteration)
        seconds = (time.monotonic() - began) / 3
        self.close()
        self.restore(state)
        return seconds * self.experiment.schedule.until

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
        return {
            "environment": {
                **runtime.environment(self.device, self.dtype),
                "processes": self.world.size,
            },
            "launch": parallel.launch(),
            "command": runtime.command_line(),
        }

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
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(state["scaler"])

    def _net_to_train(self) -> nn.Module:
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


def _check_splits(splits: Splits) -> None:
    """Refuse parts of a data set that differ in the shape of their pictures or in their classes."""
    for name, part in (("validation", splits.validation), ("test", splits.test)):
        if part is not None and (part.shape, part.classes) != (
            splits.train.shape,
            splits.train.classes,
        ):
            raise DataError(
                f"the {name} pictures are {part.shape} of {len(part.classes)} classes, those to "
                f"learn from {splits.train.shape} of {len(splits.train.classes)}: they must agree"
            )


@torch.no_grad()
def _check_fit(net: nn.Module, images: Pictures) -> None:
    """Refuse a network that cannot take the pictures, or does not give one number per class."""
    if not any(parameter.requires_grad for parameter in net.parameters()):
        raise ConfigError("the network has no parameter that could be trained")
    was_training = net.training
    try:
        output = net.eval()(torch.zeros(1, *images.shape))
    except ResiduaError:
        raise
    except Exception as error:
        size = "x".join(map(str, images.shape))
        raise ConfigError(
            f"the network cannot take pictures of {size}: {type(error).__name__}: {error}"
        ) from error
    net.train(was_training)
    shape = tuple(output.shape) if isinstance(output, Tensor) else f"a {type(output).__name__}"
    if shape != (1, len(images.classes)):
        raise ConfigError(
            f"the network gives {shape} for one picture, but the data have "
            f"{len(images.classes)} classes (set --net.num-classes)"
        )
