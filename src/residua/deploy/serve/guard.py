"""Connections that take their time: ended, so that they keep no place from others.

A server of ASGI hands a request on once its first lines are whole. Who never sends them, or sends a
letter a minute ("slow loris"), is seen here alone.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from residua.deploy.serve.limits import Limits
from residua.deploy.serve.problems import MEDIA_TYPE, body_of

# Seconds for which what still comes in is thrown away behind the last answer of a connection.
LINGER = 2.0


class Guard(asyncio.Protocol):
    """Hands all that happens to a protocol of uvicorn, and ends the connection in time.

    Args:
        inner: a protocol of uvicorn; its `cycle` is the request that it has in hand.
        limits: of the server.
        others: how many connections there are.
    """

    def __init__(self, inner: Any, limits: Limits, others: Callable[[], int]) -> None:
        self._inner = inner
        self._limits = limits
        self._others = others
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._fed = False
        self._last = False
        # Both of uvicorn's protocols answer what is not HTTP in this way.
        inner.send_400_response = self._refuse_garbage

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        full = self._others() >= self._limits.connections
        self._inner.connection_made(_Closing(transport, self._close, self._over))
        if full:
            self._refuse(429, "too many connections; come back later", "Retry-After: 5\r\n")
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        if not self._last:
            self._fed = True
            self._inner.data_received(data)
            self._watch()

    def eof_received(self) -> Any:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self.resume_writing()
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """Give who does not take the answer the time that a request may take."""
        self._unread = self._later(self._limits.upload, self._transport.abort)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        self._inner.resume_writing()

    def _over(self) -> bool:
        return self._last or self._transport.is_closing()

    def _later(self, seconds: float, what: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, what)

    def _busy(self) -> bool:
        cycle = self._inner.cycle
        return cycle is not None and not cycle.response_complete

    def _watch(self) -> None:
        """Wait for the first lines of a request; the rest of it is timed where it is read."""
        if self._busy():
            self._stop()
        elif self._timer is None:
            self._timer = self._later(self._limits.head, self._late)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self._busy() or self._last:
            return
        if self._inner.cycle is None:
            self._refuse(408, f"no request arrived within {self._limits.head:g} s")
        else:
            self._close()

    def _refuse_garbage(self, msg: str) -> None:
        self._refuse(400, "what arrived is no request of HTTP/1.1")

    def _refuse(self, status: int, sentence: str, more: str = "") -> None:
        body = body_of(status, sentence)
        head = (
            f"HTTP/1.1 {status} \r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"{more}Connection: close\r\n\r\n"
        )
        self._transport.write(head.encode() + body)
        self._close()

    def _close(self) -> None:
        """Say that there is no more; what still comes in would else destroy the answer on its way.

        A system that closes a connection with bytes nobody has read tells the other side to forget
        all that was sent.
        """
        if self._last:
            return
        self._last = True
        self._stop()
        cycle = self._inner.cycle
        if not self._fed if cycle is None else not cycle.more_body:
            self._transport.close()
            return
        with suppress(OSError, RuntimeError):
            self._transport.write_eof()
            self._transport.resume_reading()
        self._timer = self._later(LINGER, self._transport.close)


class _Closing:
    """A transport that lets something else decide when it is closed."""

    def __init__(
        self, transport: Any, close: Callable[[], None], is_closing: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self.close = close
        self.is_closing = is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
