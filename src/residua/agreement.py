"""What of an experiment must agree: its settings with the processes, its data, its network."""

import torch
from torch import Tensor, nn

from residua.data.loading import Pictures, Splits
from residua.data.objects import AnnotatedSplits
from residua.detect.settings import FasterRcnnConfig
from residua.detection_experiment import AnyExperiment, DetectionExperiment
from residua.errors import ConfigError, DataError, ResiduaError
from residua.nn.modes import evaluating


def check_memory(experiment: AnyExperiment, processes: int) -> None:
    """Refuse to recompute activations where that is not done."""
    if isinstance(experiment, DetectionExperiment):
        raise ConfigError("memory is for classifiers: a detector keeps what it computes")
    if experiment.compile or processes > 1:
        raise ConfigError(
            "memory is for training without compile and by one process: leave out one of them"
        )


def check_parts(experiment: AnyExperiment, processes: int) -> None:
    """Refuse a batch that cannot be shared out to all processes, and cut in equal parts there."""
    sizes = [("batch_size", experiment.batch_size)]
    if isinstance(experiment, DetectionExperiment):
        sizes += [("step_batches", size) for size in experiment.step_batches]
    for name, size in sizes:
        if size % (experiment.accumulate * processes):
            raise ConfigError(
                f"a batch of {size} for {processes} processes cannot be cut into "
                f"{experiment.accumulate} equal parts in each: change {name} or accumulate"
            )


def check_splits(splits: Splits, select: str) -> None:
    """Refuse parts of a data set that do not belong together, or lack what is needed to select."""
    for name, part in (("validation", splits.validation), ("test", splits.test)):
        if part is not None and (part.shape, part.classes) != (
            splits.train.shape,
            splits.train.classes,
        ):
            raise DataError(
                f"the {name} pictures are {part.shape} of {len(part.classes)} classes, those to "
                f"learn from {splits.train.shape} of {len(splits.train.classes)}: they must agree"
            )
    if select == "best" and splits.validation is None:
        raise ConfigError(
            'select is "best", but there are no validation images to choose with: hold some out, '
            'or take the "last" weights'
        )


def check_annotated(experiment: DetectionExperiment, splits: AnnotatedSplits) -> None:
    """Refuse parts of other classes, a detector of another number, or nothing to select with."""
    train = splits.train
    for part in (splits.validation, splits.test):
        if part is not None and part.classes != train.classes:
            raise DataError(
                f"a part of the data has the classes {', '.join(part.classes)}, what is learned "
                f"from {', '.join(train.classes)}: they must agree"
            )
    config = experiment.net
    if isinstance(config, FasterRcnnConfig) and config.num_classes != len(train.classes):
        raise ConfigError(
            f"the net tells {config.num_classes} classes apart, but the data have "
            f"{len(train.classes)} (set --net.num-classes)"
        )
    if experiment.select == "best" and splits.validation is None:
        raise ConfigError(
            'select is "best", but there are no validation pictures to choose with: hold some out, '
            'or take the "last" weights'
        )


@torch.no_grad()
def check_fit(net: nn.Module, images: Pictures) -> None:
    """Refuse a network that cannot take the pictures, or does not give one number per class."""
    if not any(parameter.requires_grad for parameter in net.parameters()):
        raise ConfigError("the network has no parameter that could be trained")
    try:
        with evaluating(net):
            output = net(torch.zeros(1, *images.shape))
    except ResiduaError:
        raise
    except Exception as error:
        size = "x".join(map(str, images.shape))
        raise ConfigError(
            f"the network cannot take pictures of {size}: {type(error).__name__}: {error}"
        ) from error
    shape = tuple(output.shape) if isinstance(output, Tensor) else f"a {type(output).__name__}"
    if shape != (1, len(images.classes)):
        raise ConfigError(
            f"the network gives {shape} for one picture, but the data have "
            f"{len(images.classes)} classes (set --net.num-classes)"
        )
