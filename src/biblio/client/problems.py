"""The one table that turns the server's answers, and its silence, into biblio's errors."""

from typing import Any

import httpx

from biblio.errors import (
    BiblioError,
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    RateLimited,
    Rejected,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

ERRORS: dict[int, type[BiblioError]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: NotPermitted,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: InvalidInput,
    429: RateLimited,
}

PASSING = frozenset({502, 503, 504})
"""Statuses that a short wait may heal. A 500 is a bug on the other side, and asking again shows it again."""


ENVELOPE = frozenset({"type", "title", "status", "detail", "instance", "code", "message", "self"})
"""What is no detail of an error, as the `numbers` of missing parts are."""


def error_of(response: httpx.Response) -> BiblioError:
    """The error an answer stands for, with the server's own code, sentence and details where it gave them."""
    body = _json_object(response)
    status = response.status_code
    reason = f"{response.url.host} answered {status} {response.reason_phrase}.".replace(" .", ".")
    message = str(body.get("detail") or body.get("title") or reason)
    code = body.get("code")
    code = code if isinstance(code, str) else None
    details = {name: value for name, value in body.items() if name not in ENVELOPE}
    if status == 429:
        wish = seconds_of(response.headers.get("Retry-After"))
        return RateLimited(message, code=code, **{**details, "retry_after": wish})
    if status >= 500:
        return Unavailable(message, code=code, **{**details, "http_status": status})
    return ERRORS.get(status, Rejected)(message, code=code, **details)


def no_answer(error: httpx.TransportError, address: str) -> Unavailable:
    """The error that stands for a connection that failed. `address` is shown, so it must hold no secret."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Unavailable(
            f"Nothing answers at {address}. Is biblio running? Start it with `biblio up` or set BIBLIO_URL.",
            code="SERVER_UNREACHABLE",
        )
    if isinstance(error, httpx.TimeoutException):
        return Unavailable(f"{address} did not answer in time.", code="SERVER_TIMEOUT")
    return Unavailable(f"The connection to {address} broke.", code="CONNECTION_LOST")


def _json_object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:  # a proxy's HTML page, or bytes that are no text
        return {}
    return body if isinstance(body, dict) else {}


def seconds_of(text: str | None) -> float | None:
    """`Retry-After` as seconds. Its other form, a date, is read as unknown: biblio's own API never sends it."""
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
