"""The mean response of a trained net's layers: measured once, and added to the record of its run.

Source:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2 and figure 7.
"""

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from residua import events, runs, runtime
from residua.analyze.responses import responses
from residua.data.views import Whole
from residua.train.parallel import World

FILE = "responses.jsonl"
BATCH = 256


def recorded(folder: Path) -> float | None:
    """Return the mean response that was measured of a run; None if none was."""
    if not (folder / FILE).is_file():
        return None
    found = [event["mean"] for event in events.read(folder, FILE)]
    return found[0] if found else None


def look(folder: Path, world: World) -> None:
    """Measure the responses of the 3x3 layers on the test pictures, in float32 ([R]).

    Args:
        folder: of a finished run.
        world: the processes of this start; the leading one measures.
    """
    if not world.leads:
        return
    trained = runs.load(folder)
    images = trained.experiment.load_data().test.to(world.device)
    normalize = trained.normalize.to(world.device)

    def inputs() -> Iterator[Tensor]:
        for view in Whole().looks(images.shape).passes:
            for viewed in images.viewed(view, BATCH):
                yield normalize(viewed[:, 0])

    found = responses(trained.net.to(world.device), inputs())
    events.Log(folder, file=FILE).write(
        "responses",
        mean=found.mean,
        layers=[[layer.name, layer.std] for layer in found.layers],
        count=found.pictures,
        images="test",
        fingerprint=images.fingerprint(),
        weights=trained.experiment.select,
        environment=runtime.environment(world.device, runtime.pick_dtype("float32", world.device)),
        command=runtime.command_line(),
    )
