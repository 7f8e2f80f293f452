"""Requests that bring bytes to the object storage, and what their answers mean."""

import re
from collections.abc import Iterator
from typing import Self

import httpx

from biblio.client.models import SignedPut
from biblio.client.problems import seconds_of
from biblio.client.transport import open_http
from biblio.errors import BiblioError, Conflict, NotFound, Rejected, Unavailable

TIMEOUT = httpx.Timeout(connect=10, write=60, read=120, pool=10)
"""Seconds. `read` is long: after the last byte, a storage may need a while to put a big object together."""

PASSING = frozenset({408, 409, 429, 500, 502, 503, 504})
PASSING_REASONS = frozenset({"IncompleteBody", "RequestTimeout", "SlowDown"})
"""S3's words for a body that broke off or came too slowly: with HTTP 400, though nothing is wrong with the request."""

WRONG_DIGEST = frozenset({"BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"})


class Interrupted(Unavailable):
    """Storage did not take the bytes this time; another try may help."""

    code = "UPLOAD_INTERRUPTED"


class Connection:
    """A connection to storage, opened by the first request and kept for the next ones. For one thread."""

    def __init__(self) -> None:
        self._http: httpx.Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._http:
            self._http.close()

    def put(self, target: SignedPut, pieces: Iterator[bytes], length: int) -> None:
        """Send `length` bytes to the signed address, with exactly the headers that were signed.

        Raises `Interrupted` where another try may help, `Rejected` (UPLOAD_URL_EXPIRED, WRONG_DIGEST,
        UPLOAD_REJECTED), `Conflict` (OBJECT_EXISTS), `NotFound` (UPLOAD_UNKNOWN), and what `pieces`
        raises.
        """
        self._http = self._http or open_http(target["url"], timeout=TIMEOUT)
        headers = {**target["headers"], "Content-Length": str(length)}
        try:
            response = self._http.request(target["method"], target["url"], headers=headers, content=pieces)
        except httpx.TransportError as error:
            raise _broken(target["url"], error) from error
        if not response.is_success:
            raise _refused(response)


def _broken(url: str, error: httpx.TransportError) -> Interrupted:
    host = httpx.URL(url).netloc.decode()
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        reason = f" ({error})" if str(error) else ""
        return Interrupted(f"The storage at {host} cannot be reached{reason}.")
    return Interrupted(f"The connection to the storage at {host} broke.")


def _refused(response: httpx.Response) -> BiblioError:
    status = response.status_code
    found = re.search("<Code>([^<]*)</Code>", response.text)
    reason = found[1] if found else f"HTTP {status}"
    if status == 412:
        return Conflict("The file is in the storage already.", code="OBJECT_EXISTS")
    if status == 404 and reason == "NoSuchUpload":
        return NotFound("The storage knows nothing of this upload.", code="UPLOAD_UNKNOWN")
    if reason in WRONG_DIGEST:
        return Rejected("The storage received other bytes than were announced.", code="WRONG_DIGEST")
    if status in PASSING or reason in PASSING_REASONS:
        wish = seconds_of(response.headers.get("Retry-After"))
        return Interrupted(f"The storage failed: {reason}.", retry_after=wish)
    if status in (400, 403) and "expired" in response.text.lower():
        message = "The storage took a fresh address for expired. Compare the clocks of server and storage."
        return Rejected(message, code="UPLOAD_URL_EXPIRED")
    return Rejected(f"The storage refused the file: {reason}.", code="UPLOAD_REJECTED")
