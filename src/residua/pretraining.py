"""The trunk of a detector, trained first to name pictures.

Its batch normalization is frozen in the detector, with statistics that are averaged strictly over
the pictures it was trained on (He et al., arXiv:1512.03385, appendix A).
"""

from dataclasses import replace
from pathlib import Path

import torch

from residua import runs
from residua.config import digest
from residua.detect.settings import FasterRcnnConfig
from residua.detection_experiment import AnyExperiment, DetectionExperiment
from residua.evaluate.exact_norm import take_exact_statistics
from residua.experiment import Experiment
from residua.nets.catalogue import for_classes

AVERAGED = "averaged.safetensors"


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


def averaged(folder: Path, first: Experiment, device: torch.device) -> Path:
    """Return the file of a trunk's weights with averaged statistics; it is made if it is not there.

    Args:
        folder: of the run that trained it.
        first: what it was trained with.
        device: where to compute.
    """
    path = folder / "weights" / AVERAGED
    if path.exists():
        return path
    found = runs.load(folder)
    net, normalize = found.net.to(device), found.normalize.to(device)
    take_exact_statistics(net, first.load_data().train.to(device), normalize)
    runs.save_net(
        net,
        path,
        experiment=first,
        classes=found.classes,
        shape=found.shape,
        normalize=normalize,
    )
    return path
