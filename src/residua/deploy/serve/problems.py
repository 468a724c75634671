"""What a client is told when it does not get what it asked for: a status and a sentence.

Sources:
    [P] RFC 9457, Problem Details for HTTP APIs.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from residua.errors import DataError

MEDIA_TYPE = "application/problem+json"
LONGEST = 500


class RefusalError(Exception):
    """A request that is not answered, or not now.

    Args:
        status: of HTTP.
        sentence: what was given, which rule it breaks, what to do about it.
        headers: of the answer.
    """

    def __init__(
        self, status: int, sentence: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = dict(headers or {})


def later(sentence: str, seconds: float) -> RefusalError:
    """Make the refusal of what is too much at the moment, with the time to come back."""
    return RefusalError(429, sentence, {"Retry-After": str(max(1, round(seconds)))})


def body_of(status: int, sentence: str) -> bytes:
    """Write a refusal as [P] says."""
    told = sentence if len(sentence) <= LONGEST else f"{sentence[:LONGEST]}..."
    details = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": told[:1].upper() + told[1:],
    }
    return json.dumps(details, ensure_ascii=False).encode("utf-8", "replace")


def answer(refusal: RefusalError) -> Response:
    """Make the answer to a request that is refused."""
    content = body_of(refusal.status, refusal.sentence)
    return Response(content, refusal.status, refusal.headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let an application answer whatever goes wrong in this form."""
    app.add_exception_handler(RefusalError, _refused)
    app.add_exception_handler(DataError, _unreadable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _no_such_place)
    app.add_exception_handler(Exception, _failed)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)
    return answer(error)


async def _unreadable(request: Request, error: Exception) -> Response:
    return answer(RefusalError(422, str(error)))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    told = [
        f"the parameter {fault['loc'][-1]}: {fault['msg'].lower()}, got {str(fault['input'])[:60]}"
        for fault in error.errors()
    ]
    return answer(RefusalError(422, "; ".join(told)))


async def _no_such_place(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    place = request.url.path[:80]
    match error.status_code:
        case 404:
            sentence = f"there is nothing at {place} (/docs lists what there is)"
        case 405:
            sentence = f"{place} does not take {request.method} (/docs lists what it takes)"
        case _:
            sentence = str(error.detail)
    return answer(RefusalError(error.status_code, sentence, error.headers))


async def _failed(request: Request, error: Exception) -> Response:
    # The framework raises the error again behind this answer; the entrance writes it to the log.
    return answer(RefusalError(500, "the server failed at this request; its log says where"))
