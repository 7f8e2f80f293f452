"""The one table that turns botocore's errors into ours."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ProxyConnectionError,
    SSLError,
)
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

MOST_SKEW = 600.0
"""Seconds. Amazon refuses signatures that are 15 minutes off; a smaller difference is no reason for a refusal."""

_GONE: Answer = (NotFound, None, "Storage has no {what}.")
_NO_BUCKET: Answer = (Misconfigured, None, "Storage has no bucket for {what}: `biblio doctor` says how to make it.")
_CHANGED: Answer = (Conflict, "OBJECT_CHANGED", "{what} in storage is no longer what it was.")
_OTHER_PARTS: Answer = (Conflict, "PARTS_CHANGED", "The parts of {what} in storage are not what was listed.")
_DENIED: Answer = (Misconfigured, None, "Storage refuses these credentials for {what}: check key, secret and rights.")
_REGION: Answer = (Misconfigured, None, "Storage sends {what} elsewhere: check the options 'endpoint' and 'region'.")
# One worker's clock condemns no video: another machine's may be right, and this one's will be set.
_CLOCK: Answer = (Unavailable, "CLOCK_SKEWED", "Storage's clock and this machine's are too far apart: set the time.")
_LACKING: Answer = (Misconfigured, "NOT_SUPPORTED", "This storage cannot do what {what} needs.")
_SLOWER: Answer = (RateLimited, None, "Storage asks to be called less often.")
_DOWN: Answer = (Unavailable, None, "Storage does not answer for {what}, or broke off: try again soon.")
_REFUSED: Answer = (Rejected, None, "Storage refused the request for {what}.")
_CLIENT: Answer = (Misconfigured, None, "The s3:// address or its credentials cannot be used.")

# An answer's own code comes first, then its HTTP status, then the status's class; other errors go by their type.
TABLE: dict[str | type[BaseException], Answer] = {
    "NoSuchKey": _GONE,
    "404": _GONE,
    "NoSuchBucket": _NO_BUCKET,
    "NoSuchUpload": (NotFound, None, "Storage has no unfinished upload of {what}."),
    "InvalidPart": _OTHER_PARTS,
    "InvalidPartOrder": _OTHER_PARTS,
    "EntityTooSmall": (InvalidInput, "PART_TOO_SMALL", "Only the last part of {what} may be so small."),
    "PreconditionFailed": _CHANGED,
    "412": _CHANGED,
    "InvalidRange": (InvalidInput, "RANGE_OUTSIDE_OBJECT", "The asked bytes lie outside {what}."),
    "EntityTooLarge": (TooLarge, None, "Storage does not take objects as large as {what}."),
    "RequestTimeTooSkewed": _CLOCK,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "PermanentRedirect": _REGION,
    "3xx": _REGION,
    "401": _DENIED,
    "403": _DENIED,
    "AccessDenied": _DENIED,
    "InvalidToken": _DENIED,
    "ExpiredToken": _DENIED,
    "NotImplemented": _LACKING,
    "501": _LACKING,
    "SlowDown": _SLOWER,
    "429": _SLOWER,
    "RequestTimeout": _DOWN,
    "OperationAborted": _DOWN,
    "408": _DOWN,
    "InternalError": _DOWN,
    "5xx": _DOWN,
    ClientError: _REFUSED,
    SSLError: (Misconfigured, None, "Storage's certificate cannot be trusted: check the endpoint."),
    ProxyConnectionError: (Misconfigured, None, "The proxy before storage does not answer: check HTTPS_PROXY."),
    ConnectionError: _DOWN,
    HTTPClientError: _DOWN,
    IncompleteReadError: _DOWN,
    HTTPError: _DOWN,
    BotoCoreError: _CLIENT,
    Boto3Error: _CLIENT,
}


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise ours for any of botocore's errors. `what` names the object or bucket, never a signed URL."""
    try:
        yield
    except (BotoCoreError, ClientError, HTTPError, Boto3Error) as error:
        kind, code, sentence = next(TABLE[name] for name in _names(error) if name in TABLE)
        more: dict[str, Any] = {"retry_after": _retry_after(error)} if kind is RateLimited else {}
        raise kind(sentence.format(what=what), code=code, **more) from error


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _names(error: BaseException) -> list[str | type[BaseException]]:
    kinds = list(type(error).__mro__)
    if not isinstance(error, ClientError):
        return [*kinds]
    status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    if status == "403" and _clocks_differ(error):
        return ["RequestTimeTooSkewed"]  # an answer to HEAD has no code, and not every storage has this one
    return [error_code(error), status, f"{status[:1]}xx", *kinds]


def _clocks_differ(error: ClientError) -> bool:
    """More than signatures bear."""
    try:
        theirs = parsedate_to_datetime(_header(error, "date"))
    except ValueError:
        return False
    return abs(time.time() - theirs.timestamp()) > MOST_SKEW


def _header(error: ClientError, name: str) -> str:
    return str(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(name, ""))


def _retry_after(error: BaseException) -> float | None:
    if not isinstance(error, ClientError):
        return None
    value = _header(error, "retry-after")
    return float(value) if value.isdecimal() else None
