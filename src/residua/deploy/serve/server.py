"""The server process: a place to listen at, and an end that finishes what was begun."""

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from residua.deploy.serve.gate import Gate
from residua.deploy.serve.guard import Guard
from residua.deploy.serve.limits import Limits
from residua.errors import ConfigError

# Seconds without a request after which those who still have a connection will ask for nothing more.
QUIET = 0.3

BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Take a place to listen at; port 0 is any that is free.

    Raises:
        ConfigError: it is taken, not allowed, or no place of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    place = socket.socket(family)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
        place.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        place.close()
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"cannot listen at {host}:{port}: {why.lower()} (choose another with --port; 0 takes "
            "any that is free)"
        ) from None
    return place


class Server(uvicorn.Server):
    """Serves until it is told to stop, and then answers all who have asked.

    Args:
        config: of uvicorn.
        gate: is told that no further connections come in.
        limits: of the server.
    """

    def __init__(self, config: uvicorn.Config, gate: Gate, limits: Limits) -> None:
        super().__init__(config)
        self._gate = gate
        self._limits = limits

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, answer those there are, and close."""
        # What the system has connected already becomes a connection of ours first.
        await asyncio.sleep(0.05)
        for server in self.servers:
            server.close()
        self._gate.closing = True
        await self._all_answered()
        await super().shutdown(sockets)

    async def _all_answered(self) -> None:
        """Wait until nobody has asked for a while; a request may be on its way here."""
        end = quiet_since = time.monotonic()
        end += self._limits.shutdown
        while (now := time.monotonic()) < min(end, quiet_since + QUIET) and not self.force_exit:
            if any(_asking(connection) for connection in self.server_state.connections):
                quiet_since = now
            await asyncio.sleep(0.02)


def _asking(connection: Any) -> bool:
    cycle = connection.cycle
    return cycle is not None and not cycle.response_complete


def serve(app: Any, place: socket.socket, gate: Gate, limits: Limits) -> None:
    """Serve an application of ASGI at a place until the process is told to stop."""
    server = make(app, gate, limits)
    # When all is answered, uvicorn raises the signal again; to stop in this way is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[place])


def make(app: Any, gate: Gate, limits: Limits) -> Server:
    """Make a server of an application of ASGI, with a guard before every connection."""

    # Whatever else is installed: this protocol bounds the first lines of a request.
    def guarded(**given: Any) -> Guard:
        connections = given["server_state"].connections
        return Guard(H11Protocol(**given), limits, lambda: len(connections))

    protocol: Callable[..., Any] = guarded
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    config = uvicorn.Config(
        app,
        http=protocol,  # type: ignore[arg-type]
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=limits.idle,
        timeout_graceful_shutdown=max(1, round(limits.shutdown)),
    )
    return Server(config, gate, limits)
