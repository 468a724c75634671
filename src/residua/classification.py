"""Naming what is on a picture, as the work of a session."""

import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from residua import outcome, runs, runtime
from residua.agreement import check_fit, check_splits
from residua.data.loading import Batch, Pictures, Served, Splits
from residua.data.normalize import Normalize
from residua.errors import ConfigError
from residua.evaluate import Scores, scores
from residua.evaluate.evidence import evidence
from residua.experiment import Experiment
from residua.nets.describe import layers
from residua.nn.blocks import StochasticBlock
from residua.outcome import Course, Result
from residua.starting import start
from residua.train import teacher
from residua.train.loop import Terms
from residua.train.parallel import World
from residua.train.profile import Profile, profile


class Classification:
    """A classifier with the pictures that it learns from and is tested on.

    Args:
        experiment: what to do.
        world: the processes that share its batches, and the device of this one.
        dtype: that convolutions compute in.
        fresh: whether the training begins; one that goes on has the weights of its checkpoint.
    """

    def __init__(
        self, experiment: Experiment, world: World, *, dtype: torch.dtype, fresh: bool
    ) -> None:
        self.experiment = experiment
        self.world = world
        self.dtype = dtype
        self.look_every = 1
        self.compile = experiment.compile
        splits = experiment.load_data()
        check_splits(splits, experiment.select)
        self.fingerprints = [part.fingerprint() for part in _parts(splits)]
        self.splits = _moved(splits, world.device)
        self.count = len(splits.train)
        self.normalize = experiment.normalize.fit(splits.train).to(world.device)
        net = self._build_net(fresh=fresh)
        self.layers = layers(net, splits.train.shape)
        net = net.to(world.device).to(memory_format=torch.channels_last)
        self.optimizer: Optimizer = experiment.optimizer.build(net)
        # What the optimizer has frozen keeps its own statistics.
        self.net = self._synchronized(net)
        self.teacher = self._build_teacher(fresh=fresh)
        self.partial = any(isinstance(module, StochasticBlock) for module in net.modules())

    @property
    def learner(self) -> nn.Module:
        """The net itself."""
        return self.net

    def before_update(self, iteration: int) -> None:
        """Do nothing."""

    def batches(self, share: slice) -> Served[Batch]:
        """Return what gives the batch of every iteration; of each, this process's share."""
        serving = dataclasses.replace(self.experiment.serving(self.normalize), share=share)
        return self.splits.train.batches(serving)

    def loss(self, net: nn.Module, batch: Batch) -> Terms:
        """Compute the terms of a batch; what is drawn at random is seeded for the update."""
        return self.experiment.loss.terms(net, *batch, torch.default_generator, self.teacher)

    def profile(self, batch: int, most: int | None) -> Profile:
        """Measure what the units of the net keep and how long they take."""
        return profile(
            self.net,
            self.splits.train.shape,
            batch=batch,
            device=self.world.device,
            dtype=self.dtype,
            make_optimizer=self.experiment.optimizer.build,
            most=most,
        )

    def validate(self) -> dict[str, float] | None:
        """Return loss and error of the validation pictures; None without such pictures."""
        if self.splits.validation is None:
            return None
        found = self.scores(self.splits.validation)
        return {"validation_loss": found.loss, "validation_error": found.top1_error}

    def rank(self, epoch: dict[str, Any]) -> tuple[float, ...]:
        """Order epochs by the error, those of equal errors by the loss."""
        return epoch["validation_error"], epoch["validation_loss"]

    def test(self) -> Scores:
        """Score the test pictures."""
        return self.scores(self.splits.test)

    def scores(self, images: Pictures) -> Scores:
        """Score pictures with the net as it is now; each process takes its part of them."""
        if self.world.size == 1:
            return scores(self.net, images, self.normalize, dtype=self.dtype)
        self.world.align(self.net)
        mine = images.select(self.world.mine(len(images)))
        part = scores(self.net, mine, self.normalize, dtype=self.dtype)
        logits = self.world.gathered(part.logits, len(images))
        return dataclasses.replace(part, logits=logits, labels=images.labels.cpu())

    def conclude(self, found: Scores, course: Course) -> tuple[Result, dict[str, Any]]:
        """Return the result, and what else is recorded of what was found."""
        result = Result(
            folder=course.folder,
            test_error=found.top1_error,
            test_count=len(found.labels),
            train_error=course.last["train_error"],
            validation_error=course.selected.get("validation_error"),
            seed=course.seed,
            seconds=course.seconds,
        )
        return result, {
            **outcome.tested(found),
            "confusion": found.confusion().tolist(),
            "mistakes": outcome.mistakes(found, self.splits.test, self._evidence),
        }

    def description(self) -> dict[str, Any]:
        """Return what the record begins with."""
        train = self.splits.train
        origin = self.splits.origin
        parts = (train, self.splits.validation or (), self.splits.test)
        return {
            "sizes": [len(part) for part in parts],
            "classes": list(train.classes),
            **({} if origin is None else {"origin": dataclasses.asdict(origin)}),
            "shape": list(train.shape),
            "mean": list(self.normalize.channel_mean),
            "std": list(self.normalize.channel_std),
            "layers": [dataclasses.asdict(layer) for layer in self.layers],
        }

    def save_weights(self, path: Path) -> None:
        """Write the weights with what is needed to use them without the run."""
        train = self.splits.train
        runs.save_net(
            self.net,
            path,
            experiment=self.experiment,
            classes=train.classes,
            shape=train.shape,
            normalize=self.normalize,
        )

    def load_weights(self, folder: Path, which: str) -> None:
        """Take the "best" or "last" weights of a run."""
        runs.load_weights(folder, which, self.net)

    def state(self) -> dict[str, Any]:
        """Return the range that pictures are brought into."""
        return {"normalize": self.normalize.numbers()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned."""
        known = Normalize.of(*state["normalize"]).to(self.world.device)
        self.normalize = dataclasses.replace(self.normalize, mean=known.mean, std=known.std)

    def _evidence(self, images: Tensor, for_N: Tensor, against_N: Tensor) -> Tensor | None:
        """Say where pictures speak for one class rather than another to the net as it is now."""
        return evidence(self.net, self.normalize(images.to(self.world.device)), for_N, against_N)

    def _build_net(self, *, fresh: bool) -> nn.Module:
        """Build the network on the processor, with the weights that the training begins with."""
        torch.manual_seed(runtime.derive(self.experiment.seed, "weights"))
        net = self.experiment.build_net()
        check_fit(net, self.splits.train)
        weights = self.experiment.weights
        if weights is not None and fresh:
            self.normalize = self._start_from(weights, net).to(self.world.device)
        return net

    def _build_teacher(self, *, fresh: bool) -> nn.Module | None:
        """Build the net that is learned from, if there is one.

        Raises:
            ConfigError: it takes other pictures than the net that learns.
        """
        path, train = self.experiment.loss.teacher, self.splits.train
        if path is None:
            return None
        net, known = teacher.load(path, train.shape, len(train.classes))
        # A training that goes on has not been told its range yet.
        if fresh and known is not None and not known.plainly(*self.normalize.numbers()):
            raise ConfigError(
                f"{path} was trained on pictures that were prepared otherwise than those "
                "of this training (their means and deviations differ), and cannot teach here"
            )
        return net.to(self.world.device).to(memory_format=torch.channels_last)

    def _start_from(self, weights: str, net: nn.Module) -> Normalize:
        """Take over weights, and the range of the pictures they were trained on if it is told."""
        known = start(net, weights, self.experiment.net, self.splits.train.classes)
        if known is None or len(known.mean) != self.splits.train.shape[0]:
            return self.normalize
        if self.normalize.preparation is not None:
            return self.normalize
        return Normalize.of(known.mean, known.std)

    def _synchronized(self, net: nn.Module) -> nn.Module:
        """Let batch norm see the batch of all processes, if that is wanted."""
        if not self.experiment.sync_norm or self.world.size == 1:
            return net
        kind = self.world.device.type
        if kind != "cuda":
            raise ConfigError(
                f"sync_norm needs GPUs: PyTorch's SyncBatchNorm does not run on {kind}"
            )
        return nn.SyncBatchNorm.convert_sync_batchnorm(net)


def _parts(splits: Splits) -> list[Pictures]:
    parts = (splits.train, splits.validation, splits.test)
    return [part for part in parts if part is not None]


def _moved(splits: Splits, device: torch.device) -> Splits:
    """Move all parts to a device."""
    validation = splits.validation
    return dataclasses.replace(
        splits,
        train=splits.train.to(device),
        validation=None if validation is None else validation.to(device),
        test=splits.test.to(device),
    )
