"""The one table that turns the errors of Qdrant's client into ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable

_MISSING = "Qdrant has no collection for this embedder: `biblio migrate` makes it. Check BIBLIO_VECTORS."
_REFUSED = "Qdrant refuses this key, or the key may not do this: check BIBLIO_VECTORS."
_ELSEWHERE = "Qdrant's address leads elsewhere: check host, port and qdrant:// or qdrants:// of BIBLIO_VECTORS."
_FOLDER = "Qdrant's folder cannot be used: check path and rights in BIBLIO_VECTORS."


@contextmanager
def translated() -> Iterator[None]:
    """Raise ours for any error of the client, of a server or of a folder."""
    try:
        yield
    except (ApiException, QdrantException, ValueError, OSError, RuntimeError) as error:
        raise _error(error) from error


def _error(error: Exception) -> AdapterError:
    if isinstance(error, UnexpectedResponse):
        return _by_status(error.status_code or 0, error.content)
    if isinstance(error, QdrantException):  # the bare one: a Retry-After that is no number of seconds
        after = float(error.retry_after_s) if isinstance(error, ResourceExhaustedResponse) else None
        return RateLimited("Qdrant asks to be called less often.", retry_after=after)
    if isinstance(error, ValueError):  # how the library without a server says it
        return Misconfigured(_MISSING)
    if isinstance(error, OSError):
        return Misconfigured(_FOLDER)
    if isinstance(error, RuntimeError):
        return Unavailable("Another process has Qdrant's folder open: only one may.", code="FOLDER_IN_USE")
    return Unavailable("Qdrant does not answer, or broke off; it is worth another try.")


def _by_status(status: int, content: bytes) -> AdapterError:
    if status in (401, 403):
        return Misconfigured(_REFUSED)
    if status == 404:
        return Misconfigured(_MISSING)
    if status == 429:
        return RateLimited("Qdrant asks to be called less often.")
    if 300 <= status < 400:
        return Misconfigured(_ELSEWHERE)
    if 400 <= status < 500 and status != 408:
        code = "BAD_VECTOR" if b"dimension" in content.lower() else None
        return Rejected("Qdrant refused the request.", code=code)
    return Unavailable("Qdrant is busy or broken; it is worth another try.")
