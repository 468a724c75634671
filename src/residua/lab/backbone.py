"""The detector of He et al. 2015 on a residual trunk and on VGG-16: only the backbone is another.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, table 7: 76.4 against 73.2 % on VOC
        2007.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from residua import events, execute
from residua.detection_experiment import DetectionExperiment
from residua.outcome import DetectionResult
from residua.recipes import detection


def experiments(seeds: Iterable[int]) -> dict[str, list[DetectionExperiment]]:
    """List what is trained on each backbone, the residual one first."""
    both = {
        "ResNet-18, a quarter wide": detection.scenes(),
        "VGG-16, a quarter wide": detection.scenes_vgg16(),
    }
    return {
        name: [dataclasses.replace(each, seed=seed) for seed in seeds]
        for seeds in [list(seeds)]
        for name, each in both.items()
    }


def backbones(
    plan: Mapping[str, Iterable[DetectionExperiment]],
    *,
    root: Path = Path("runs"),
    device: str = "auto",
    listen: events.Listener | None = None,
) -> dict[str, list[DetectionResult]]:
    """Train and test what the plan lists.

    Args:
        plan: what `experiments` returned.
        root: the folder of all runs.
        device: where to train.
        listen: called with every event.
    """
    return {
        name: [execute.run(each, root=root, device=device, listen=listen) for each in some]
        for name, some in plan.items()
    }
