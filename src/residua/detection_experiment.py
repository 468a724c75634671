"""An experiment with a detector: everything that its result depends on, as data."""

import dataclasses
from typing import Annotated, Literal

from pydantic import InstanceOf

from residua.config import decode, encode, settings, tagged
from residua.data.coco import CocoConfig
from residua.data.objectbatches import ResizeConfig
from residua.data.objects import AnnotatedSplits
from residua.data.scenes import ScenesConfig
from residua.data.voc import VocConfig
from residua.detect.faster_rcnn import FasterRcnn
from residua.detect.settings import FasterRcnnConfig
from residua.detect.testing import TestingConfig
from residua.errors import ConfigError
from residua.experiment import Claim, Experiment, Given, check_batch, check_name, given
from residua.runtime import Precision
from residua.train.average import AverageConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import CosineConfig, StepsConfig
from residua.train.sequence import SequenceConfig

TrunkStatistics = Literal["augmented", "plain"]
Schedule = Annotated[StepsConfig | CosineConfig | SequenceConfig, tagged]


@settings
class DetectionExperiment:
    """What a detector is trained on and how; equal experiments give equal results on one machine.

    Attributes:
        name: of the recipe; runs are filed under it.
        net: settings of the detector.
        data: settings of a set of pictures with objects, or in Python three such sets.
        schedule: the learning rate of every iteration, for batches of `rate_batch` pictures.
        rate_batch: batches of another size have rates in proportion; 0 takes the rates as they are.
        rate_step_batches: the same for `step_batches`; without, the rates are as they are.
        optimizer: how a gradient becomes an update.
        resize: to which size pictures are brought.
        flip: mirror every second picture that is learned from.
        testing: what is done to find objects, in the validation and in the test.
        training: "joint" learns proposals and their classes together; "alternating" in the four
            steps of the first Faster R-CNN, one for each part of a schedule that is a sequence.
        look_every: epochs from one look at the validation pictures to the next.
        average: of the weights, which is tested in their place where one is kept.
        weights: of the trunk or of a whole detector: a file, or "torchvision" for those that
            torchvision offers for the trunk, fetched if need be.
        pretrain: how the trunk is trained first, where no weights are given.
        trunk_statistics: what the frozen batch normalization of a trunk that was trained first is
            averaged over: its pictures "augmented" as it learned from them, or "plain".
        batch_size: pictures per update.
        step_batches: pictures per update in each step of alternating training, where they differ;
            the first is `batch_size`.
        seed: of the weights, the order of the pictures, and what is drawn from them.
        precision: of the convolutions; "auto" is bfloat16 where the hardware computes in it.
        accumulate: cut each batch into so many parts and add up their gradients.
        clip: the gradient is scaled down to this L2 norm if it is longer; None leaves it.
        deterministic: on a GPU, compute by algorithms that give equal bits each time, at some cost.
        select: which weights are tested, those of the last iteration or those with the highest mAP
            on the validation pictures.
        claims: what a paper says the result is.
    """

    name: str = "mine"
    net: Annotated[FasterRcnnConfig | Given, tagged]
    data: (
        Annotated[VocConfig | CocoConfig | ScenesConfig | Given, tagged]
        | InstanceOf[AnnotatedSplits]
    )
    schedule: Schedule
    rate_batch: int = 0
    rate_step_batches: tuple[int, ...] = ()
    optimizer: SgdConfig = SgdConfig(weight_decay=5e-4)
    resize: ResizeConfig = ResizeConfig()
    flip: bool = True
    testing: TestingConfig = TestingConfig()
    training: Literal["joint", "alternating"] = "joint"
    look_every: int = 1
    average: AverageConfig = AverageConfig()
    weights: str | None = None
    pretrain: Experiment | None = None
    trunk_statistics: TrunkStatistics = "augmented"
    batch_size: int = 2
    step_batches: tuple[int, ...] = ()
    seed: int = 0
    precision: Precision = "auto"
    accumulate: int = 1
    clip: float | None = 10.0
    deterministic: bool = False
    select: Literal["last", "best"] = "last"
    claims: tuple[Claim, ...] = ()

    @property
    def rates(self) -> Schedule:
        """The schedule for the batches that are used."""
        meant = self.rate_step_batches
        if meant and isinstance(self.schedule, SequenceConfig):
            pairs = zip(self.step_batches, meant, strict=True)
            return self.schedule.times(*(size / known for size, known in pairs))
        if not self.rate_batch:
            return self.schedule
        factor = self.batch_size / self.rate_batch
        if isinstance(self.schedule, SequenceConfig):
            return self.schedule.times(factor)
        return dataclasses.replace(self.schedule, lr=self.schedule.lr * factor)

    def shown(self, iterations: int) -> int:
        """Count the pictures that so many updates have learned from, each as often as it was."""
        schedule, sizes = self.schedule, self.step_batches
        if not sizes or not isinstance(schedule, SequenceConfig):
            return iterations * self.batch_size
        steps = zip(schedule.starts, schedule.parts, sizes, strict=True)
        return sum(
            min(max(iterations - start, 0), part.until) * size for start, part, size in steps
        )

    def check(self) -> None:
        """Refuse settings that no training can have.

        Raises:
            ConfigError: a value of the wrong type, a batch without pictures, a schedule without
                sense, or a name that is no folder name.
        """
        decode(DetectionExperiment, encode(self.recordable()), where="experiment")
        check_name(self.name)
        check_batch(self.batch_size, self.accumulate, self.clip)
        for name, least in (("rate_batch", 0), ("look_every", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, got {getattr(self, name)}")
        _check_steps(self)
        self.rates.phases()

    def load_data(self) -> AnnotatedSplits:
        """Load the three parts of the data set.

        Raises:
            ConfigError: the data were handed over in Python, and only their type is recorded.
        """
        if isinstance(self.data, Given):
            raise ConfigError(self.data.must_be_given("data"))
        return self.data if isinstance(self.data, AnnotatedSplits) else self.data.load()

    def build_net(self) -> FasterRcnn:
        """Build the detector with freshly drawn weights.

        Raises:
            ConfigError: the settings do not fit.
        """
        if isinstance(self.net, Given):
            raise ConfigError(self.net.must_be_given("net"))
        return self.net.build()

    def recordable(self) -> "DetectionExperiment":
        """Return the experiment with objects replaced by the names of their types."""
        data = given(self.data) if isinstance(self.data, AnnotatedSplits) else self.data
        pretrain = None if self.pretrain is None else self.pretrain.recordable()
        return dataclasses.replace(self, data=data, pretrain=pretrain)

    def lasting(self, until: int) -> "DetectionExperiment":
        """Return the experiment with its schedule shrunk or stretched to so many updates.

        The trunk is trained no longer than that.
        """
        first = self.pretrain
        if first is not None:
            first = first.lasting(min(until, first.schedule.until))
        return dataclasses.replace(self, schedule=self.schedule.scaled(until), pretrain=first)

    def smoke(self) -> "DetectionExperiment":
        """Return the experiment cut to a few small updates, to see that it runs at all."""
        return dataclasses.replace(
            self,
            schedule=self.schedule.scaled(4 if self.training == "alternating" else 2),
            pretrain=None if self.pretrain is None else self.pretrain.smoke(),
            batch_size=min(self.batch_size, 2),
            step_batches=tuple(min(size, 2) for size in self.step_batches),
            accumulate=1,
            claims=(),
        )


def _check_steps(experiment: DetectionExperiment) -> None:
    """Refuse batches of steps that the training does not have, or that contradict one another."""
    sizes, meant = experiment.step_batches, experiment.rate_step_batches
    schedule = experiment.schedule
    in_steps = isinstance(schedule, SequenceConfig) and len(schedule.parts) == 4
    if experiment.training == "alternating" and not in_steps:
        raise ConfigError(
            "alternating training has four steps: give it a schedule that is a sequence of four"
        )
    if sizes and (experiment.training, len(sizes)) != ("alternating", 4):
        raise ConfigError(
            "step_batches are the four batches of alternating training, got "
            f"{sizes} for {experiment.training} training"
        )
    if sizes and min(sizes) < 1:
        raise ConfigError(f"step_batches must be at least 1 each, got {sizes}")
    if sizes and sizes[0] != experiment.batch_size:
        raise ConfigError(
            f"batch_size is {experiment.batch_size}, but the first of the steps has {sizes[0]}: "
            "set --step-batches and --batch-size together"
        )
    if meant and (len(meant) != len(sizes) or min(meant) < 1 or experiment.rate_batch):
        raise ConfigError(
            "rate_step_batches are one for each of step_batches, at least 1 each and in place of "
            f"rate_batch: got {meant} for {sizes} and {experiment.rate_batch}"
        )


AnyExperiment = Experiment | DetectionExperiment
