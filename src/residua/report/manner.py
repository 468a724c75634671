"""How an experiment trains, where that is not the usual way, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from residua.report.page import phrase


def manner(settings: Mapping[str, Any], *, processes: int = 1) -> list[str]:
    """Say which settings differ from the usual ones.

    Args:
        settings: of the experiment, as plain values.
        processes: that share each batch.
    """
    return list(_told(settings, processes))


def _told(settings: Mapping[str, Any], processes: int) -> Iterator[str]:
    normalize = settings.get("normalize") or {"kind": "channel_stats"}
    if normalize["kind"] != "channel_stats":
        yield f"normalization: {phrase(normalize)}"
    loss = {name: value for name, value in (settings.get("loss") or {}).items() if value}
    if loss:
        yield f"loss: cross-entropy, {phrase(loss)}"
    average = settings.get("average") or {"decay": 0}
    if average["decay"]:
        yield f"tested: an average of the weights, {phrase(average)}"
    if settings.get("weights"):
        yield f"begins from the weights of {settings['weights']}"
    if settings.get("balance"):
        yield "every class is shown equally often"
    if settings.get("clip"):
        yield f"gradients longer than {settings['clip']:g} are scaled down to it"
    if _detects(settings):
        yield from _of_detectors(settings)
    yield from _parts(settings, processes)


def _detects(settings: Mapping[str, Any]) -> bool:
    return "training" in settings


def _of_detectors(settings: Mapping[str, Any]) -> Iterator[str]:
    """Say what only a detector's training can be."""
    first = settings.get("pretrain")
    if first and not settings.get("weights"):
        plain = settings.get("trunk_statistics") == "plain"
        what = ", and its normalization averaged over pictures that are not augmented"
        yield f"the trunk is trained first, as {first['name']}{what if plain else ''}"
    if settings["training"] == "alternating":
        yield (
            "alternating training: proposals, then regions with a trunk of their own, then both "
            "again on the trunk of the regions"
        )
    sizes = settings.get("step_batches")
    if sizes:
        yield f"its steps have batches of {', '.join(map(str, sizes))} images"
    for_steps = settings.get("rate_step_batches")
    if for_steps and for_steps != sizes:
        yield (
            f"rates are in proportion to these, as given for batches of "
            f"{', '.join(map(str, for_steps))}"
        )
    meant, batch = settings.get("rate_batch", 0), settings.get("batch_size", 0)
    if meant and meant != batch:
        yield (
            f"rates are {batch / meant:g} times those given for batches of {meant}, in proportion "
            f"to the batch of {batch}"
        )
    every = settings.get("look_every", 1)
    if every > 1:
        yield f"looks at the validation images, and points of the curves, {every} epochs apart"


def _parts(settings: Mapping[str, Any], processes: int) -> Iterator[str]:
    """Say in how many parts a batch passes through the net, and what batch norm sees of it."""
    parts, batch = settings.get("accumulate", 1), settings.get("batch_size", 0)
    seen = batch // parts // (1 if settings.get("sync_norm") else processes)
    if parts > 1:
        yield f"each batch of {batch} is computed in {parts} parts"
    frozen = (settings.get("net") or {}).get("freeze_norm", False)
    if seen != batch and not frozen:
        yield f"batch norm sees {seen} images at a time"
