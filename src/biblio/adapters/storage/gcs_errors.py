"""The one table that turns the errors of Google's libraries into ours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree.ElementTree import ParseError

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from requests.exceptions import ProxyError, RequestException, SSLError
from urllib3.exceptions import HTTPError

from biblio.errors import (
    BiblioError,
    Conflict,
    InvalidInput,
    Misconfigured,
    NotFound,
    RateLimited,
    Rejected,
    TooLarge,
    Unavailable,
)

Answer = tuple[type[BiblioError], str | None, str]

_GONE: Answer = (NotFound, None, "Storage has no {what}.")
_NO_BUCKET: Answer = (Misconfigured, None, "Storage has no bucket for {what}: `biblio doctor` says how to make it.")
_CHANGED: Answer = (Conflict, "OBJECT_CHANGED", "{what} in storage is no longer what it was.")
_OTHER_PARTS: Answer = (Conflict, "PARTS_CHANGED", "The parts of {what} in storage are not what was listed.")
_OUTSIDE: Answer = (InvalidInput, "RANGE_OUTSIDE_OBJECT", "The asked bytes lie outside {what}.")
_LARGE: Answer = (TooLarge, None, "Storage does not take objects as large as {what}.")
_DENIED: Answer = (Misconfigured, None, "Storage refuses these credentials for {what}: check account and roles.")
_KEY: Answer = (Misconfigured, None, "Google refuses these credentials: check the key file and this machine's clock.")
_ELSEWHERE: Answer = (Misconfigured, None, "Storage sends {what} elsewhere: check the option 'endpoint'.")
_LACKING: Answer = (Misconfigured, "NOT_SUPPORTED", "This storage cannot do what {what} needs.")
_SLOWER: Answer = (RateLimited, None, "Storage asks to be called less often.")
_DOWN: Answer = (Unavailable, None, "Storage does not answer for {what}, or broke off: try again soon.")
_REFUSED: Answer = (Rejected, None, "Storage refused the request for {what}.")

# An answer's own code comes first (XML's begin with a capital, JSON's do not), then its HTTP status, then the status's
# class; other errors go by their type.
TABLE: dict[str | type[BaseException], Answer] = {
    "NoSuchBucket": _NO_BUCKET,
    "NoSuchUpload": (NotFound, None, "Storage has no unfinished upload of {what}."),
    "InvalidPart": _OTHER_PARTS,
    "InvalidPartOrder": _OTHER_PARTS,
    "EntityTooSmall": (InvalidInput, "PART_TOO_SMALL", "Only the last part of {what} may be so small."),
    "EntityTooLarge": _LARGE,
    "uploadTooLarge": _LARGE,
    "rateLimitExceeded": _SLOWER,
    "userRateLimitExceeded": _SLOWER,
    "SlowDown": _SLOWER,
    "404": _GONE,
    "409": _DOWN,
    "412": _CHANGED,
    "413": _LARGE,
    "416": _OUTSIDE,
    "3xx": _ELSEWHERE,
    "401": _DENIED,
    "403": _DENIED,
    "501": _LACKING,
    "429": _SLOWER,
    "408": _DOWN,
    "5xx": _DOWN,
    GoogleAPICallError: _REFUSED,
    InvalidResponse: _REFUSED,
    DataCorruption: (Unavailable, None, "{what} arrived damaged in storage: try again."),
    RefreshError: _KEY,
    TransportError: _DOWN,
    GoogleAuthError: (Misconfigured, None, "No credentials for Google: state the option 'credentials', or log in."),
    SSLError: (Misconfigured, None, "Storage's certificate cannot be trusted: check the endpoint."),
    ProxyError: (Misconfigured, None, "The proxy before storage does not answer: check HTTPS_PROXY."),
    RequestException: _DOWN,
    HTTPError: _DOWN,
    ParseError: _DOWN,
}

_REASON = re.compile(r'<Code>(\w+)</Code>|"reason": *"(\w+)"')
_BUCKET = "The specified bucket does not exist"
_SESSION = "upload_id="
"""In the address of an upload under way, which needs no other credentials."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise ours for any error of Google's libraries. `what` names the object or bucket, never a signed URL."""
    try:
        yield
    except (
        GoogleAPICallError,
        GoogleAuthError,
        InvalidResponse,
        DataCorruption,
        RequestException,
        HTTPError,
        ParseError,
    ) as error:
        kind, code, sentence = next(TABLE[name] for name in _names(error) if name in TABLE)
        more: dict[str, Any] = {"retry_after": _retry_after(error)} if kind is RateLimited else {}
        cause = None if _SESSION in str(error) else error
        raise kind(sentence.format(what=what), code=code, **more) from cause


def _names(error: BaseException) -> list[str | type[BaseException]]:
    kinds = list(type(error).__mro__)
    if isinstance(error, RefreshError) and error.retryable:
        return ["5xx"]
    status = _status(error)
    if status == "308" and not _header(error, "Location"):  # no redirect: Google kept nothing of a piece
        return ["5xx"]
    return [*_reasons(error), status, f"{status[:1]}xx", *kinds] if status else [*kinds]


def _status(error: BaseException) -> str:
    """The HTTP status; '' where nothing was answered."""
    if isinstance(error, GoogleAPICallError):
        return str(int(error.code or 0))
    if isinstance(error, InvalidResponse):
        return str(error.response.status_code)
    return ""


def _reasons(error: Any) -> list[str]:
    text = error.response.text if error.response is not None else ""
    if _BUCKET in text and "No such object" not in text:
        return ["NoSuchBucket"]
    return [of_xml or of_json for of_xml, of_json in _REASON.findall(text)]


def _retry_after(error: Any) -> float | None:
    value = _header(error, "Retry-After")
    return float(value) if value.isdecimal() else None


def _header(error: Any, name: str) -> str:
    response = getattr(error, "response", None)
    return "" if response is None else str(response.headers.get(name, ""))
