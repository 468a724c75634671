"""An experiment: everything that a result depends on, as data."""

import copy
import dataclasses
import re
import types
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import InstanceOf
from torch import nn

from residua.config import decode, encode, settings, tagged
from residua.data.augment import AsIs, Augment
from residua.data.cifar import Cifar10Config, Cifar100Config
from residua.data.crops import ObjectCropsConfig
from residua.data.folder import FilesConfig, FolderConfig
from residua.data.loading import Serving, Splits
from residua.data.mnist import FashionMnistConfig, MnistConfig
from residua.data.normalize import ChannelStats, Normalization, Normalize
from residua.data.sets import DigitsConfig
from residua.data.svhn import SvhnConfig
from residua.data.views import Views, Whole
from residua.errors import ConfigError
from residua.nets.catalogue import NetConfig
from residua.runtime import Precision
from residua.train.average import AverageConfig
from residua.train.feedback import PlateauConfig
from residua.train.loss import LossConfig
from residua.train.optimize import SgdConfig
from residua.train.pace import Schedule


@settings
class Claim:
    """A number that a paper prints and a recipe is held to.

    Attributes:
        metric: such as "test_error", which is top-1, or "top5_error".
        value: as printed.
        unit: such as "percent".
        statistic: "single run", "best of 5", "mean of 5", "median of 5", "best of
            several" where the number is not known, or "not stated".
        source: the paper, and the table or section.
        views: what of each picture an error is of; by default the whole picture.
    """

    metric: str
    value: float
    unit: str
    statistic: str
    source: str
    views: Views = Whole()

    @classmethod
    def error(
        cls,
        value: float,
        source: str,
        *,
        statistic: str = "single run",
        metric: str = "test_error",
        views: Views | None = None,
    ) -> "Claim":
        """Claim an error in percent."""
        return cls(
            metric=metric,
            value=value,
            unit="percent",
            statistic=statistic,
            source=source,
            views=views or Whole(),
        )


@settings
class Given:
    """Stands in the record of a run for an object that was handed over in Python.

    Attributes:
        type: the class of the object.
    """

    kind: Literal["given"] = "given"
    type: str

    def must_be_given(self, what: str) -> str:
        """Say that the record cannot rebuild the object that this stands for."""
        return (
            f"{what} was handed over in Python as {self.type}, so the record cannot rebuild it: "
            f"hand it over again with {what}=..."
        )


def given(value: object) -> Given:
    """Return what stands in a record for an object."""
    named = value if isinstance(value, type | types.FunctionType) else type(value)
    return Given(type=f"{named.__module__}:{named.__qualname__}")


def check_name(name: str) -> None:
    """Refuse a name that no folder of runs can have."""
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise ConfigError(
            f"name must be letters, digits, points, hyphens and underscores, got {name!r}"
        )


def check_batch(batch_size: int, accumulate: int, clip: float | None) -> None:
    """Refuse a batch without pictures or of unequal parts, and a bound on gradients below 0."""
    if batch_size < 1:
        raise ConfigError(f"batch_size must be at least 1, got {batch_size}")
    if accumulate < 1 or batch_size % accumulate:
        raise ConfigError(f"accumulate must divide the batch of {batch_size}, got {accumulate}")
    if clip is not None and not clip > 0:
        raise ConfigError(f"clip must be above 0, got {clip}")


@settings
class Experiment:
    """What is trained, on what, and how; equal experiments give equal results on one machine.

    Attributes:
        name: of the recipe; runs are filed under it.
        net: settings of a network, or in Python any module from N, C, H, W to N, K, or a function
            that makes one. A module starts every run with the weights it has; a function makes it
            anew under the seed of the run.
        data: settings of a data set, or in Python three sets of pictures.
        schedule: the learning rate of every iteration.
        optimizer: how a gradient becomes an update.
        augment: what is done to the pictures that are learned from.
        normalize: what is taken from the training pictures to bring all into the same range.
        loss: what the training makes small.
        average: of the weights, which is tested in their place where one is kept.
        weights: to start from: a file, or "torchvision" for those that torchvision offers for the
            net, fetched if need be. The head stays as drawn where the classes are others.
        batch_size: pictures per update.
        balance: show every class equally often, however many pictures it has.
        seed: of the weights, the order of the pictures and the augmentation.
        precision: of the convolutions; "auto" is bfloat16 where the hardware computes in it.
        compile: let torch.compile join the operations of a training step; that takes up to a minute
            first, and rounding differs.
        accumulate: cut each batch into so many parts and add up their gradients, where memory is
            short. The update is that of the whole batch, but batch norm takes its statistics from
            one part at a time, and updates its running ones as often.
        clip: the gradient is scaled down to this L2 norm if it is longer; None leaves it.
        deterministic: on a GPU, compute by algorithms that give equal bits each time, at some cost.
        sync_norm: with several GPUs, take the statistics of batch norm from the batch of all.
        select: which weights are tested, those of the last iteration or those with the smallest
            error on the validation pictures.
        claims: what a paper says the result is.
    """

    name: str = "mine"
    net: Annotated[NetConfig | Given, tagged] | InstanceOf[nn.Module] | Callable[[], nn.Module]
    data: (
        Annotated[
            DigitsConfig
            | Cifar10Config
            | Cifar100Config
            | MnistConfig
            | FashionMnistConfig
            | SvhnConfig
            | FolderConfig
            | FilesConfig
            | ObjectCropsConfig
            | Given,
            tagged,
        ]
        | InstanceOf[Splits]
    )
    schedule: Schedule
    optimizer: SgdConfig = SgdConfig()
    augment: Augment = AsIs()
    normalize: Normalization = ChannelStats()
    loss: LossConfig = LossConfig()
    average: AverageConfig = AverageConfig()
    weights: str | None = None
    batch_size: int = 128
    balance: bool = False
    seed: int = 0
    precision: Precision = "auto"
    compile: bool = False
    accumulate: int = 1
    clip: float | None = None
    deterministic: bool = False
    sync_norm: bool = False
    select: Literal["last", "best"] = "last"
    claims: tuple[Claim, ...] = ()

    @property
    def rates(self) -> Schedule:
        """The schedule, which is for batches of whatever size."""
        return self.schedule

    def check(self) -> None:
        """Refuse settings that no training can have.

        Raises:
            ConfigError: a value of the wrong type, a batch without pictures, a schedule without
                sense, or a name that is no folder name.
        """
        decode(Experiment, encode(self.recordable()), where="experiment")
        check_name(self.name)
        check_batch(self.batch_size, self.accumulate, self.clip)
        self.schedule.phases()
        self.loss.check()

    def load_data(self) -> Splits:
        """Load the three parts of the data set.

        Raises:
            ConfigError: the data were handed over in Python, and only their type is recorded; or
                the schedule watches pictures that the data do not have.
        """
        if isinstance(self.data, Given):
            raise ConfigError(self.data.must_be_given("data"))
        splits = self.data if isinstance(self.data, Splits) else self.data.load()
        if isinstance(self.schedule, PlateauConfig):
            known = () if splits.validation is None else ("validation_error",)
            self.schedule.check_watch(("train_error", *known))
        return splits

    def shown(self, iterations: int) -> int:
        """Count the pictures that so many updates have learned from, each as often as it was."""
        return iterations * self.batch_size

    def serving(self, normalize: Normalize) -> Serving:
        """Return how batches are made of the training pictures.

        Args:
            normalize: what was taken from them.
        """
        return Serving(
            batch_size=self.batch_size,
            seed=self.seed,
            augment=self.augment.apply,
            normalize=normalize.finish,
            prepare=normalize.prepare,
            balance=self.balance,
        )

    def serving_at_a_time(self, normalize: Normalize) -> Serving:
        """Return the same for what passes through the net at a time, as `accumulate` says."""
        size = self.batch_size // self.accumulate
        return dataclasses.replace(self.serving(normalize), batch_size=size)

    def build_net(self) -> nn.Module:
        """Build the network with freshly drawn weights, or copy the module that was handed over.

        Raises:
            ConfigError: the settings do not fit, or the net was handed over in Python and only its
                type is recorded.
        """
        if isinstance(self.net, Given):
            raise ConfigError(self.net.must_be_given("net"))
        if isinstance(self.net, nn.Module):
            return copy.deepcopy(self.net)
        return self.net() if callable(self.net) else self.net.build()

    def recordable(self) -> "Experiment":
        """Return the experiment with objects replaced by the names of their types."""
        objects = {
            field: given(value)
            for field, value in (("net", self.net), ("data", self.data))
            if isinstance(value, nn.Module | Splits) or callable(value)
        }
        return dataclasses.replace(self, **objects)

    def lasting(self, until: int) -> "Experiment":
        """Return the experiment with its schedule shrunk or stretched to so many updates."""
        return dataclasses.replace(self, schedule=self.schedule.scaled(until))

    def smoke(self) -> "Experiment":
        """Return the experiment cut to two small updates, to see that it runs at all."""
        return dataclasses.replace(
            self,
            schedule=self.schedule.scaled(2),
            batch_size=min(self.batch_size, 8),
            accumulate=1,
            claims=(),
        )
