"""Finding objects on pictures, as the work of a session."""

import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from residua import runs, runtime
from residua.agreement import check_annotated
from residua.data.loading import Served
from residua.data.normalize import Normalize
from residua.data.objectbatches import ObjectBatch, ObjectBatches, ObjectServing, SteppedBatches
from residua.data.objects import Annotated, AnnotatedSplits
from residua.detect.alternating import Alternating
from residua.detect.describe import describe
from residua.detect.detector import Detector
from residua.detect.faster_rcnn import FasterRcnn
from residua.detect.found import Found
from residua.detect.metrics.summary import Summary, summarise
from residua.detect.settings import FasterRcnnConfig
from residua.detect.testing import TestingConfig, detect
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError
from residua.nets import weights
from residua.nets.preprocessing import Preprocessing
from residua.outcome import Course, DetectionResult
from residua.report.detections import Scored, findings
from residua.starting_detector import start_detector
from residua.train.loop import Terms
from residua.train.parallel import World
from residua.train.profile import Profile
from residua.train.sequence import SequenceConfig

# Of a training picture each, to say how bright pictures are.
LOOKED_AT = 64
TERMS = ("rpn_class", "rpn_box", "roi_class", "roi_box")


class Detection:
    """A detector with the pictures that it learns from and is tested on.

    Args:
        experiment: what to do.
        world: the processes that share its batches, and the device of this one.
        dtype: that convolutions compute in.
        fresh: whether the training begins; one that goes on has the weights of its checkpoint.
        trunk: weights of a trunk that was trained first.
    """

    compile = False

    def __init__(
        self,
        experiment: DetectionExperiment,
        world: World,
        *,
        dtype: torch.dtype,
        fresh: bool,
        trunk: Path | None = None,
    ) -> None:
        self.experiment = experiment
        self.world = world
        self.dtype = dtype
        self.look_every = experiment.look_every
        self.splits = experiment.load_data()
        check_annotated(experiment, self.splits)
        self.fingerprints = [part.fingerprint() for part in _parts(self.splits)]
        self.count = len(self.splits.train)
        self.detector, self.normalize = self._build(
            str(trunk) if trunk else experiment.weights, fresh=fresh
        )
        self.described = describe(self.detector, self._shape())
        self.detector = self.detector.to(world.device).to(memory_format=torch.channels_last)
        self.partial = experiment.training == "alternating"
        self.learned: Alternating | FasterRcnn = (
            Alternating(self.detector) if self.partial else self.detector
        )
        self.net: nn.Module = self.learned
        self.step: int | None = None
        self.optimizer: Optimizer = experiment.optimizer.build(self.net)

    @property
    def learner(self) -> nn.Module:
        """What computes the losses of a batch when it is called."""
        return _Learner(self.learned)

    def before_update(self, iteration: int) -> None:
        """Go over to the next step, where the training has several."""
        schedule = self.experiment.schedule
        if isinstance(self.net, Alternating) and isinstance(schedule, SequenceConfig):
            number = schedule.part(iteration)
            if number == self.step:
                return
            if iteration == schedule.starts[number]:
                self.optimizer.state.clear()
            self.net.begin(number)
            self.step = number

    def batches(self, share: slice) -> Served[ObjectBatch]:
        """Return what gives the batch of every iteration; of each, this process's share."""
        experiment = self.experiment
        serving = ObjectServing(
            batch_size=experiment.batch_size,
            seed=experiment.seed,
            resize=experiment.resize,
            normalize=self.normalize.finish,
            flip=0.5 if experiment.flip else 0.0,
            share=share,
            device=self.world.device,
        )
        schedule, sizes = experiment.schedule, experiment.step_batches
        if not sizes or not isinstance(schedule, SequenceConfig):
            return ObjectBatches(self.splits.train, serving)
        steps = [
            dataclasses.replace(serving, batch_size=n, share=self.world.share(n)) for n in sizes
        ]
        return SteppedBatches([ObjectBatches(self.splits.train, s) for s in steps], schedule.starts)

    def loss(self, net: nn.Module, batch: ObjectBatch) -> Terms:
        """Compute the terms of a batch; those that a step does not have are zero."""
        found: dict[str, Tensor] = net(batch)
        nothing = torch.zeros((), device=self.world.device)
        return {"loss": found["loss"], **{name: found.get(name, nothing) for name in TERMS}}

    def profile(self, batch: int, most: int | None) -> Profile:
        """Refuse: a detector keeps what it computes."""
        raise ConfigError("memory is planned for classifiers alone: leave out --memory")

    def validate(self) -> dict[str, float] | None:
        """Return the mAP of the validation pictures; None without such pictures."""
        if self.splits.validation is None:
            return None
        summary = self._summary(self.splits.validation, self.found(self.splits.validation))
        return {
            "validation_map": summary.of("area").mean or 0.0,
            "validation_coco_ap": summary.coco.numbers["AP"] or 0.0,
        }

    def rank(self, epoch: dict[str, Any]) -> tuple[float, ...]:
        """Order epochs by their mAP, the highest first."""
        return (-epoch["validation_map"], -epoch["validation_coco_ap"])

    def test(self) -> list[Found]:
        """Find the objects on the test pictures."""
        return self.found(self.splits.test)

    def found(self, pictures: Annotated, testing: TestingConfig | None = None) -> list[Found]:
        """Find objects with the net as it is now; each process takes its part of the pictures."""
        seen = Detector(self.detector, self.normalize, self.experiment.resize, self.dtype)
        rule = testing or self.experiment.testing
        if self.world.size == 1:
            return detect([seen], pictures, rule)
        self.world.align(self.detector)
        mine = pictures.select(self.world.mine(len(pictures)))
        return self.world.collected(detect([seen], mine, rule), len(pictures))

    def conclude(
        self, found: list[Found], course: Course
    ) -> tuple[DetectionResult, dict[str, Any]]:
        """Return the result, and what else is recorded of what was found."""
        test = self.splits.test
        summary = self._summary(test, found)
        result = DetectionResult(
            folder=course.folder,
            test_map=summary.of("area").mean or 0.0,
            test_count=len(test),
            train_loss=course.last["train_loss"],
            validation_map=course.selected.get("validation_map"),
            seed=course.seed,
            seconds=course.seconds,
        )
        scored = Scored(
            test.names, found, [test.objects(i) for i in range(len(test))], test.picture
        )
        readings = {
            "map_area": result.test_map,
            "map_11point": summary.of("11-point").mean,
            "coco_ap": summary.coco.numbers["AP"],
            "coco_ap50": summary.coco.numbers["AP50"],
        }
        return result, {
            **readings,
            "protocol": self.experiment.testing.protocol,
            "scores": summary.plain(),
            "found": findings(summary, scored),
        }

    def description(self) -> dict[str, Any]:
        """Return what the record begins with."""
        train = self.splits.train
        parts = (train, self.splits.validation, self.splits.test)
        net = self.experiment.net
        assert isinstance(net, FasterRcnnConfig)
        return {
            "task": "detection",
            "sizes": [0 if part is None else len(part) for part in parts],
            "objects": [0 if part is None else _objects(part) for part in parts],
            "classes": list(train.classes),
            "shape": list(self._shape()),
            "mean": list(self.normalize.channel_mean),
            "std": list(self.normalize.channel_std),
            "anchors": dataclasses.asdict(net.anchors),
            "regions": self.described.regions,
            "layers": [dataclasses.asdict(layer) for layer in self.described.layers],
        }

    def save_weights(self, path: Path) -> None:
        """Write the weights with what is needed to use them without the run."""
        mean, std = self.normalize.numbers()
        weights.save(
            self.detector,
            path,
            config=self.experiment.recordable().net,
            preprocessing=Preprocessing(mean=mean, std=std, source="what the trunk was trained on"),
            card={"classes": self.splits.train.classes, "task": "detection"},
        )

    def load_weights(self, folder: Path, which: str) -> None:
        """Take the "best" or "last" weights of a run."""
        runs.load_weights(folder, which, self.detector)

    def state(self) -> dict[str, Any]:
        """Return the range that pictures are brought into."""
        return {"normalize": self.normalize.numbers()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned."""
        self.normalize = Normalize.of(*state["normalize"]).to(self.world.device)

    def _build(self, source: str | None, *, fresh: bool) -> tuple[FasterRcnn, Normalize]:
        """Build the detector on the processor, with the weights that the training begins with."""
        torch.manual_seed(runtime.derive(self.experiment.seed, "weights"))
        config, known = self.experiment.net, None
        if source is None or not fresh:
            detector = self.experiment.build_net()
        else:
            assert isinstance(config, FasterRcnnConfig)
            detector, known = start_detector(config, source)
        normalize = _measured(self.splits.train) if known is None else known
        return detector, normalize.to(self.world.device)

    def _summary(self, pictures: Annotated, found: list[Found]) -> Summary:
        objects = [pictures.objects(index) for index in range(len(pictures))]
        return summarise(found, objects, pictures.classes)

    def _shape(self) -> tuple[int, int, int]:
        height, width = self.experiment.resize.size(self.splits.train.sizes[0])
        return 3, height, width


class _Learner(nn.Module):
    """Calling it computes losses, so that gradients can be averaged over processes."""

    def __init__(self, net: Alternating | FasterRcnn) -> None:
        super().__init__()
        self.net = net

    def forward(self, batch: ObjectBatch) -> dict[str, Tensor]:
        return self.net.losses(batch, torch.default_generator)


def _parts(splits: AnnotatedSplits) -> list[Annotated]:
    parts = (splits.train, splits.validation, splits.test)
    return [part for part in parts if part is not None]


def _objects(part: Annotated) -> int:
    return sum(len(part.objects(index).boxes_R4) for index in range(len(part)))


def _measured(train: Annotated) -> Normalize:
    """Take mean and deviation of each channel over some pictures, evenly spread over the set."""
    step = max(1, len(train) // LOOKED_AT)
    pixels = [train.picture(i).flatten(1).double() / 255 for i in range(0, len(train), step)]
    mean = torch.stack([p.mean(1) for p in pixels]).mean(0)
    square = torch.stack([p.square().mean(1) for p in pixels]).mean(0)
    std = (square - mean.square()).clamp_min(1e-12).sqrt()
    return Normalize.of(tuple(mean.tolist()), tuple(std.tolist()))
