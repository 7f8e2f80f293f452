"""Errors as RFC 9457 problem details, and the one table of their HTTP statuses."""

import logging
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

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
    errors.RateLimited: 429,
    errors.Rejected: 502,
    errors.Unavailable: 503,
    errors.Misconfigured: 500,
    errors.AdapterError: 502,
    BiblioError: 500,
}
RETRY_AFTER = 5  # seconds, where an engine that is down did not say

log = logging.getLogger(__name__)


class Problem(JSONResponse):
    media_type = "application/problem+json"


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
        log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
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
    log.error("%s %s broke", request.method, request.url.path, exc_info=error)
    return problem(500, "INTERNAL", "Something broke on our side; the log has the details.")
