"""A file's bytes on their way from disk straight to the object storage, one piece at a time."""

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import httpx

from biblio.client.models import UploadTarget
from biblio.client.transport import open_http
from biblio.errors import AdapterError, Conflict, Rejected, Unavailable

PIECE = 1024 * 1024
"""Bytes read and sent at a time: all that a file of any size takes of the memory."""

TIMEOUT = httpx.Timeout(connect=10, write=60, read=300, pool=10)
"""Seconds. `read` is long: a storage may need minutes to put a big object together after its last byte came in."""

OnProgress = Callable[[int], None]
"""Called with the number of bytes sent so far."""


def put(target: UploadTarget, file: BinaryIO, size: int, on_progress: OnProgress | None = None) -> None:
    """Send the file, `size` bytes long, to the signed address, with exactly the headers that were signed.

    Raises `Conflict` (FILE_CHANGED), `Rejected` (UPLOAD_URL_EXPIRED, UPLOAD_REJECTED) and `Unavailable`
    (UPLOAD_INTERRUPTED).
    """
    headers = {**target["headers"], "Content-Length": str(size)}
    with open_http(target["url"], timeout=TIMEOUT) as http:
        try:
            pieces = _pieces(file, size, on_progress)
            response = http.request(target["method"], target["url"], headers=headers, content=pieces)
        except httpx.TransportError as error:
            raise _broken(target) from error
    if not response.is_success:
        raise _refused(response, target)


def _pieces(file: BinaryIO, size: int, on_progress: OnProgress | None) -> Iterator[bytes]:
    sent = 0
    while sent < size:
        piece = file.read(min(PIECE, size - sent))
        if not piece:
            break
        yield piece
        sent += len(piece)
        if on_progress:
            on_progress(sent)
    if sent != size or os.fstat(file.fileno()).st_size != size:
        message = "The file changed while it was sent. Wait until it is complete, then try again."
        raise Conflict(message, code="FILE_CHANGED")


def _broken(target: UploadTarget) -> AdapterError:
    # A storage that refuses an old signature often hangs up before its refusal can be read.
    if _expired(target):
        return _too_late()
    host = httpx.URL(target["url"]).netloc.decode()
    return Unavailable(f"The connection to the storage at {host} broke. Try again.", code="UPLOAD_INTERRUPTED")


def _refused(response: httpx.Response, target: UploadTarget) -> AdapterError:
    if response.status_code >= 500:
        message = f"The storage failed with HTTP {response.status_code}. Try again."
        return Unavailable(message, code="UPLOAD_INTERRUPTED")
    if response.status_code in (400, 403) and ("expired" in response.text.lower() or _expired(target)):
        return _too_late()
    reason = re.search("<Code>([^<]*)</Code>", response.text)
    shown = reason[1] if reason else f"HTTP {response.status_code}"
    return Rejected(f"The storage refused the file: {shown}.", code="UPLOAD_REJECTED")


def _expired(target: UploadTarget) -> bool:
    return datetime.now(UTC) >= datetime.fromisoformat(target["expires_at"])


def _too_late() -> Rejected:
    return Rejected(
        "The upload address expired before the file was sent. Try again; if it happens again, compare the clocks.",
        code="UPLOAD_URL_EXPIRED",
    )
