"""Does a training that was stopped end as one that was not? Try it, and compare bit for bit."""

import dataclasses
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from residua import events, execute
from residua.data.loading import Splits
from residua.data.objects import AnnotatedSplits
from residua.detection_experiment import AnyExperiment
from residua.errors import ConfigError, RunError
from residua.session import STATE
from residua.train import checkpoint

COMPARED = ("results.csv", "weights/last.safetensors", "weights/best.safetensors")
RESULTS = (
    *("test_error", "top5_error", "calibration_error", "loss", "confusion"),
    *("train_error", "validation_error", "selected_iteration"),
)
DETECTION_RESULTS = ("test_map", "scores", "train_loss", "validation_map", "selected_iteration")


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What became of two trainings of one experiment.

    Args:
        updates: of each.
        stopped: iterations after which the second was stopped, and how.
        differences: what is not equal to the last bit; empty if all is.
    """

    updates: int
    stopped: tuple[tuple[int, str], ...]
    differences: tuple[str, ...]


def compare(
    experiment: AnyExperiment,
    *,
    root: Path,
    device: str = "auto",
    listen: events.Listener | None = None,
) -> Comparison:
    """Train twice, the second time with two stops: one that saves first, and one that cannot.

    The first stop is Ctrl-C, after a third of the updates; the second an error after two thirds,
    so that the training goes back to a checkpoint.

    Args:
        experiment: its schedule says how many updates are made.
        root: a folder for the two runs.
        device: where to train.
        listen: called with the events of all stretches.

    Raises:
        ConfigError: there are too few updates to stop between them.
        RunError: a training failed by itself.
    """
    updates = experiment.schedule.until
    if updates < 6:
        raise ConfigError(f"updates must be at least 6, to be stopped between them, got {updates}")
    straight = execute.run(
        experiment, root=root, name="straight", device=device, listen=listen, page=False
    ).folder
    stops = ((updates // 3, "Ctrl-C"), (2 * updates // 3, "an error"))
    stopped = straight.with_name("stopped")
    with _stopping(stops[0][0], listen, signal.SIGINT) as heard:
        execute.run(experiment, root=root, name="stopped", device=device, listen=heard, page=False)
    given = {
        "net": None if dataclasses.is_dataclass(experiment.net) else experiment.net,
        "data": experiment.data if isinstance(experiment.data, Splits | AnnotatedSplits) else None,
    }
    with _stopping(stops[1][0], listen, None) as heard:
        execute.resume(stopped, **given, device=device, listen=heard, page=False)
    execute.resume(stopped, **given, device=device, listen=listen, page=False)
    return Comparison(updates, stops, tuple(_differences(straight, stopped)))


class _StopError(Exception):
    """Ends a training without a chance to save."""


@contextmanager
def _stopping(
    iteration: int, listen: events.Listener | None, number: signal.Signals | None
) -> Iterator[events.Listener]:
    """Yield a listener that stops the training after an iteration, by a signal or by an error."""
    came = False

    def heard(event: events.Event) -> None:
        nonlocal came
        if listen is not None:
            listen(event)
        if event["kind"] == "update" and event["iteration"] == iteration:
            came = True
            if number is None:
                raise _StopError
            signal.raise_signal(number)

    try:
        yield heard
    except (_StopError, RunError):
        if not came:
            raise


def _differences(straight: Path, stopped: Path) -> Iterator[str]:
    """Say what of two finished runs is not equal."""
    for name in COMPARED:
        one, two = straight / name, stopped / name
        if one.exists() != two.exists() or (one.exists() and one.read_bytes() != two.read_bytes()):
            yield f"{name} differs"
    results = [events.result(events.read(folder)) or {} for folder in (straight, stopped)]
    for name in DETECTION_RESULTS if "test_map" in results[0] else RESULTS:
        if not all(name in result for result in results):
            yield f"{name} is not recorded"
            continue
        one, two = (result[name] for result in results)
        if one != two:
            yield f"{name} is {one} and {two}"
    states = [
        checkpoint.latest(folder / "checkpoints", keys=STATE) for folder in (straight, stopped)
    ]
    # The time that a training took is all that two of them may differ in.
    for part in sorted(STATE - {"seconds"}):
        one, two = (state[part] for state in states)
        if not _equal(one, two):
            yield f"the state of the {part} differs"


def _equal(one: object, two: object) -> bool:
    """Compare nested dicts and lists of tensors and numbers."""
    if isinstance(one, Tensor) and isinstance(two, Tensor):
        return torch.equal(one, two)
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        return one.keys() == two.keys() and all(_equal(one[key], two[key]) for key in one)
    if isinstance(one, Sequence) and isinstance(two, Sequence) and not isinstance(one, str):
        return len(one) == len(two) and all(map(_equal, one, two))
    return one == two
