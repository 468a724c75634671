"""What every request passes: who may ask, how many at a time, and what every answer carries."""

import hmac
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from residua.deploy.serve.gate import Gate
from residua.deploy.serve.metrics import Spread, Tally
from residua.deploy.serve.problems import RefusalError, answer

# What tells nothing of a run, and is there without a key.
OPEN = frozenset({"/", "/docs", "/openapi.json", "/health", "/ready"})
FILES = "/page/"
ASKING = frozenset({"/v1/classify", "/v1/detect"})

SAFE = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
logger = logging.getLogger("residua.serve")

LAST = (b"connection", b"close")


@dataclass(frozen=True)
class Entrance:
    """`await entrance(scope, receive, send)`: the application behind it, for those who may ask.

    Args:
        app: of ASGI.
        gate: counts requests.
        requests: by place and status.
        seconds: of answers about pictures.
        key: that must be shown; none if empty.
        hosts: names by which the server may be asked for; any if there are none.
    """

    app: ASGIApp
    gate: Gate
    requests: Tally
    seconds: Spread
    key: str
    hosts: Collection[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, place = time.perf_counter(), 0, _place(scope["path"])

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": self._complete(message["headers"])}
            await send(message)

        try:
            await self._pass(scope, receive, sending)
        except Exception:
            # It has been answered; raised further it would end the connection without a word.
            logger.exception("at %s", place)
        finally:
            self.requests.add(place, str(status))
            if place in ASKING:
                self.seconds.add(time.perf_counter() - began)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check(scope["path"], Headers(scope=scope))
            if scope["path"] in ASKING and scope["method"] == "POST":
                with self.gate.entered():
                    await self.app(scope, receive, send)
            else:
                await self.app(scope, receive, send)
        except RefusalError as refusal:
            await answer(refusal)(scope, receive, send)

    def _check(self, path: str, headers: Mapping[str, str]) -> None:
        host = headers.get("host", "")
        if self.hosts and host and _name(host) not in self.hosts:
            # A stranger's page can make its own name lead here, and then read what we answer it.
            raise RefusalError(421, f"this server is not called {host[:80]} (--hosts adds a name)")
        closed = path not in OPEN and not path.startswith(FILES)
        if self.key and closed and not hmac.compare_digest(_shown(headers), self.key.encode()):
            raise RefusalError(
                401,
                'this server wants a key: send it as "Authorization: Bearer KEY"',
                {"WWW-Authenticate": "Bearer"},
            )

    def _complete(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Add what every answer carries where an answer does not say it itself."""
        said = {name for name, _ in headers}
        last = [LAST] if self.gate.closing and b"connection" not in said else []
        return [*headers, *(pair for pair in SAFE if pair[0] not in said), *last]


def _place(path: str) -> str:
    """Name the place of a request; strangers' inventions are all one."""
    if path in ASKING or path in OPEN or path in {"/metrics", "/v1/model", "/model"}:
        return path
    return FILES if path.startswith(FILES) else "other"


def _name(host: str) -> str:
    """Leave out the port: localhost:8000, [::1]:8000."""
    return host.rpartition("]")[0] + "]" if "]" in host else host.partition(":")[0].lower()


def _shown(headers: Mapping[str, str]) -> bytes:
    kind, _, key = headers.get("authorization", "").partition(" ")
    return key.strip().encode("latin-1") if kind.lower() == "bearer" else b""
