"""The trunk of a detector, trained first to name pictures.

Its batch normalization is frozen in the detector, with statistics that are averaged strictly over
the pictures it was trained on (He et al., arXiv:1512.03385, appendix A).
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from residua import runs, runtime
from residua.config import digest
from residua.detect.settings import FasterRcnnConfig
from residua.detection_experiment import AnyExperiment, DetectionExperiment
from residua.evaluate.exact_norm import take_exact_statistics
from residua.experiment import Experiment
from residua.nets import weights
from residua.nets.preprocessing import Preprocessing

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
    return replace(first, net=replace(net.trunk, num_classes=classes))


def trunk(first: Experiment, root: Path, train: Callable[[Experiment], Path]) -> Path:
    """Train a trunk, unless a run of the same settings has come to its end already.

    Args:
        first: what it is trained with.
        root: the folder of all runs.
        train: trains, and returns the folder of the run.

    Returns:
        The file of its weights, with averaged statistics.
    """
    folder = runs.finished(root / first.name, digest(first.recordable())) or train(first)
    path = folder / "weights" / AVERAGED
    if not path.exists():
        _average(folder, first, path)
    return path


def _average(folder: Path, first: Experiment, path: Path) -> None:
    trained = runs.load(folder)
    device = runtime.pick_device("auto")
    net, normalize = trained.net.to(device), trained.normalize.to(device)
    take_exact_statistics(net, first.load_data().train.to(device), normalize)
    mean, std = normalize.numbers()
    weights.save(
        net,
        path,
        config=first.net,
        preprocessing=Preprocessing(mean=mean, std=std, source="the training images"),
        card={"classes": trained.classes, "shape": trained.shape},
    )
