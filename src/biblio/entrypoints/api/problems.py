"""Errors as RFC 9457 problem details, and the one table of their HTTP statuses."""

import logging
from math import ceil
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from biblio import errors
from biblio.errors import BiblioError

STATUS: dict[type[BiblioError], int] = {
    errors.InvalidInput: 422,
    errors.Unauthenticated: 401,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.LeaseLost: 409,
    errors.TooLarge: 413,
    errors.QuotaExceeded: 402,
    errors.RateLimited: 429,
    errors.Rejected: 502,
    errors.Unavailable: 503,
    errors.Misconfigured: 500,
    errors.AdapterError: 502,
    BiblioError: 500,
}
LONGEST_PATH = 200  # characters of it, in a log
RETRY_AFTER = 5  # seconds, where an engine that is down did not say

log = logging.getLogger(__name__)


class Problem(JSONResponse):
    media_type = "application/problem+json"


class ProblemShape(BaseModel):
    """RFC 9457. `code` is for programs and stable, `detail` a sentence for people; some problems say more."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str
    status: int
    code: str
    detail: str


_DOCUMENTED = {
    "model": ProblemShape,
    "content": {Problem.media_type: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}},
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {**_DOCUMENTED, "description": "The call can't be done as it is; `code` says why."},
    "5XX": {**_DOCUMENTED, "description": "Something on the server's side is down; most are worth another try."},
}
"""How every call says that it could not be done, for the OpenAPI document."""

strays = APIRouter(prefix="/api", include_in_schema=False)
"""Calls that there are not. Without it they would come to the page, which takes every address for its own."""
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


@strays.api_route("", methods=METHODS)
@strays.api_route("/{path:path}", methods=METHODS)
def stray(request: Request) -> None:
    """Raises 405 where another method would do, else 404."""
    documented = request.app.openapi()["paths"].items()
    there = [operations for template, operations in documented if compile_path(template)[0].match(request.url.path)]
    allow = ", ".join(sorted(method.upper() for operations in there for method in operations))
    raise HTTPException(405, headers={"Allow": allow}) if allow else HTTPException(404)


def problem(status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Problem:
    return Problem({"type": "about:blank", "status": status, "code": code, "detail": detail, **more}, status, headers)


def status_of(error: BiblioError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(BiblioError, _biblio_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _defect)


def _biblio_error(request: Request, error: Exception) -> Problem:
    assert isinstance(error, BiblioError)
    status = status_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status in (429, 503):
        headers["Retry-After"] = str(ceil(error.details.get("retry_after") or RETRY_AFTER))
    if status >= 500:
        method = request.scope.get("method", "WS")  # a handshake has none
        log.error("%s %s: %s", method, request.url.path[:LONGEST_PATH], error, exc_info=error)
    return problem(status, error.code, error.message, headers=headers, **_shown(error.details))


def _shown(details: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if value is not None}


def _invalid_request(_: Request, error: Exception) -> Problem:
    assert isinstance(error, RequestValidationError)
    fields = [
        {"field": ".".join(str(part) for part in item["loc"][1:]), "problem": str(item["msg"])}
        for item in error.errors()[:20]
    ]
    sentence = "; ".join(f"{field['field'] or 'the body'}: {field['problem']}" for field in fields)
    return problem(422, "INVALID_INPUT", sentence, fields=fields)


def _http_error(_: Request, error: Exception) -> Problem:
    assert isinstance(error, HTTPException)
    codes = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "TOO_LARGE"}
    code = codes.get(error.status_code, "HTTP_ERROR")
    return problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {}))


def _defect(request: Request, error: Exception) -> Problem:
    log.error("%s %s broke", request.method, request.url.path[:LONGEST_PATH], exc_info=error)
    return problem(500, "INTERNAL", "Something broke on our side; the log has the details.")
