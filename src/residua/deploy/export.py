"""The net of a run as a file for other systems, compared with the net before it gets its name."""

from pathlib import Path

from torch import nn

from residua import runs
from residua.deploy import export_classifier, export_detector
from residua.deploy.exported import Exported
from residua.deploy.plan import ExportPlan
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError


def export(
    folder: str | Path, plan: ExportPlan | None = None, *, net: nn.Module | None = None
) -> Exported:
    """Write the net of a run.

    Args:
        folder: of the run, or "last" for the newest below ./runs.
        plan: the format, and how.
        net: the module, if the experiment was given one in Python.

    Raises:
        CheckpointError: there is no such run, or it has not come to its end.
        ConfigError: a setting makes no sense, a package is missing, a file exists, or the format
            cannot hold the net.
        DataError: the pictures of the run cannot be read.
        RunError: the file does not compute what the net does, or cannot be written.
    """
    plan = plan or ExportPlan()
    folder = runs.find(str(folder), Path("runs"))
    experiment = runs.read_experiment(folder)
    path = plan.validate(folder)
    if isinstance(experiment, DetectionExperiment):
        return export_detector.export(folder, plan, path)
    if plan.size is not None:
        raise ConfigError(
            f"size is for detectors, and {folder} is the run of a classifier, whose pictures have "
            "the size that it was trained with"
        )
    return export_classifier.export(folder, plan, path, net=net)
