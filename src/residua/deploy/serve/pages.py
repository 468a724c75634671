"""What is shown in a browser: the page to try pictures on, the run, and the interface."""

from collections.abc import Mapping
from importlib import resources
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from residua.deploy.serve.problems import RefusalError
from residua.report import page

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# Nothing but what this server has, no script or style inside the page.
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# These have no script at all, and their style in themselves.
WRITTEN = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
INDEX = "index.html"


def install(app: FastAPI, model: Mapping[str, Any]) -> None:
    """Add the pages to an application.

    Args:
        app: the interface.
        model: what is served, as /v1/model says it.
    """
    files = _files()

    @app.get("/", include_in_schema=False)
    async def try_it() -> Response:
        return files[INDEX]

    @app.get("/page/{name}", include_in_schema=False)
    async def part(name: str) -> Response:
        if name not in files:
            raise RefusalError(404, f"the page has no part {name[:40]}")
        return files[name]

    @app.get("/model", include_in_schema=False)
    async def about() -> Response:
        return _written("served.html", {"model": model})

    @app.get("/docs", include_in_schema=False)
    async def interface(request: Request) -> Response:
        asks = "/v1/classify" if model["kind"] == "classifier" else "/v1/detect"
        place = str(request.base_url).rstrip("/")
        values = {"asks": asks, "place": place, "paths": operations(app.openapi())}
        return _written("interface.html", values)


def operations(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List what an interface can be asked for, from its OpenAPI description; pictures first."""
    listed = [
        {
            "method": method.upper(),
            "path": path,
            "summary": described.get("description") or described.get("summary", ""),
            "parameters": [
                {"name": each["name"], "what": each.get("description", ""), "schema": _kind(each)}
                for each in described.get("parameters", ())
            ],
            "takes": list(described.get("requestBody", {}).get("content", ())),
            "answers": {
                status: each.get("description", "")
                for status, each in described["responses"].items()
            },
        }
        for path, methods in schema["paths"].items()
        for method, described in methods.items()
    ]
    return sorted(listed, key=lambda each: each["method"] != "POST")


def _kind(parameter: Mapping[str, Any]) -> str:
    """Say what a parameter may be: "integer, 1 to 1000, by default 5"."""
    schema = parameter["schema"]
    said = [schema.get("type", "")]
    if "minimum" in schema and "maximum" in schema:
        said.append(f"{schema['minimum']:g} to {schema['maximum']:g}")
    if "default" in schema:
        said.append(f"by default {str(schema['default']).lower()}")
    return ", ".join(said)


def _files() -> dict[str, Response]:
    """Read all parts of the page once; no name that a stranger sends reaches a file."""
    folder = resources.files("residua.deploy.serve") / "page"
    headers = {"content-security-policy": STRICT, "cache-control": "no-cache"}
    return {
        item.name: Response(
            item.read_bytes(), 200, headers, TYPES[item.name[item.name.rfind(".") :]]
        )
        for item in folder.iterdir()
        if item.name[item.name.rfind(".") :] in TYPES
    }


def _written(template: str, values: Mapping[str, object]) -> Response:
    headers = {"content-security-policy": WRITTEN}
    return Response(page.filled(template, values), 200, headers, TYPES[".html"])
