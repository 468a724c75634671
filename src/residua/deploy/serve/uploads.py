"""The pictures in a request: one as its body, or several as the files of a form."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from starlette.requests import ClientDisconnect, Request

from residua.deploy.serve import forms, kinds
from residua.deploy.serve.gate import Gate
from residua.deploy.serve.limits import Limits
from residua.deploy.serve.problems import RefusalError

LONGEST_NAME = 100


class Upload(NamedTuple):
    """A picture file: what it is called, without any folder, and its bytes."""

    name: str
    content: bytes


@asynccontextmanager
async def received(request: Request, limits: Limits, gate: Gate) -> AsyncIterator[list[Upload]]:
    """Receive the pictures of a request; their bytes are counted until the block ends.

    Raises:
        RefusalError: they are too large or too slow, or there is none; it says which.
    """
    _check(request, limits)
    parts: list[bytes] = []
    held = 0
    try:
        async with asyncio.timeout(limits.upload):
            async for part in request.stream():
                gate.hold(len(part))
                held += len(part)
                if held > limits.body:
                    raise _too_large(limits)
                parts.append(part)
        body = b"".join(parts)
        parts.clear()
        yield _uploads(request, body, limits)
    except TimeoutError:
        raise RefusalError(
            408,
            f"the request did not arrive whole within {limits.upload:g} s",
            {"Connection": "close"},
        ) from None
    except ClientDisconnect:
        raise RefusalError(400, "the connection ended before the request did") from None
    finally:
        gate.release(held)


def plain_name(name: str) -> str:
    """Leave of a file's name what stands behind the last folder and can be shown."""
    last = re.split(r"[\\/]", name)[-1]
    shown = "".join(letter for letter in last if letter.isprintable()).strip(" .")
    return shown[:LONGEST_NAME] or "picture"


def _check(request: Request, limits: Limits) -> None:
    """Refuse by what stands above a request, before the rest of it is read."""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limits.body:
        raise _too_large(limits)
    packed = request.headers.get("content-encoding", "identity").lower()
    if packed != "identity":
        raise RefusalError(415, f"a request packed as {packed[:40]} is not read: send it as it is")


def _too_large(limits: Limits) -> RefusalError:
    return RefusalError(413, f"a request may have {limits.body:,} bytes: send a smaller picture")


def _uploads(request: Request, body: bytes, limits: Limits) -> list[Upload]:
    content_type = request.headers.get("content-type", "")
    if not forms.is_form(content_type):
        kinds.check("what was sent", body)
        return [Upload("picture", body)]
    files = forms.files(content_type, body, limits.pictures)
    uploads = [Upload(plain_name(file.name), file.content) for file in files]
    if not uploads:
        raise RefusalError(422, "the form has no file: send pictures as its files")
    for upload in uploads:
        kinds.check(upload.name, upload.content)
    return uploads
