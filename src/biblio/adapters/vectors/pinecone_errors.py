"""The one table that turns the errors of Pinecone's client into ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from pinecone import (
    ApiError,
    ForbiddenError,
    NotFoundError,
    PaymentRequiredError,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    RateLimitError,
    ServiceError,
    UnauthorizedError,
)

from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable

WORTH_ANOTHER_TRY = (408, 409)
"""HTTP statuses below 500: too slow, and at cross purposes with another caller."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise ours for any error of the client."""
    try:
        yield
    except PineconeError as error:
        raise _error(error) from error


def _error(error: PineconeError) -> AdapterError:
    if isinstance(error, RateLimitError):
        return RateLimited("Pinecone asks to be called less often.", retry_after=error.retry_after)
    if isinstance(error, (UnauthorizedError, ForbiddenError)):
        return Misconfigured("Pinecone refuses this key, or what it may do is used up: check BIBLIO_VECTORS and plan.")
    if isinstance(error, PaymentRequiredError):
        return Misconfigured("Pinecone wants to be paid first: see its console.")
    if isinstance(error, NotFoundError):
        return Misconfigured("Pinecone has no index for this embedder: `biblio migrate` makes it.")
    if isinstance(error, (PineconeValueError, PineconeTypeError)):
        return Rejected("Pinecone's client refused the request.")
    if isinstance(error, ApiError) and not isinstance(error, ServiceError):
        return _refusal(error)
    return Unavailable("Pinecone does not answer, or broke off; it is worth another try.")


def _refusal(error: ApiError) -> AdapterError:
    if error.status_code in WORTH_ANOTHER_TRY or error.status_code < 400:
        return Unavailable("Pinecone could not do it now; it is worth another try.")
    code = "BAD_VECTOR" if "dimension" in str(error).lower() else None
    return Rejected("Pinecone refused the request.", code=code)
