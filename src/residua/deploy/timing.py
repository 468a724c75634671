"""How long calls take, measured side by side."""

import time
from collections.abc import Callable, Sequence

# Calls that are shorter are repeated until they take so long together.
LEAST_SECONDS = 0.02


def interleaved(calls: Sequence[Callable[[], object]], *, rounds: int) -> list[list[float]]:
    """Time calls in turns, so that whatever else the machine does falls on all alike.

    Every turn begins with a call that does not count: after another's turn its weights are not in
    the caches, and threads of the other may still be waiting for work. The order is turned round
    from one round to the next.

    Args:
        calls: to time; each is called twice beforehand.
        rounds: turns of each.

    Returns:
        Of each call the seconds of every round.
    """
    repeats = [_repeats(call) for call in calls]
    taken: list[list[float]] = [[] for _ in calls]
    for number in range(rounds):
        order = range(len(calls))
        for index in order if number % 2 else reversed(order):
            calls[index]()
            began = time.perf_counter()
            for _ in range(repeats[index]):
                calls[index]()
            taken[index].append((time.perf_counter() - began) / repeats[index])
    return taken


def _repeats(call: Callable[[], object]) -> int:
    call()
    began = time.perf_counter()
    call()
    return max(1, round(LEAST_SECONDS / max(time.perf_counter() - began, 1e-6)))
