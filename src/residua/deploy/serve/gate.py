"""How many requests are under way, how many bytes they hold, and whether more may come in."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from residua.deploy.serve.limits import Limits
from residua.deploy.serve.problems import later

# Answers that the speed is told from.
REMEMBERED = 64


class Gate:
    """Lets requests in up to the limits. Only the thread of the event loop uses it.

    Args:
        limits: of the server.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.under_way = 0
        self.accepted = 0
        self.answered = 0
        self.bytes = 0
        self.closing = False
        self._moments: deque[float] = deque(maxlen=REMEMBERED)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Count a request while it is under way.

        Raises:
            RefusalError: as many as the limit allows are under way already.
        """
        if self.under_way >= self._limits.queue:
            raise later(
                f"{self.under_way} requests are under way, as many as this server takes at a time; "
                "come back later",
                self.patience(),
            )
        self.under_way += 1
        self.accepted += 1
        try:
            yield
        finally:
            self.under_way -= 1
            self.answered += 1
            self._moments.append(time.monotonic())

    def hold(self, count: int) -> None:
        """Count bytes of a request that are held.

        Raises:
            RefusalError: all requests together hold too many.
        """
        if self.bytes + count > self._limits.memory:
            raise later(
                f"the requests under way hold {self.bytes:,} bytes, and this server has room for "
                f"{self._limits.memory:,}; come back later",
                self.patience(),
            )
        self.bytes += count

    def release(self, count: int) -> None:
        """Count bytes that are held no more."""
        self.bytes -= count

    def patience(self) -> float:
        """Return the seconds in which what is under way will have been answered, as it seems."""
        if len(self._moments) < 2:
            return 1.0
        passed = max(time.monotonic() - self._moments[0], 1e-3)
        return min(60.0, self.under_way * passed / len(self._moments))
