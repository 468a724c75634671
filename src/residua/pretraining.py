"""The trunk of a detector, trained first to name pictures.

Its batch normalization is frozen in the detector, with statistics that are averaged strictly over
the pictures it was trained on (He et al., arXiv:1512.03385, appendix A): as it was trained on them,
augmented, or as they are.
"""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from residua import runs
from residua.config import digest
from residua.data.normalize import Normalize
from residua.detect.settings import FasterRcnnConfig
from residua.detection_experiment import AnyExperiment, DetectionExperiment, TrunkStatistics
from residua.evaluate.exact_norm import average_as_learned, average_unaugmented
from residua.experiment import Experiment
from residua.nets.catalogue import for_classes
from residua.nn.norms import keeps_statistics

# Beside the weights of the run that trained it.
AVERAGED = "averaged-{}.safetensors"


def first_of(experiment: AnyExperiment) -> Experiment | None:
    """Return what the trunk of a detector is to be trained with, if it is to be trained first.

    It is the trunk that the detector has, whatever its settings are, and tells as many classes
    apart as the pictures of single objects have.
    """
    if not isinstance(experiment, DetectionExperiment) or experiment.weights is not None:
        return None
    first, net = experiment.pretrain, experiment.net
    if first is None or not isinstance(net, FasterRcnnConfig):
        return first
    classes = getattr(first.net, "num_classes", net.num_classes + 1)
    return replace(first, net=for_classes(net.trunk, classes))


def trained(first: Experiment, root: Path) -> Path | None:
    """Find a run of the same settings that has come to its end, below the folder of all runs."""
    return runs.finished(root / first.name, digest(first.recordable()))


def averaged(
    folder: Path, first: Experiment, device: torch.device, statistics: TrunkStatistics
) -> Path:
    """Return the file of a trunk's weights with averaged statistics; it is made if it is not there.

    A trunk without batch normalization has none, and its weights are as they were tested.

    Args:
        folder: of the run that trained it.
        first: what it was trained with.
        device: where to compute.
        statistics: of which pictures.
    """
    path = folder / "weights" / AVERAGED.format(statistics)
    if path.exists():
        return path
    found = runs.load(folder)
    net, normalize = found.net.to(device), found.normalize.to(device)
    if keeps_statistics(net):
        _average(net, first, normalize, statistics)
    runs.save_net(
        net,
        path,
        experiment=first,
        classes=found.classes,
        shape=found.shape,
        normalize=normalize,
    )
    return path


def _average(
    net: nn.Module, first: Experiment, normalize: Normalize, statistics: TrunkStatistics
) -> None:
    train = first.load_data().train.to(normalize.mean.device)
    match statistics:
        case "augmented":
            average_as_learned(net, train, first.serving_at_a_time(normalize))
        case "plain":
            average_unaugmented(net, train, normalize)
