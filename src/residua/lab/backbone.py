"""The detector of He et al. 2015 on a residual trunk and on VGG-16: only the backbone is another.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, table 7: 76.4 against 73.2 % on VOC
        2007.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from residua import outcome, report
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError
from residua.lab.sweep import Manner, carry_out
from residua.outcome import DetectionResult
from residua.recipes import detection
from residua.report.compared import Entry

PAPER = "VOC 2007 test"


def experiments(seeds: int) -> list[DetectionExperiment]:
    """List the trainings: the residual backbone with every seed, then VGG-16 with the same.

    Args:
        seeds: counting up from 0; the trunks have one training each.

    Raises:
        ConfigError: there is no seed.
    """
    if seeds < 1:
        raise ConfigError(f"a study needs at least one seed, got {seeds}")
    both = detection.scenes(), detection.scenes_vgg16()
    return [dataclasses.replace(each, seed=seed) for each in both for seed in range(seeds)]


def backbones(
    plan: Sequence[DetectionExperiment], *, into: Path, manner: Manner | None = None
) -> dict[str, list[DetectionResult]]:
    """Train and test what the plan lists, and write the page about it.

    Args:
        plan: what `experiments` returned.
        into: the folder of the study, which exists; what has ended there is not trained again.
        manner: device, listener and pages, which change no number.

    Returns:
        The results of each backbone; a training that diverged has none.

    Raises:
        RunError: a training stopped early; the message says how to go on.
    """
    folders = carry_out(plan, into, manner)
    entries = [
        Entry(
            name=name,
            does=does,
            runs=[f for each, f in zip(plan, folders, strict=True) if each.name == recipe],
            paper={PAPER: printed},
        )
        for name, does, recipe, printed in (
            (
                "ResNet-18, a quarter wide",
                "conv1 to conv4_x for the picture, conv5_x for every region; the paper has "
                "ResNet-101",
                "detection.scenes",
                "76.4",
            ),
            (
                "VGG-16, a quarter wide",
                "conv1 to conv5_3 for the picture, fc6 and fc7 for every region, without batch "
                "normalization; the paper has VGG-16",
                "detection.scenes_vgg16",
                "73.2",
            ),
        )
    ]
    report.write_backbone(into, entries)
    found = {entry.name: [outcome.recorded(folder) for folder in entry.runs] for entry in entries}
    return {
        name: [result for result in some if isinstance(result, DetectionResult)]
        for name, some in found.items()
    }
