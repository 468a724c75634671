"""`residua serve`: a trained run behind a web page and an interface for programs."""

import dataclasses
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional

from residua import runtime
from residua.cli.asked import load
from residua.cli.options import parse
from residua.cli.screen import say
from residua.deploy.serve.limits import Limits
from residua.errors import ConfigError
from residua.extras import EXTRAS, require
from residua.runtime import Precision

KEY = "RESIDUA_KEY"
OWN = ("localhost", "127.0.0.1", "[::1]")


@dataclasses.dataclass(frozen=True)
class Options:
    """Show pictures to the network of a run on a web page, or by programs.

    residua serve RUN, then open the address that it prints. If the environment variable RESIDUA_KEY
    is set, who asks must show that key.

    Attributes:
        run: the folder of the run or of what `residua optimize` made of it, or "last".
        port: to listen at; 0 for any that is free.
        host: the address to listen at. By default nobody but this machine can ask; 0.0.0.0 lets
            everybody who reaches this machine.
        hosts: names by which the server may be asked for, besides those of this machine; by default
            any where it listens to others.
        weights: best or last; by default those that the run was tested with.
        runs: the folder of all runs.
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: of convolutions; auto is bfloat16 where the hardware has it.
        threads: of the network; by default as many as there are cores.
        together: pictures that the network is given at a time at most; by default 16, detectors 4.
        limits: what the server takes on.
    """

    run: Annotated[str, Positional]
    port: int = 8000
    host: str = "127.0.0.1"
    hosts: tuple[str, ...] = ()
    weights: Literal["best", "last"] | None = None
    runs: Path = Path("runs")
    device: str = "auto"
    precision: Precision = "auto"
    threads: int | None = None
    together: int | None = None
    limits: Limits = dataclasses.field(default_factory=Limits)


def main(words: Sequence[str]) -> None:
    """Serve until the process is told to stop, and say what was answered.

    Raises:
        ConfigError: an option makes no sense, the place is taken, or a package is missing.
        CheckpointError: there is no such run, or it has no weights.
        RunError: the network of the run answers with what is no number.
    """
    options = parse("serve", Options, words)
    _check(options)
    from residua.deploy.serve import app, server
    from residua.deploy.serve.service import service

    runtime.set_threads(options.threads)
    # The network asks for the same large blocks with every batch, in a thread of its own.
    runtime.hold_freed_memory(of_threads=True)
    with server.listen(options.host, options.port) as place:
        made = service(load(options), options.limits, together=options.together)
        key = os.environ.get(KEY, "")
        _say_where(made.model["name"], options, place.getsockname()[1], key)
        application = app.build(made, key=key, hosts=_hosts(options))
        server.serve(application, place, made.gate, made.limits)
    say(f"answered {made.gate.answered:,} of {made.gate.accepted:,} accepted requests")


def _check(options: Options) -> None:
    require("a server", EXTRAS["serve"])
    if not 0 <= options.port <= 65_535:
        raise ConfigError(f"port must be at least 0 and at most 65535, got {options.port}")
    if options.together is not None and options.together < 1:
        raise ConfigError(f"together must be at least 1, got {options.together}")
    options.limits.check()


def _alone(host: str) -> bool:
    """Whether nobody but this machine can ask at an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _hosts(options: Options) -> set[str]:
    """List the names by which the server may be asked for; none for any."""
    named = {host.lower() for host in options.hosts}
    return {*OWN, _written(options.host), *named} if _alone(options.host) or named else set()


def _written(host: str) -> str:
    """Write an address as it stands in front of a port."""
    return f"[{host}]" if ":" in host else host


def _say_where(name: str, options: Options, port: int, key: str) -> None:
    host = _written(options.host)
    if not _alone(options.host) and not key:
        say(f"everybody who reaches {host} can ask: set {KEY} to a key that they must show")
    say(f"serving {name} at http://{host}:{port}/ (Ctrl-C stops it)")
