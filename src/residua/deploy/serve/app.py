"""The interface for programs: what may be asked, and what is answered.

Dimension key:
    h, w height and width of an activation map
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from residua.deploy.serve import metrics, pages, problems
from residua.deploy.serve.entrance import Entrance
from residua.deploy.serve.line import Wish
from residua.deploy.serve.problems import RefusalError
from residua.deploy.serve.schema import Classified, Detected, Model, Trouble
from residua.deploy.serve.service import Service
from residua.deploy.serve.uploads import Upload, received

Answers = dict[int | str, dict[str, Any]]

TROUBLES: Answers = {
    400: {"description": "the request is not whole or no form", "model": Trouble},
    401: {"description": "the key is missing or wrong", "model": Trouble},
    408: {"description": "the request arrived too slowly", "model": Trouble},
    413: {"description": "the request has too many bytes, parts or pictures", "model": Trouble},
    415: {"description": "no picture of a kind that is read", "model": Trouble},
    421: {"description": "the server was asked for by another's name", "model": Trouble},
    422: {"description": "a picture or a parameter that makes no sense", "model": Trouble},
    429: {"description": "too much at the moment; Retry-After says when", "model": Trouble},
    503: {"description": "the network took too long; Retry-After says when", "model": Trouble},
}
PICTURE = {"schema": {"type": "string", "format": "binary"}}
TAKES = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": PICTURE,
            "application/octet-stream": PICTURE,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "array", "items": PICTURE["schema"]}},
                }
            },
        },
    }
}

Top = Annotated[int, Query(ge=1, le=1000, description="classes that are named")]
Maps = Annotated[bool, Query(description="add class activation maps, of ten classes at most")]
Invert = Annotated[bool, Query(description="swap light and dark first")]
Threshold = Annotated[float, Query(ge=0, le=1, description="least score of an object")]


def build(service: Service, *, key: str = "", hosts: Collection[str] = ()) -> ASGIApp:
    """Build the application of a server.

    Args:
        service: of a run.
        key: that must be shown; none if empty.
        hosts: names by which the server may be asked for; any if there are none.
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        service.line.start()
        yield
        await asyncio.to_thread(service.line.close)

    app = FastAPI(
        title="Residua",
        version=metadata.version("residua"),
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    problems.install(app)
    _add_states(app, service)
    if service.kind == "classifier":
        _add_naming(app, service)
    else:
        _add_finding(app, service)
    pages.install(app, service.model)
    numbers = service.numbers
    return Entrance(app, service.gate, numbers.requests, numbers.seconds, key, hosts)


def _add_states(app: FastAPI, service: Service) -> None:
    @app.get("/health", summary="Whether the process is there", response_description="it is")
    async def health() -> dict[str, str]:
        return {"status": "alive"}

    stopping: Answers = {503: {"description": "no: the server has been told to stop"}}

    @app.get(
        "/ready",
        summary="Whether pictures are answered",
        response_description="yes",
        responses=stopping,
    )
    async def ready() -> Response:
        good = service.line.works and not service.gate.closing
        return JSONResponse({"status": "ready" if good else "closing"}, 200 if good else 503)

    @app.get("/metrics", summary="Numbers for Prometheus", response_description="text")
    async def numbers() -> Response:
        return Response(service.numbers.text(), media_type=metrics.MEDIA_TYPE)

    said: Answers = {200: {"model": Model, "description": "kind, classes, size, limits"}}

    @app.get("/v1/model", summary="What is served", responses=said)
    async def model() -> Response:
        return JSONResponse(service.model)


def _add_naming(app: FastAPI, service: Service) -> None:
    answers: Answers = {200: {"model": Classified, "description": "what is on them"}, **TROUBLES}

    @app.post(
        "/v1/classify",
        summary="Name what is on pictures",
        responses=answers,
        openapi_extra=TAKES,
    )
    async def classify(
        request: Request, top: Top = 5, maps: Maps = False, invert: Invert = False
    ) -> Response:
        if maps and not service.model["maps"]:
            raise RefusalError(422, "maps: this network has no exact class activation maps")
        return await _answered(request, service, Wish(top=top, maps=maps, invert=invert))

    @app.post("/v1/detect", include_in_schema=False)
    async def detect() -> Response:
        raise RefusalError(
            404, "this server names what is on pictures and finds no objects: ask /v1/classify"
        )


def _add_finding(app: FastAPI, service: Service) -> None:
    answers: Answers = {200: {"model": Detected, "description": "what is on them"}, **TROUBLES}

    @app.post(
        "/v1/detect",
        summary="Find objects on pictures",
        responses=answers,
        openapi_extra=TAKES,
    )
    async def detect(request: Request, threshold: Threshold = 0.5) -> Response:
        return await _answered(request, service, Wish(threshold=threshold))

    @app.post("/v1/classify", include_in_schema=False)
    async def classify() -> Response:
        raise RefusalError(
            404, "this server finds objects on pictures and names no pictures: ask /v1/detect"
        )


async def _answered(request: Request, service: Service, wish: Wish) -> Response:
    """Answer all pictures of a request; one that cannot be read is the answer to all of it."""
    began = time.perf_counter()
    async with received(request, service.limits, service.gate) as uploads:
        arrived = time.perf_counter() - began
        results = await _results(uploads, service, wish)
    told = {
        "model": service.model["name"],
        "results": results,
        "seconds": {
            "upload": round(arrived, 6),
            "total": round(time.perf_counter() - began, 6),
        },
    }
    return Response(json.dumps(told, ensure_ascii=False).encode(), media_type="application/json")


async def _results(uploads: list[Upload], service: Service, wish: Wish) -> list[dict[str, Any]]:
    asked = [
        asyncio.ensure_future(service.line.ask(upload.content, wish, service.limits.wait))
        for upload in uploads
    ]
    try:
        outcomes = await asyncio.gather(*asked)
    finally:
        # If one has failed, the others are not computed for nobody.
        for each in asked:
            each.cancel()
    results = []
    for upload, outcome in zip(uploads, outcomes, strict=True):
        service.numbers.add(outcome)
        seconds = {
            "read": round(outcome.read, 6),
            "waited": round(outcome.waited, 6),
            "network": round(outcome.computed, 6),
        }
        results.append(
            {
                "name": upload.name,
                **outcome.content,
                "together": outcome.together,
                "seconds": seconds,
            }
        )
    return results
