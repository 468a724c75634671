"""The degradation experiment: deeper plain networks train worse, deeper residual networks do not.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, figures 1 and 6.
"""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from residua import events, execute, outcome, recipes, report, runs
from residua.experiment import Experiment
from residua.train.schedule import CosineConfig

FAMILIES = ("plain", "resnet")
# 42 epochs, of 8 updates each.
SCHEDULE = CosineConfig(lr=0.1, until=336, warmup=40)


def experiments(depths: Iterable[int], seeds: Iterable[int]) -> list[Experiment]:
    """List what is trained: both families at every depth, with the same data and schedule."""
    return [
        dataclasses.replace(
            recipes.find_classifier(f"digits.{family}{depth}"), schedule=SCHEDULE, seed=seed
        )
        for depth in sorted(set(depths))
        for family in FAMILIES
        for net in [recipes.find_classifier(f"digits.{family}{depth}")]
        for seed in seeds
    ]


def degradation(
    plan: list[Experiment],
    *,
    root: Path = Path("runs"),
    device: str = "auto",
    listen: events.Listener | None = None,
) -> tuple[Path, list[outcome.Result]]:
    """Train what the plan lists, and draw figure 1 of [R] with it.

    Args:
        plan: what `experiments` returned.
        root: the folder of all runs.
        device: where to train.
        listen: called with every event of every training.

    Returns:
        The folder with `report.html`, `figure.svg` and `figure.png`, and one result per training.
    """
    folder = runs.create(root, "lab", "degradation")
    results = [
        execute.run(experiment, root=folder, device=device, listen=listen) for experiment in plan
    ]
    report.write_degradation(folder, [result.folder for result in results])
    return folder, results
