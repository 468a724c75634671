"""A run in its fastest form, and the page that says how it was found."""

import sys
from pathlib import Path

import torch
from torch import Tensor

from residua import runs, runtime
from residua.data.folder import fit_of
from residua.data.loading import Pictures, whole
from residua.deploy.accuracy import Sample
from residua.deploy.engines.openvino import CALIBRATION
from residua.deploy.optimize import Listen, Optimized, optimized
from residua.deploy.task import OptimizePlan, Task
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError
from residua.report import page
from residua.report.optimize import OptimizeRecord, write_optimize

# Pictures of files that are read at a time.
READ = 64


def optimize_run(
    folder: Path,
    plan: OptimizePlan,
    into: Path,
    *,
    weights: str | None = None,
    pictures: int = 2000,
    listen: Listen | None = None,
) -> tuple[Optimized, Path]:
    """Optimize the net of a run, and write the page.

    Engines are compared with the net on the run's validation pictures, never on the test part; a
    run that has none is compared on training pictures, others than those that int8 takes its ranges
    from.

    Args:
        folder: of the run.
        plan: how.
        into: the folder that gets the files; must not exist, or be empty.
        weights: "best" or "last"; by default those that were tested.
        pictures: to compare on, at most.
        listen: called with what became of each engine, before it is timed.

    Returns:
        What came of it, and where the page is.

    Raises:
        ConfigError: the run is that of a detector, the plan has no sense, or no engine passes.
        CheckpointError: the run has no weights.
        RunError: the folder holds something, or cannot be written.
    """
    if isinstance(runs.read_experiment(folder), DetectionExperiment):
        raise ConfigError(
            f"{folder} is the run of a detector: optimize makes classifiers fast, and no detectors "
            f"yet (residua export {folder} --to onnx writes it for onnxruntime)"
        )
    plan.check()
    task, words = task_of(runs.load(folder, weights=weights), pictures)
    found = optimized(task, plan, into, listen=listen)
    record = OptimizeRecord(
        title=str(folder),
        rows=found.rows,
        batch_sizes=plan.batch_sizes,
        rounds=plan.rounds,
        checked_on=task.sample.words,
        budget=plan.budget,
        calibration=words,
        use=uses(into),
    )
    device = runtime.pick_device(plan.device)
    facts = runtime.environment(device, torch.float32)
    del facts["precision"]
    return found, write_optimize(
        into,
        record,
        environment=facts | dict(found.facts.versions),
        command=runtime.command_line(),
    )


def task_of(trained: runs.TrainedNet, pictures: int) -> tuple[Task, str]:
    """Take the pictures that a run's net is held to, and say which int8 takes its ranges from.

    Raises:
        ConfigError: fewer than one picture is wanted.
    """
    if pictures < 1:
        raise ConfigError(f"at least 1 picture is needed to compare on, got {pictures}")
    splits = trained.experiment.load_data()
    order = torch.randperm(
        len(splits.train), generator=runtime.generator(trained.experiment.seed, "calibrate")
    )
    # At least one picture of the smallest sets is left to compare on.
    ranges = order[: min(CALIBRATION, max(1, len(order) // 2))]
    if splits.validation is None:
        part, words = splits.train.select(order[len(ranges) :]), "training pictures"
    else:
        part, words = splits.validation, "validation pictures"
    if len(part) > pictures:
        chosen = torch.randperm(
            len(part), generator=runtime.generator(trained.experiment.seed, "compare engines")
        )
        part = part.select(chosen[:pictures].sort().values)
    calibration = taken(splits.train.select(ranges.sort().values))
    told = f"{len(part):,} {words}"
    if splits.validation is None:
        told = f"{told} (the run has none to choose with)"
    task = Task(
        net=trained.net,
        normalize=trained.normalize,
        sample=Sample(taken(part), part.labels.cpu(), told),
        calibration=calibration,
        classes=trained.classes,
        fit=fit_of(trained.experiment.data),
        run=f"{trained.folder.parent.name}/{trained.folder.name}",
    )
    return task, f"{len(calibration):,} training pictures"


def taken(images: Pictures) -> Tensor:
    """Return pictures as they are tested: N, C, H, W of uint8, on the processor."""
    return torch.cat([views[:, 0].cpu() for views in images.viewed(whole, READ)])


def uses(folder: Path) -> list[tuple[str, str]]:
    """List commands that use a folder, with what they do."""
    return [
        ("Name what is on pictures:", page.command("residua", "predict", folder, "picture.jpg")),
        ("Serve it as a web page:", page.command("residua", "serve", folder)),
        (
            "Without Residua, with NumPy, Pillow and the engine's own package alone:",
            page.command(Path(sys.executable).name, folder / "load.py", "picture.jpg"),
        ),
    ]
