"""The layers of the networks of a study: how they answer, and what comes back to them.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, figure 7 (responses of 3x3 layers) and
        section 4.1 (with batch normalization the gradients of plain nets are healthy at first).
"""

import statistics
from collections.abc import Sequence
from pathlib import Path

from residua import plots
from residua.analyze.gradients import gradients
from residua.analyze.responses import responses
from residua.lab.opened import Which, loss, open_runs
from residua.report.record import read
from residua.report.twins import group

# As many as a batch of the papers: more tell little more.
PICTURES = 128
WEIGHTS: tuple[Which, ...] = ("last", "drawn")
RESPONSES = "std of responses, trained"
BEFORE = "gradient norm, before training"
AFTER = "gradient norm, trained"


def layers_of(folders: Sequence[Path], *, device: str = "auto") -> tuple[list[plots.Layers], str]:
    """Measure responses and gradients of all networks of a study, on training pictures.

    Args:
        folders: of the trainings; those without a result are left out.
        device: where to compute.

    Returns:
        Means over the trainings of each network, and in a sentence what they are.
    """
    twins = [twin for twin in group([read(folder) for folder in folders]) if twin.finished]
    found = [
        plots.Layers(
            name=twin.name,
            family=twin.family,
            depth=twin.depth,
            quantities=_quantities([run.folder for run in twin.finished], device),
        )
        for twin in twins
    ]
    counts = sorted({len(twin.finished) for twin in twins})
    n = " to ".join(map(str, counts[:1] + counts[1:][-1:]))
    trainings = "training" if n == "1" else "trainings"
    note = (
        f"Of {PICTURES} training images, not augmented; n = {n} "
        f"{trainings} of each network, of which means are drawn. Responses: the standard "
        "deviation of what each 3x3 layer answers after batch normalization, before ReLU "
        "or addition (He et al. 2015, figure 7), in eval mode. Gradients: the L2 norm, at each "
        "layer, of the gradient of the mean loss by its weights, with batch statistics. Colours "
        "are depths, dashes families."
    )
    return found, note


def _quantities(folders: Sequence[Path], device: str) -> dict[str, list[float]]:
    """Average over trainings, opened one after the other."""
    found = [_look(each, device) for each in folders]
    return {
        name: [
            statistics.mean(values) for values in zip(*(each[name] for each in found), strict=True)
        ]
        for name in found[0]
    }


def _look(folder: Path, device: str) -> dict[str, list[float]]:
    """Measure one training: a number of each layer, in the order of the layers."""
    trained, drawn = (
        open_runs([folder], part="train", pictures=PICTURES, weights=weights, device=device)[0]
        for weights in WEIGHTS
    )
    return {
        RESPONSES: responses(trained.net, trained.inputs).in_order,
        BEFORE: [layer.weights for layer in gradients(drawn.net, drawn.batches, loss).layers],
        AFTER: [layer.weights for layer in gradients(trained.net, trained.batches, loss).layers],
    }
