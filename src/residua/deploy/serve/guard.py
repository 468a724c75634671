"""Connections that take their time: ended, so that they keep no place from others.

A server of ASGI hands a request on once its first lines are whole. Who never sends them, or sends a
letter a minute ("slow loris"), is seen here alone.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from residua.deploy.serve.limits import Limits
from residua.deploy.serve.problems import MEDIA_TYPE, body_of


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
        # Both of uvicorn's protocols answer what is not HTTP in this way.
        inner.send_400_response = self._refuse_garbage

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        full = self._others() >= self._limits.connections
        self._inner.connection_made(transport)
        if full:
            self._refuse(429, "too many connections; come back later", "Retry-After: 5\r\n")
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._inner.data_received(data)
            self._watch()

    def eof_received(self) -> Any:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def _busy(self) -> bool:
        cycle = self._inner.cycle
        return cycle is not None and not cycle.response_complete

    def _watch(self) -> None:
        """Wait for the first lines of a request; the rest of it is timed where it is read."""
        if self._busy():
            self._stop()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._limits.head, self._late)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self._busy() or self._transport.is_closing():
            return
        if self._inner.cycle is None:
            self._refuse(408, f"no request arrived within {self._limits.head:g} s")
        else:
            self._transport.close()

    def _refuse_garbage(self, msg: str) -> None:
        self._refuse(400, "what arrived is no request of HTTP/1.1")

    def _refuse(self, status: int, sentence: str, more: str = "") -> None:
        body = body_of(status, sentence)
        head = (
            f"HTTP/1.1 {status} \r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"{more}Connection: close\r\n\r\n"
        )
        self._transport.write(head.encode() + body)
        self._transport.close()
