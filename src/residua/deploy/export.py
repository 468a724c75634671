"""The net of a run as a file for other systems, compared with the net before it gets its name."""

from pathlib import Path

from torch import nn

from residua import runs
from residua.deploy import export_classifier, export_detector
from residua.deploy.exported import Exported
from residua.deploy.plan import ExportPlan
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError

OF_DETECTORS = ("batch", "size")


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
    usual = ExportPlan()
    given = [name for name in OF_DETECTORS if getattr(plan, name) != getattr(usual, name)]
    if given:
        raise ConfigError(
            f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} for detectors, and "
            f"{folder} is the run of a classifier, which takes any number of pictures"
        )
    return export_classifier.export(folder, plan, path, net=net)
