"""The one table that turns errors of Weaviate and its client into ours."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import grpc
import httpx
from weaviate.exceptions import (
    AuthenticationFailedError,
    ResponseCannotBeDecodedError,
    UnexpectedStatusCodeError,
    WeaviateBaseError,
    WeaviateInsertInvalidPropertyError,
    WeaviateInvalidInputError,
    WeaviateUnsupportedFeatureError,
)

from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable

Answer = tuple[type[AdapterError], str | None, str]

_DENIED: Answer = (Misconfigured, None, "Weaviate refuses this key, or what it may do: check BIBLIO_VECTORS.")
_OTHER: Answer = (Misconfigured, None, "What answers is no Weaviate, or one too old: check BIBLIO_VECTORS.")
_NO_TLS: Answer = (Misconfigured, None, "Weaviate speaks no TLS here: its address begins with weaviate://.")
_CERTIFICATE: Answer = (Misconfigured, None, "Weaviate's certificate cannot be trusted: check the host's name.")
_TOO_LARGE: Answer = (Misconfigured, None, "Weaviate takes no messages as large: lower the option 'batch_size'.")
_BAD_VECTOR: Answer = (Rejected, "BAD_VECTOR", "A vector has the wrong dimension, or holds what is no number.")
_REFUSED: Answer = (Rejected, None, "Weaviate refused the request.")
_SLOWER: Answer = (RateLimited, None, "Weaviate asks to be called less often, or has no room left.")
_DOWN: Answer = (Unavailable, None, "Weaviate does not answer, or is busy; it is worth another try.")

# What is said comes first: most of what Weaviate refuses has the status UNKNOWN, and objects of a batch have none.
TEXTS: dict[str, Answer] = {
    "vector lengths don't match": _BAD_VECTOR,
    "has a vector with length": _BAD_VECTOR,
    "larger than max": _TOO_LARGE,
    "CERTIFICATE_VERIFY_FAILED": _CERTIFICATE,
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "Please use Weaviate version": _OTHER,
    "extract auth: ": _DENIED,
}
# Then the status, of gRPC or HTTP, and the status's class; other errors go by their type.
TABLE: dict[str | type[BaseException], Answer] = {
    "UNAUTHENTICATED": _DENIED,
    "PERMISSION_DENIED": _DENIED,
    "UNIMPLEMENTED": _OTHER,
    "INVALID_ARGUMENT": _REFUSED,
    "FAILED_PRECONDITION": _REFUSED,
    "NOT_FOUND": _REFUSED,
    "ALREADY_EXISTS": _REFUSED,
    "OUT_OF_RANGE": _REFUSED,
    "RESOURCE_EXHAUSTED": _SLOWER,
    grpc.RpcError: _DOWN,  # UNAVAILABLE, DEADLINE_EXCEEDED, UNKNOWN and the rest
    "401": _DENIED,
    "403": _DENIED,
    "404": _OTHER,
    "408": _DOWN,
    "429": _SLOWER,
    "3xx": _OTHER,
    "4xx": _REFUSED,
    UnexpectedStatusCodeError: _DOWN,  # 5xx
    AuthenticationFailedError: _DENIED,
    ResponseCannotBeDecodedError: _OTHER,
    WeaviateUnsupportedFeatureError: _OTHER,
    WeaviateInvalidInputError: _REFUSED,
    WeaviateInsertInvalidPropertyError: _REFUSED,
    WeaviateBaseError: _DOWN,
    httpx.HTTPError: _DOWN,
}

ANSWERS = {"UNKNOWN", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND"}
"""With one of these Weaviate says that something is not there."""


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except (WeaviateBaseError, httpx.HTTPError) as error:
        raise translation(error) from error


def translation(error: BaseException) -> AdapterError:
    kind, code, sentence = next(_answers(error))
    return kind(sentence, code=code)


def partial_failure(reasons: Iterable[str], failed: int, sent: int) -> AdapterError:
    """Some objects of a batch were not written. What can never be is told first."""
    found = [TEXTS[text] for reason in reasons for text in TEXTS if text in reason]
    kind, code, sentence = found[0] if found else _DOWN
    return kind(f"{failed} of {sent} vectors were not written. {sentence}", code=code)


def is_answer(error: AdapterError) -> bool:
    """Whether Weaviate itself refused, perhaps because what was asked about is not there."""
    return isinstance(error.__cause__, grpc.Call) and error.__cause__.code().name in ANSWERS


def _answers(error: BaseException) -> Iterator[Answer]:
    told = " ".join(_told(error))
    yield from (answer for text, answer in TEXTS.items() if text in told)
    yield from (TABLE[name] for name in _names(error) if name in TABLE)


def _told(error: BaseException | None) -> Iterator[str]:
    """By it and by what it came of."""
    while error is not None:
        yield str(error)
        error = error.__cause__


def _names(error: BaseException) -> Iterator[str | type[BaseException]]:
    if isinstance(error, grpc.Call):
        yield error.code().name
    if isinstance(error, UnexpectedStatusCodeError):
        status = str(error.status_code)
        yield from (status, f"{status[:1]}xx")
    yield from type(error).__mro__
