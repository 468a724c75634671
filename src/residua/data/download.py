"""Fetch a file over HTTP: gone on with where it stopped, checked, and in its place only when whole.

What comes is written to `NAME.part` beside the place of the file. A server that breaks off or falls
silent is asked again for the rest, after a growing pause and in turn with the other servers; one
that answers that it will not, is not asked again. Whatever went before, the checksum decides.
"""

import errno
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from residua.data.partial import CHUNK, Part
from residua.errors import ConfigError, DataError

# Forbids all fetching, if it is set to anything.
OFFLINE = "RESIDUA_OFFLINE"

# What a failure takes from the patience with a server: it may pass; it sent something else than the
# file; it would answer the same again.
PASSING, WRONG, FINAL = 1, 2, 1_000_000

# Answers of a server that may be others a little later.
BUSY = {408, 425, 429, 500, 502, 503, 504}

# Called with the bytes that are there and, if the server tells, those of the whole file.
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Remote:
    """A file that can be fetched.

    Args:
        urls: of the same file on one or several servers, the preferred one first.
        checksum: "md5:" or "sha256:" and the hexadecimal digits, or at least the first eight.

    Raises:
        ConfigError: an address is not one of HTTP, or the checksum is none.
    """

    urls: tuple[str, ...]
    checksum: str

    def __post_init__(self) -> None:
        for url in self.urls:
            if not url.startswith(("http://", "https://")):
                raise ConfigError(
                    f"{url} cannot be fetched: it must begin with http:// or https://"
                )
        if not re.fullmatch(r"(md5|sha256):[0-9a-f]{8,64}", self.checksum):
            raise ConfigError(
                f"{self.checksum} is no checksum: it must be md5: or sha256: and at least eight "
                "hexadecimal digits"
            )


def silent(done: int, total: int | None) -> None:
    """Show no progress."""


def fetch(
    remote: Remote,
    path: Path,
    *,
    progress: Progress = silent,
    timeout: float = 30.0,
    patience: int = 4,
    pause: float = 1.0,
) -> Path:
    """Fetch a file, or the rest of it; a file that is there already is left as it is.

    Args:
        remote: what to fetch, and its checksum.
        path: where it shall be.
        progress: told how far it is.
        timeout: seconds without a single byte after which a server is taken for silent.
        patience: failures in a row, without a new byte, after which a server is not asked again.
        pause: seconds before a server is asked for the second time; they double each time.

    Returns:
        The path.

    Raises:
        DataError: no server gave the file, the disk is full, or fetching is forbidden; what has
            come is kept for the next time.
    """
    if path.exists():
        return path
    if os.environ.get(OFFLINE):
        raise DataError(
            f"{path} is not there, and {OFFLINE} forbids to fetch it: put the file of "
            f"{remote.urls[0]} there, or unset {OFFLINE}"
        )
    part = Part(path, remote.checksum)
    if part.is_whole:
        return part.become(path)
    failures = dict.fromkeys(remote.urls, 0)
    reasons: dict[str, str] = {}
    most = part.size
    while asked := [url for url in remote.urls if failures[url] < patience]:
        url = min(asked, key=failures.__getitem__)
        if url in reasons:
            time.sleep(pause * 2 ** max(failures[url] - 1, 0))
        try:
            _transfer(url, part, progress, timeout)
        except _AttemptError as failure:
            reasons[url] = str(failure)
            failures[url] = 0 if part.size > most else failures[url] + failure.cost
            most = max(most, part.size)
        else:
            return part.become(path)
    raise DataError(_explanation(path, reasons, part))


class _AttemptError(Exception):
    """Why an attempt did not give the file, and what that costs of the patience."""

    def __init__(self, reason: str, cost: int = PASSING) -> None:
        super().__init__(reason)
        self.cost = cost


def _transfer(url: str, part: Part, progress: Progress, timeout: float) -> None:
    """Ask one server once for what is missing, and check the whole."""
    resumed = part.size > 0
    headers = {"User-Agent": "residua", "Accept-Encoding": "identity"}
    if resumed:
        headers["Range"] = f"bytes={part.size}-"
    with _answers(part), urlopen(Request(url, headers=headers), timeout=timeout) as response:
        total = _begin(response, part)
        kind = response.headers.get_content_type()
        with part.opened(total) as file:
            progress(part.size, total)
            # Some servers keep the connection open after the last byte: that is not waited for.
            while (wanted := min(CHUNK, CHUNK if total is None else total - part.size)) > 0:
                piece = response.read1(wanted)
                if not piece:
                    break
                part.append(file, piece)
                progress(part.size, total)
    if total is not None and part.size < total:
        raise _AttemptError(f"the connection ended after {part.size:,} of {total:,} bytes")
    if not part.is_whole:
        found, size = part.found, part.size
        part.discard()
        # Of a file that came in two pieces, the first may have been of another version.
        raise _AttemptError(
            f"what it sent ({size:,} bytes of {kind}) has the {part.algorithm} {found} instead of "
            f"{part.expected}",
            PASSING if resumed else WRONG,
        )


def _begin(response: HTTPResponse, part: Part) -> int | None:
    """See what the server sends, the rest or all; return the size of the whole file."""
    if response.status == 206:
        sent = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if sent is None or int(sent[1]) != part.size:
            part.discard()
            raise _AttemptError("it sent another piece of the file than the one asked for")
        return None if sent[2] == "*" else int(sent[2])
    if response.status != 200:
        raise _AttemptError(f"it answered {response.status} {response.reason}", FINAL)
    part.discard()
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


@contextmanager
def _answers(part: Part) -> Iterator[None]:
    """Turn everything that can go wrong between here and a server into a failure."""
    try:
        yield
    except HTTPError as error:
        error.close()
        if error.code == 416 and part.size:
            part.discard()
            raise _AttemptError("it has less of the file than was here already") from None
        cost = PASSING if error.code in BUSY else FINAL
        raise _AttemptError(f"it answered {error.code} {error.reason}", cost) from None
    except TimeoutError:
        raise _AttemptError("it fell silent") from None
    except URLError as error:
        raise _unreached(error.reason) from None
    except (OSError, HTTPException, ValueError) as error:
        raise _AttemptError(f"the connection broke: {error or type(error).__name__}") from None


def _unreached(reason: object) -> _AttemptError:
    if isinstance(reason, TimeoutError):
        return _AttemptError("it does not answer")
    # A name that cannot be looked up and a network that is not there do not change in seconds.
    if isinstance(reason, socket.gaierror) or (
        isinstance(reason, OSError) and reason.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}
    ):
        return _AttemptError(f"it cannot be reached ({reason}); is there a network?", FINAL)
    untrusted = isinstance(reason, ssl.SSLCertVerificationError)
    return _AttemptError(f"no connection ({reason})", FINAL if untrusted else PASSING)


def _explanation(path: Path, reasons: dict[str, str], part: Part) -> str:
    tried = "; ".join(f"{url}: {reason}" for url, reason in reasons.items())
    kept = (
        f" {part.size:,} bytes have come and are kept: start again to go on." if part.size else ""
    )
    return f"cannot fetch {path.name} ({tried}).{kept} Or fetch it by hand and put it at {path}"
