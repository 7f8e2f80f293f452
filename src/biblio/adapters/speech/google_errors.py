"""Google's errors as biblio's: of gRPC calls, of operations and their files, of Cloud Storage and of credentials."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from google.api_core import exceptions as google
from google.auth import exceptions as auth
from google.cloud.storage.exceptions import DataCorruption
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo

from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable

LONGEST_MESSAGE = 300
"""Characters of Google's own words that are shown."""
_SESSION = re.compile(r"upload_id=[^\s&:'\"]+")
"""In the address of an upload under way, which needs no other credentials."""

_AWAY: tuple[type[AdapterError], str] = (Unavailable, "Google Speech does not answer, or cannot now")
_LOGIN: tuple[type[AdapterError], str] = (Misconfigured, "Google takes no such credentials: see `credentials`")

TABLE: dict[type[BaseException], tuple[type[AdapterError], str]] = {
    google.TooManyRequests: (RateLimited, "A quota of Google Speech is used up for now"),  # RESOURCE_EXHAUSTED
    google.Unauthorized: _LOGIN,
    google.Forbidden: (Misconfigured, "These credentials may not use Google Speech or its bucket"),
    google.NotFound: (Misconfigured, "Google knows no such project, location or bucket"),
    google.MethodNotImplemented: (Misconfigured, "What answers is no Google Speech v2"),
    google.BadRequest: (Rejected, "Google Speech does not take this"),  # INVALID_ARGUMENT, FAILED_PRECONDITION
    google.Conflict: _AWAY,  # ABORTED
    google.Cancelled: _AWAY,
    google.ClientError: (Rejected, "Google Speech does not take this"),
    google.GoogleAPIError: _AWAY,  # UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL, UNKNOWN and every other
    auth.TransportError: _AWAY,
    auth.GoogleAuthError: _LOGIN,
    DataCorruption: (Unavailable, "A transfer to or from Cloud Storage was damaged"),
    DecodeError: (Unavailable, "Google's answer is damaged"),
    OSError: (Unavailable, "Google Cloud Storage does not answer"),
}


@contextmanager
def translated() -> Iterator[None]:
    """Around every call to Google."""
    try:
        yield
    except tuple(TABLE) as error:
        raise ours(error) from (None if _SESSION.search(str(error)) else error)


def ours(error: BaseException) -> AdapterError:
    """The most special line of the table. Google's messages name projects, models and objects, and no other secret than
    the session of an upload."""
    kind, meaning = next(TABLE[one] for one in type(error).__mro__ if one in TABLE)
    told = _SESSION.sub("upload_id=***", str(getattr(error, "message", "") or error))
    said = told[:LONGEST_MESSAGE].rstrip(". ")
    sentence = f"{meaning}: {said}." if said else f"{meaning}."
    if kind is RateLimited:
        return RateLimited(sentence, retry_after=_retry_after(error))
    return kind(sentence)


def of_status(status: Any) -> AdapterError:
    """For the `google.rpc.Status` of an operation, or of one of its files."""
    return ours(google.from_grpc_status(status.code, status.message, details=list(status.details)))


def _retry_after(error: Any) -> float | None:
    """Seconds: gRPC's RetryInfo, or the header of Cloud Storage."""
    for detail in getattr(error, "details", None) or ():
        found = detail if isinstance(detail, RetryInfo) else _unpacked(detail)
        if found is not None:
            return float(found.retry_delay.ToTimedelta().total_seconds())
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    said = str(headers.get("Retry-After", ""))
    return float(said) if said.isdigit() else None


def _unpacked(detail: Any) -> RetryInfo | None:
    found = RetryInfo()
    return found if hasattr(detail, "Unpack") and detail.Unpack(found) else None
