"""The one table that turns the errors of google-genai, of its HTTP client and of google-auth into ours."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from google.auth.exceptions import GoogleAuthError, TransportError
from google.genai.errors import APIError

from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable

Answer = tuple[type[AdapterError], str | None, str]

LONGEST_QUOTE = 200
"""Characters of what the service itself said."""

_KEY: Answer = (Misconfigured, None, "Google refuses these credentials: check key, role and that the API is enabled.")
_NOT_THERE: Answer = (Misconfigured, None, "Google has no such model in this project and location.{said}")
_SLOWER: Answer = (RateLimited, None, "Google asks to be called less often, or the quota of this minute is used up.")
_DOWN: Answer = (Unavailable, None, "Google does not answer, or broke off: try again soon.")
_GARBLED: Answer = (Unavailable, None, "Google answered half, or something else than its protocol says.")
_NO_LOGIN: Answer = (
    Misconfigured,
    None,
    "No credentials of Google work here: set 'credentials', or log in with gcloud.",
)

# What an answer gives as its reason comes first, then its status's name, number and class; other errors go by type.
TABLE: dict[str | type[BaseException], Answer] = {
    "API_KEY_INVALID": _KEY,
    "UNAUTHENTICATED": _KEY,
    "PERMISSION_DENIED": _KEY,
    "401": _KEY,
    "403": _KEY,
    "NOT_FOUND": _NOT_THERE,
    "404": _NOT_THERE,
    "RESOURCE_EXHAUSTED": _SLOWER,
    "429": _SLOWER,
    "FAILED_PRECONDITION": (Misconfigured, None, "Google does not serve this account or model so.{said}"),
    "408": _DOWN,
    "409": _DOWN,
    "499": _DOWN,
    "3xx": _NOT_THERE,
    "4xx": (Rejected, None, "Google refused the call.{said}"),
    "5xx": _DOWN,
    APIError: _GARBLED,
    ssl.SSLError: (Misconfigured, None, "The certificate of Google's endpoint cannot be trusted: check 'endpoint'."),
    httpx.TimeoutException: (Unavailable, None, "Google did not answer in time."),
    httpx.HTTPError: _DOWN,
    TransportError: _DOWN,
    GoogleAuthError: _NO_LOGIN,
    ValueError: _GARBLED,
}


@contextmanager
def translated() -> Iterator[None]:
    """Raise ours for any error of a call, and for an answer that cannot be read."""
    try:
        yield
    except (APIError, httpx.HTTPError, GoogleAuthError, ValueError) as error:
        kind, code, sentence = next(TABLE[name] for name in _names(error) if name in TABLE)
        more: dict[str, Any] = {"retry_after": _retry_after(error)} if kind is RateLimited else {}
        raise kind(sentence.format(said=_quoted(error)), code=code, **more) from error


def _names(error: BaseException) -> list[str | type[BaseException]]:
    kinds = list(type(error).__mro__)
    if isinstance(error, APIError):
        status = str(error.code)
        reasons = [str(detail.get("reason")) for detail in _details(error)]
        return [*reasons, str(error.status), status, f"{status[:1]}xx", *kinds]
    is_untrusted = any(isinstance(one, ssl.SSLCertVerificationError) for one in _causes(error))
    return [ssl.SSLError] if is_untrusted else [*kinds]


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _details(error: APIError) -> list[dict[str, Any]]:
    """What `google.rpc` adds to an error, as `ErrorInfo` and `RetryInfo`."""
    body = error.details if isinstance(error.details, dict) else {}
    inner = body.get("error")
    details = inner.get("details") if isinstance(inner, dict) else None
    return [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []


def _quoted(error: BaseException) -> str:
    said = error.message if isinstance(error, APIError) else None
    return " It said: " + " ".join(said.split())[:LONGEST_QUOTE] if isinstance(said, str) else ""


def _retry_after(error: BaseException) -> float | None:
    """Seconds: of the header, else of `RetryInfo` ('17s')."""
    if not isinstance(error, APIError):
        return None
    header = error.response.headers.get("retry-after", "") if error.response is not None else ""
    told = [header, *(str(detail.get("retryDelay", "")).removesuffix("s") for detail in _details(error))]
    return next((seconds for text in told if (seconds := _seconds(text)) is not None), None)


def _seconds(text: str) -> float | None:
    try:
        return max(0.0, float(text))
    except ValueError:
        return None
