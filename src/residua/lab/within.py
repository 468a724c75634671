"""Inside the networks of a study: how they answer, and what comes back, layer by layer.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, figure 7 (responses of 3x3 layers) and
        section 4.1 (with batch normalization the gradients of plain nets are healthy at first).
"""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from residua import plots
from residua.analyze.gradients import gradients
from residua.analyze.responses import responses
from residua.lab.opened import Opened, loss, open_runs
from residua.report.record import read
from residua.report.twins import group

PICTURES = 256
RESPONSES = "standard deviation of responses, trained"
BEFORE = "norm of the gradient, before training"
AFTER = "norm of the gradient, trained"

# From a network with pictures to a number of each layer, in the order of the layers.
Look = Callable[[Opened], list[float]]


def within(folders: Sequence[Path], *, device: str = "auto") -> tuple[list[plots.Layers], str]:
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
    note = (
        f"Of {PICTURES} training images, not augmented; means of n = {n} trainings. Responses: the "
        "standard deviation of what each 3x3 layer answers after batch normalization, before ReLU "
        "or addition (He et al. 2015, figure 7), in eval mode. Gradients: the L2 norm, at each "
        "layer, of the gradient of the mean loss by its weights, with batch statistics. Colours "
        "are depths, dashes families."
    )
    return found, note


def _quantities(folders: Sequence[Path], device: str) -> dict[str, list[float]]:
    return {
        RESPONSES: _means(folders, "last", _responses, device),
        BEFORE: _means(folders, "drawn", _gradients, device),
        AFTER: _means(folders, "last", _gradients, device),
    }


def _means(folders: Sequence[Path], weights: str, look: Look, device: str) -> list[float]:
    """Average the number of each layer over trainings, opened one after the other."""
    found = [
        look(*open_runs([each], part="train", pictures=PICTURES, weights=weights, device=device))
        for each in folders
    ]
    return [statistics.mean(values) for values in zip(*found, strict=True)]


def _responses(run: Opened) -> list[float]:
    return responses(run.net, run.inputs).in_order


def _gradients(run: Opened) -> list[float]:
    return [layer.weights for layer in gradients(run.net, run.batches, loss).layers]
