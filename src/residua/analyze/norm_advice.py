"""What an examination of batch normalization means, in sentences, and what to do about it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from residua.analyze.batchnorm import Examination, InBatches, Measured

# A difference of two errors is taken for real above so many of its standard errors.
STANDARD_ERRORS = 2.0
# Batches are said to be too small if their error is by more than a tenth above the largest ones'.
MARGIN = 1.1


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was found.

    Args:
        says: what it is, in a sentence.
        do: what to do about it, or to heed later, in a sentence; empty where there is nothing.
        wrong: whether something is the matter with the net or with the pictures.
    """

    says: str
    do: str = ""
    wrong: bool = False


def advise(found: Examination) -> list[Finding]:
    """Say what an examination means: the gap, the layers, the statistics, the batches."""
    return [
        *_untouched(found),
        _drift(found),
        _gap(found),
        *_exact(found),
        *_small_batches(found),
        *_frozen(found),
    ]


def clear(one: Sequence[Measured], other: Sequence[Measured]) -> bool:
    """Tell whether two errors on the same pictures differ by more than chance.

    By two standard errors of the mean over pictures of the difference between how often each is
    named wrongly (for one measurement each, McNemar's test).

    Args:
        one: what was measured, once or in several orders of the pictures.
        other: likewise, with something else in the net.
    """
    difference_N = _how_often(one) - _how_often(other)
    error = difference_N.std(correction=0).item() / math.sqrt(len(difference_N))
    return abs(difference_N.mean().item()) > STANDARD_ERRORS * error


def _how_often(found: Sequence[Measured]) -> Tensor:
    return torch.stack([each.wrong_N.double() for each in found]).mean(dim=0)


def smallest_sound_batch(found: Examination) -> int | None:
    """Return the smallest batch from which on errors are hardly higher than with the largest.

    Higher is what is above by more than a tenth, and by more than chance. None if not even the
    second largest does.
    """
    *others, largest = found.batches
    sound: int | None = None
    for batch in reversed(others):
        if _worse(batch, largest):
            break
        sound = batch.size
    return sound


def _worse(batch: InBatches, largest: InBatches) -> bool:
    return batch.error > MARGIN * largest.error and clear(batch.found, largest.found)


def _untouched(found: Examination) -> Iterator[Finding]:
    names = [layer.name for layer in found.layers if layer.untouched]
    if names:
        yield Finding(
            says=(
                f"{_layers(len(names))} of {len(found.layers)} {_have(len(names))} the statistics "
                f"that layers are made with, mean 0 and variance 1 ({_some(names)}): no batch has "
                "passed through in training mode, or the file of the weights held none."
            ),
            do="Take exact statistics, or load weights that hold them.",
            wrong=True,
        )
    broken = [layer.name for layer in found.layers if not layer.finite]
    if broken:
        yield Finding(
            says=(
                f"{_layers(len(broken))} {'keeps' if len(broken) == 1 else 'keep'} statistics that "
                f"are no finite numbers ({_some(broken)}), so every output is wrong."
            ),
            do=(
                "Take exact statistics; then look for the update at which the loss stopped being "
                "finite."
            ),
            wrong=True,
        )


def _drift(found: Examination) -> Finding:
    bound = found.how.drifted
    far = [layer for layer in found.layers if layer.drift > bound]
    worst = found.layers[0]
    if not far:
        return Finding(
            says=(
                f"No layer has drifted by more than {bound:g} standard deviations: the furthest, "
                f"{worst.name}, is off by {worst.drift:.2f}."
            )
        )
    others = [f"{layer.name} by {layer.drift:.1f}" for layer in far[1:4]]
    more = f", and {len(far) - 4} more" if len(far) > 4 else ""
    also = f"; {', '.join(others)}{more}" if others else ""
    first = found.mended[0].measured
    return Finding(
        says=(
            f"{worst.name} has drifted by {worst.drift:.1f} standard deviations (its means are off "
            f"by {worst.shift:.1f}, its deviations by {worst.spread:.1f}), so in evaluation it "
            f"gives on numbers of another range than in training{also}. Exact statistics in "
            f"{worst.name} alone bring {_from_to(found.running, first)}."
        ),
        do=(
            "Take exact statistics; if training goes on, a smaller momentum of the running ones, "
            "or frozen normalization, keeps this from coming back."
        ),
        wrong=True,
    )


def _gap(found: Examination) -> Finding:
    largest, running = found.batches[-1], found.running
    gap = running.error - largest.error
    words = (
        f"the error is {running.error:.1f} % with the running statistics and {largest.error:.1f} % "
        f"with those of batches of {largest.size} (losses {running.loss:.3f} and "
        f"{largest.loss:.3f} nats)"
    )
    if not clear([running], largest.found):
        return Finding(
            says=f"No gap between training and evaluation beyond chance: {words}, on "
            f"{running.count:,} pictures."
        )
    if gap < 0:
        return Finding(
            says=f"The statistics of batches are worse than the running ones: {words}.",
            do="Evaluate in evaluation mode, as is usual; the running statistics are the better.",
        )
    return Finding(
        says=f"In evaluation the net loses {gap:.1f} points: {words}.",
        do=(
            f"Take exact statistics: with them the error is {found.exact.error:.1f} %."
            if _better(found.exact, running)
            else f"Exact statistics do not close it ({found.exact.error:.1f} %)."
        ),
        wrong=True,
    )


def _better(one: Measured, other: Measured) -> bool:
    return one.error < other.error and clear([one], [other])


def _exact(found: Examination) -> Iterator[Finding]:
    exact, running, largest = found.exact, found.running, found.batches[-1]
    if _better(running, exact):
        yield Finding(
            says=f"Exact statistics in all layers bring {_from_to(running, exact)}.",
            do=(
                "Keep the running ones: the pictures that the exact ones were averaged over are "
                "not those that the net learned from, or it has learned to live with what it keeps."
            ),
        )
    elif _better(exact, running) and not clear([running], largest.found):
        yield Finding(
            says=f"Exact statistics in all layers bring {_from_to(running, exact)}.",
            do="Use them: they cost nothing in use.",
            wrong=True,
        )
    if exact.error > largest.error and clear([exact], largest.found):
        yield Finding(
            says=(
                f"Even with exact statistics the error is {exact.error - largest.error:.1f} points "
                f"above that with the statistics of batches of these pictures ({exact.error:.1f} "
                f"and {largest.error:.1f} %), so these pictures are distributed otherwise than "
                "those learned from."
            ),
            do="Compare how both are read and normalized; else learn from pictures like these.",
            wrong=True,
        )


def _small_batches(found: Examination) -> Iterator[Finding]:
    if len(found.batches) < 2:
        return
    sound, first, largest = smallest_sound_batch(found), found.batches[0], found.batches[-1]
    if sound == first.size:
        yield Finding(
            says=(
                f"Batches of {first.size} are hardly worse than batches of {largest.size} "
                f"({first.error:.1f} and {largest.error:.1f} %)."
            )
        )
        return
    least = largest.size if sound is None else sound
    yield Finding(
        says=(
            f"The statistics of batches below {least} pictures are too noisy: with {first.size} "
            f"the error is {first.error:.1f} %, with {largest.size} {largest.error:.1f} %."
        ),
        do=(
            f"As a guide, train and fine-tune with at least {least} pictures per pass and process; "
            "where memory is too short for that, freeze normalization."
        ),
    )
    trained = found.how.trained_with
    if trained is not None and trained < least:
        yield Finding(
            says=f"The net was trained with {trained} pictures per pass, which is below {least}.",
            do="Train with larger batches or fewer parts of a batch, or freeze normalization.",
            wrong=True,
        )


def _frozen(found: Examination) -> Iterator[Finding]:
    if found.frozen:
        words = f"{_layers(found.frozen)} {'is' if found.frozen == 1 else 'are'} frozen"
        yield Finding(says=f"{words} and use what they keep in either mode: they are not examined.")


def _from_to(before: Measured, after: Measured) -> str:
    return f"the error from {before.error:.1f} to {after.error:.1f} %"


def _layers(count: int) -> str:
    return f"{count} layer" if count == 1 else f"{count} layers"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
