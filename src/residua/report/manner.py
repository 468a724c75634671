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
    yield from _parts(settings, processes)


def _parts(settings: Mapping[str, Any], processes: int) -> Iterator[str]:
    """Say in how many parts a batch passes through the net, and what batch norm sees of it."""
    parts, batch = settings.get("accumulate", 1), settings.get("batch_size", 0)
    seen = batch // parts // (1 if settings.get("sync_norm") else processes)
    if parts > 1:
        yield f"each batch of {batch} is computed in {parts} parts"
    if seen != batch:
        yield f"batch norm sees {seen} images at a time"
